/**
 * The toolbar of a pane: its buttons act on the message that has the keyboard's focus, else on the one under the mouse
 * or tapped last.
 */
import { button, create, fromTemplate, part, setText } from "./elements.js";
import { rowOf } from "./rows.js";

/** @import {Message} from "../types.js" */

const EMOJIS = ["👍", "❤️", "😂", "🎉", "👀", "✅"];

/**
 * @typedef {object} ToolActions
 * @property {(message: Message, emoji: string) => void} react
 * @property {(message: Message) => void} reply
 * @property {(message: Message) => void} edit
 * @property {(message: Message) => void} delete
 */

/**
 * @param {HTMLElement} list the rows
 * @param {(row: HTMLElement) => {message: Message, isMine: boolean} | undefined} look
 * @param {ToolActions} actions
 * @returns {() => void} puts the toolbar where it belongs, after the rows have changed
 */
export function createTools(list, look, actions) {
  const root = fromTemplate("tools");
  const remove = button(root, "delete");
  /** The message under the mouse, or the one tapped last. @type {HTMLElement | null} */
  let pointed = null;
  let isTouch = false;
  let isMoving = false;

  /** Moving the toolbar takes the focus away from it, which would move it again. */
  function settle() {
    if (isMoving) return;
    isMoving = true;
    place();
    isMoving = false;
  }

  function place() {
    const { activeElement: active } = document;
    const focused = list.contains(active) && active?.matches(":focus-visible") ? rowOf(active) : null;
    const row = focused ?? pointed;
    const found = row && list.contains(row) ? look(row) : undefined;
    if (!row || !found || found.message.deleted_at) return detach();
    if (root.parentElement !== row) {
      reset();
      row.append(root);
    }
    button(root, "edit").hidden = remove.hidden = !found.isMine;
  }

  /** Take the toolbar away. Its message gets the focus first: removing what has it would lose it. */
  function detach() {
    reset();
    if (root.contains(document.activeElement)) root.parentElement?.focus({ preventScroll: true });
    root.remove();
  }

  /** @param {HTMLElement | null} row */
  function point(row) {
    pointed = row;
    settle();
  }

  /** @param {(message: Message) => void} act */
  function run(act) {
    const found = root.parentElement ? look(root.parentElement) : undefined;
    if (found) act(found.message);
    if (isTouch) point(null);
  }

  for (const emoji of EMOJIS) {
    const choice = create("button", "quiet icon", emoji);
    choice.setAttribute("type", "button");
    choice.setAttribute("aria-label", `React with ${emoji}`);
    choice.addEventListener("click", () => run((message) => actions.react(message, emoji)));
    part(root, "emojis", HTMLElement).append(choice);
  }
  button(root, "reply").addEventListener("click", () => run(actions.reply));
  button(root, "edit").addEventListener("click", () => run(actions.edit));
  const reset = confirmClick(remove, "Delete", "Really delete?", () => run(actions.delete));

  list.addEventListener("pointerdown", ({ pointerType }) => (isTouch = pointerType === "touch"));
  list.addEventListener("pointerover", ({ pointerType, target }) => {
    if (pointerType !== "touch") point(rowOf(target));
  });
  list.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType !== "touch") point(null);
  });
  list.addEventListener("click", ({ target }) => {
    if (!isTouch || !(target instanceof Element) || target.closest("button")) return;
    const row = rowOf(target);
    point(row === pointed ? null : row);
    root.scrollIntoView({ block: "nearest" });
  });
  list.addEventListener("focusin", settle);
  list.addEventListener("focusout", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && list.contains(relatedTarget))) settle();
  });

  return settle;
}

/**
 * Ask for a second click before an action that cannot be undone. Moving the focus away cancels it.
 * @param {HTMLButtonElement} target
 * @param {string} label
 * @param {string} question
 * @param {() => void} act
 * @returns {() => void} cancels it
 */
function confirmClick(target, label, question, act) {
  const reset = () => {
    target.classList.remove("sure");
    setText(target, label);
  };
  target.addEventListener("blur", reset);
  target.addEventListener("click", () => {
    if (target.classList.contains("sure")) {
      reset();
      return act();
    }
    target.classList.add("sure");
    setText(target, question);
  });
  return reset;
}

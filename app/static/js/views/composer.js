/** The text field for new messages, replies and edits. */
import { timelineOf, typingIn } from "../store.js";
import { button, listed, part, setText } from "./elements.js";
import { excerpt } from "./message.js";

/** @import {Message, State} from "../types.js" */

/**
 * @param {HTMLElement} root the room view
 * @param {{say: (content: string, replyTo?: number) => void, typing: () => void,
 *   edit: (message: Message, content: string) => void, lastOwn: () => Message | undefined}} actions
 */
export function createComposer(root, actions) {
  const draft = part(root, "draft", HTMLTextAreaElement);
  const context = part(root, "context", HTMLElement);
  /** @type {{kind: "reply" | "edit", message: Message} | null} */
  let about = null;
  /** @type {number | null} */
  let room = null;
  /** The unsent text of each room. @type {Map<number | null, string>} */
  const drafts = new Map();

  /** @param {typeof about} next @param {string} text */
  function begin(next, text) {
    about = next;
    draft.value = text;
    context.hidden = !next;
    const what = next?.kind === "edit" ? "Editing" : `Replying to ${next?.message.sender}`;
    if (next) setText(part(root, "context-text", HTMLElement), `${what}: ${excerpt(next.message.message)}`);
    setText(button(root, "send"), next?.kind === "edit" ? "Save" : "Send");
    grow();
  }

  /** @param {"reply" | "edit"} kind @param {Message} message @param {string} text */
  function answer(kind, message, text) {
    begin({ kind, message }, text);
    draft.focus();
  }

  /** Make the field as tall as its text, up to the limit of the style sheet. */
  function grow() {
    draft.style.height = "auto";
    draft.style.height = `${draft.scrollHeight + draft.offsetHeight - draft.clientHeight}px`;
  }

  function submit() {
    const content = draft.value;
    if (!content.trim()) return;
    if (about?.kind === "edit") actions.edit(about.message, content);
    else actions.say(content, about?.message.id);
    begin(null, "");
  }

  function editLast() {
    const own = actions.lastOwn();
    if (own) answer("edit", own, own.message);
  }

  part(root, "composer", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  draft.addEventListener("input", () => {
    grow();
    if (draft.value.trim() && about?.kind !== "edit") actions.typing();
  });
  draft.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && about) begin(null, "");
    else if (event.key === "ArrowUp" && !draft.value) {
      event.preventDefault();
      editLast();
    }
  });
  button(root, "context-cancel").addEventListener("click", () => begin(null, ""));

  /** @param {State} state */
  function render(state) {
    if (state.current !== room) changeRoom(state.current);
    const typists = typingIn(state, state.current);
    const verb = typists.length > 1 ? "are" : "is";
    setText(part(root, "typing", HTMLElement), typists.length ? `${listed(typists)} ${verb} typing…` : "");
    const name = state.rooms.find(({ id }) => id === state.current)?.name ?? "";
    draft.placeholder = `Message ${name}`;
  }

  /** @param {number | null} next */
  function changeRoom(next) {
    if (about?.kind !== "edit") drafts.set(room, draft.value);
    room = next;
    begin(null, drafts.get(next) ?? "");
  }

  return {
    render,
    /** @param {Message} message */
    reply: (message) => answer("reply", message, about?.kind === "edit" ? "" : draft.value),
    /** @param {Message} message */
    edit: (message) => answer("edit", message, message.message),
    focus: () => draft.focus({ preventScroll: true }),
  };
}

/** The newest message of one's own that is not deleted. @param {State} state */
export function lastOwn(state) {
  const { messages } = timelineOf(state, state.current);
  return messages.findLast((message) => message.sender === state.user?.username && !message.deleted_at);
}

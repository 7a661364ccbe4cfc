/** The log of raw frames in both directions, and an input to send one by hand. */
import { button, create, fromTemplate, part, setText } from "./elements.js";
import { precise } from "./times.js";

/** @import {Frame, State} from "../types.js" */

const ARROWS = { in: "←", out: "→", note: "·" };
const WORDS = { in: "received", out: "sent", note: "note" };

/**
 * @param {{pause: (paused: boolean) => void, clear: () => void, drop: () => void,
 *   sendRaw: (text: string) => boolean}} actions
 */
export function createFrames(actions) {
  const root = fromTemplate("frames");
  const list = part(root, "list", HTMLElement);
  const pause = button(root, "pause");
  const raw = part(root, "raw-text", HTMLInputElement);
  /** @type {State["frames"] | null} */
  let shown = null;

  pause.addEventListener("click", () => actions.pause(pause.getAttribute("aria-pressed") !== "true"));
  button(root, "clear").addEventListener("click", actions.clear);
  button(root, "drop").addEventListener("click", actions.drop);
  part(root, "raw", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (raw.value.trim() && actions.sendRaw(raw.value)) raw.value = "";
  });

  /** @param {State} state */
  function render({ frames }) {
    if (frames === shown) return;
    const isNearEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const last = shown?.entries.at(-1)?.number ?? 0;
    const first = frames.entries[0]?.number ?? Infinity;
    shown = frames;
    for (const line of [...list.children]) if (numberOf(line) < first) line.remove();
    list.append(...frames.entries.filter(({ number }) => number > last).map(createLine));
    pause.setAttribute("aria-pressed", String(frames.paused));
    setText(pause, frames.paused ? "Resume" : "Pause");
    setText(part(root, "count", HTMLElement), String(frames.total));
    if (isNearEnd) list.scrollTop = list.scrollHeight;
  }

  return { root, render };
}

/** @param {Element} line */
function numberOf(line) {
  return Number(/** @type {HTMLElement} */ (line).dataset.number);
}

/** @param {Frame} frame */
function createLine({ number, at, direction, text }) {
  const line = create("li", `frame ${direction}`);
  line.dataset.number = String(number);
  const arrow = create("span", "arrow", ARROWS[direction]);
  arrow.title = WORDS[direction];
  const code = create("code", "");
  // Lines break after a comma, not inside a word.
  for (const piece of text.split(/(?<=,)/)) code.append(piece, create("wbr", ""));
  line.append(create("time", "", precise(at)), arrow, code);
  return line;
}

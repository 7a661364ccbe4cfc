/** The rows of a run of messages, in order. A row is kept for as long as its message is in the run. */
import { createMessage } from "./message.js";
import { day, isSameDay } from "./times.js";

/** @import {Message} from "../types.js" */

/** @typedef {ReturnType<typeof createMessage> & {shown?: Message, answered?: Message}} Row */

const TOGETHER_MS = 5 * 60_000;

/** @param {Element | EventTarget | null} within @returns {HTMLElement | null} the row that contains an element */
export function rowOf(within) {
  return within instanceof Element ? within.closest("li.message") : null;
}

/** @param {HTMLElement} row the id of its message */
export function idOf(row) {
  return Number(row.dataset.id);
}

/** @param {HTMLElement} list */
export function createRows(list) {
  /** @type {Map<number, Row>} */
  const rows = new Map();

  /**
   * @param {Message[]} messages
   * @param {Message | undefined} before the message above the first one
   * @param {{me: string, mark: number | null, answeredBy: (message: Message) => Message | undefined}} around
   */
  function render(messages, before, { me, mark, answeredBy }) {
    const keep = new Set(messages.map(({ id }) => id));
    for (const [id, { root }] of rows) {
      if (keep.has(id)) continue;
      root.remove();
      rows.delete(id);
    }
    let place = list.firstElementChild;
    for (const message of messages) {
      const row = renderRow(message, answeredBy(message), me);
      divide(row, message, before, mark);
      if (row === place) place = place.nextElementSibling;
      else list.insertBefore(row, place);
      before = message;
    }
    if (!list.contains(document.activeElement)) tabTo(list.lastElementChild);
  }

  /** @param {Message} message @param {Message | undefined} answered @param {string} me */
  function renderRow(message, answered, me) {
    /** @type {Row} */
    const row = rows.get(message.id) ?? createMessage(message.id);
    if (row.shown !== message || row.answered !== answered) row.render(message, { me, answered });
    rows.set(message.id, Object.assign(row, { shown: message, answered }));
    return row.root;
  }

  /** Make this the one row that Tab leads to. @param {Element | null} row */
  function tabTo(row) {
    for (const other of list.querySelectorAll("li[tabindex='0']")) other.setAttribute("tabindex", "-1");
    row?.setAttribute("tabindex", "0");
  }

  list.addEventListener("focusin", ({ target }) => tabTo(rowOf(target)));

  return {
    render,
    /** @param {number} id */
    get: (id) => rows.get(id)?.root,
    clear() {
      rows.clear();
      list.replaceChildren();
    },
  };
}

/**
 * Mark the first message of a day, the first unread one, and those that need no byline of their own. The marks
 * are drawn by the style sheet, so that the live region announces only messages.
 * @param {HTMLElement} row
 * @param {Message} message
 * @param {Message | undefined} before
 * @param {number | null} mark
 */
function divide(row, message, before, mark) {
  const isNewDay = !before || !isSameDay(before.created_at, message.created_at);
  const isUnread = mark !== null && message.id > mark;
  const isFirstUnread = isUnread && (before ? before.id <= mark : message.id === mark + 1);
  if (isNewDay) row.dataset.day = day(message.created_at);
  else delete row.dataset.day;
  row.classList.toggle("first-unread", isFirstUnread);
  row.classList.toggle("follows", !isNewDay && !isFirstUnread && isTogether(before, message));
}

/** @param {Message | undefined} before @param {Message} message */
function isTogether(before, message) {
  if (!before || before.sender !== message.sender || message.reply_to) return false;
  return Date.parse(message.created_at) - Date.parse(before.created_at) < TOGETHER_MS;
}

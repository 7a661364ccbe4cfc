/** The messages of the open room: keeps the scroll position, and loads older ones when scrolled up. */
import { messageOf, roomOf, timelineOf } from "../store.js";
import { seenBy } from "../store/timeline.js";
import { button, listed, part, setText } from "./elements.js";
import { createMessage } from "./message.js";
import { createOutbox } from "./outbox.js";
import { day, isSameDay } from "./times.js";

/** @import {Message, State, Timeline} from "../types.js" */
/** @import {MessageActions} from "./message.js" */

const NEAR_PX = 60;
const EARLY_PX = 400;
const TOGETHER_MS = 5 * 60_000;

/**
 * @param {HTMLElement} root the room view
 * @param {Omit<MessageActions, "goTo"> & {loadOlder: () => Promise<void>, seen: (id: number) => void,
 *   again: (clientId: string) => void, discard: (clientId: string) => void}} actions
 */
export function createTimeline(root, actions) {
  const scroller = part(root, "scroller", HTMLElement);
  const list = part(root, "messages", HTMLElement);
  const newest = button(root, "to-newest");
  const outbox = createOutbox(part(root, "outbox", HTMLElement), actions);
  /** @type {Map<number, ReturnType<typeof createMessage> & {shown: Message, answered?: Message}>} */
  const rows = new Map();
  /** @type {{room: number | null, timeline: Timeline | null, me: string, followed: boolean, last: number}} */
  const shown = { room: null, timeline: null, me: "", followed: true, last: 0 };

  const isNearEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
  const toEnd = () => (scroller.scrollTop = scroller.scrollHeight);

  /** @param {number} id */
  function goTo(id) {
    const row = rows.get(id)?.root;
    row?.scrollIntoView({ block: "center" });
    row?.focus();
  }

  /** Report the last message as seen if the visible page shows the end. */
  function reportSeen() {
    const last = shown.timeline?.messages.at(-1);
    if (last && shown.followed && document.visibilityState === "visible") actions.seen(last.id);
  }

  scroller.addEventListener("scroll", () => {
    shown.followed = isNearEnd();
    if (shown.followed) newest.hidden = true;
    reportSeen();
    if (scroller.scrollTop < EARLY_PX) void actions.loadOlder();
  });
  new ResizeObserver(() => shown.followed && toEnd()).observe(scroller);
  document.addEventListener("visibilitychange", reportSeen);
  newest.addEventListener("click", () => {
    toEnd();
    newest.hidden = true;
  });
  list.addEventListener("keydown", (event) => walk(event, list));

  /** @param {State} state @param {Timeline} timeline */
  function renderRows(state, timeline) {
    const keep = new Set(timeline.messages.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (keep.has(id)) continue;
      row.root.remove();
      rows.delete(id);
    }
    /** @type {Message | undefined} */
    let before;
    let place = list.firstElementChild;
    for (const message of timeline.messages) {
      const row = renderRow(state, message);
      divide(row, message, before, timeline.mark);
      if (row === place) place = place.nextElementSibling;
      else list.insertBefore(row, place);
      before = message;
    }
    for (const row of list.querySelectorAll("[tabindex='0']")) row.setAttribute("tabindex", "-1");
    list.lastElementChild?.setAttribute("tabindex", "0");
  }

  /** @param {State} state @param {Message} message */
  function renderRow(state, message) {
    const answered = message.reply_to ? messageOf(state, message.room_id, message.reply_to) : undefined;
    let row = rows.get(message.id);
    if (row?.shown === message && row.answered === answered) return row.root;
    row ??= { ...createMessage(message, { ...actions, goTo }), shown: message, answered };
    row.render(message, { me: shown.me, answered });
    rows.set(message.id, Object.assign(row, { shown: message, answered }));
    return row.root;
  }

  /** @param {State} state */
  function render(state) {
    const timeline = timelineOf(state, state.current);
    const isOther = state.current !== shown.room;
    const me = state.user?.username ?? "";
    if (isOther) Object.assign(shown, { room: state.current, timeline: null, followed: true, last: 0 });
    if (isOther) rows.clear();
    if (isOther) list.replaceChildren();
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const firstShown = shown.timeline?.messages[0]?.id ?? 0;
    const first = timeline.messages[0]?.id ?? 0;
    const before = shown.timeline;
    const hasChanged = timeline.messages !== before?.messages || timeline.mark !== before.mark;
    Object.assign(shown, { timeline, me });
    // Screen readers announce what is added at the end, not a page of history.
    const isNews = !isOther && firstShown === first;
    if (hasChanged) list.setAttribute("aria-live", isNews ? "polite" : "off");
    if (hasChanged) renderRows(state, timeline);
    const hasSent = outbox(state);
    renderEdges(state, timeline);
    if (shown.followed || hasSent) toEnd();
    else if (first < firstShown) scroller.scrollTop = scroller.scrollHeight - fromEnd;
    else if (hasChanged) offerNewest(timeline);
    if (hasSent) shown.followed = true;
    shown.last = timeline.messages.at(-1)?.id ?? 0;
    reportSeen();
    if (timeline.loaded && scroller.scrollHeight <= scroller.clientHeight) void actions.loadOlder();
  }

  /** @param {Timeline} timeline */
  function offerNewest(timeline) {
    const count = timeline.messages.filter(({ id }) => id > shown.last).length;
    if (!count) return;
    newest.hidden = false;
    setText(newest, "New messages ↓");
  }

  /** @param {State} state @param {Timeline} timeline */
  function renderEdges(state, timeline) {
    const beginning = part(root, "beginning", HTMLElement);
    const isEmpty = timeline.loaded && timeline.messages.length === 0;
    beginning.hidden = !timeline.complete && !isEmpty && !timeline.loading;
    const name = roomOf(state, state.current)?.name ?? "";
    const words = isEmpty ? `No messages in ${name} yet.` : `This is the beginning of ${name}.`;
    setText(beginning, timeline.loading ? "Loading…" : words);
    list.setAttribute("aria-busy", String(timeline.loading));
    const readers = seenBy(timeline, shown.me);
    setText(part(root, "seen", HTMLElement), readers.length ? `Seen by ${listed(readers)}` : "");
  }

  return { render };
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

/**
 * Move the focus between messages with the arrow keys. Tab moves to the buttons of the focused one.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} list
 */
function walk(event, list) {
  const steps = { ArrowUp: -1, ArrowDown: 1 };
  const step = steps[/** @type {"ArrowUp"} */ (event.key)];
  if (!step || !(event.target instanceof HTMLElement)) return;
  const messages = [...list.querySelectorAll(".message")];
  const next = messages[messages.indexOf(/** @type {Element} */ (event.target.closest(".message"))) + step];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}

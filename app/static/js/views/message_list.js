/**
 * The loaded messages of a room, of which only a run is in the DOM. The run moves with the scroll position, and what
 * is visible keeps its place.
 */
import { emptyTimeline, find, indexOf } from "../store/timeline.js";
import { button, part, setText } from "./elements.js";
import { createRows, idOf, rowOf } from "./rows.js";
import { createScroller } from "./scroller.js";
import * as ranges from "./shown_range.js";
import { createTools } from "./tools.js";

/** @import {Message, Timeline} from "../types.js" */
/** @import {ToolActions} from "./tools.js" */

/**
 * @typedef {{me: string, answeredBy: (message: Message) => Message | undefined}} Around
 *
 * What is rendered. While the newest message is visible the list follows: it scrolls with every new one.
 * @typedef {object} Shown
 * @property {Timeline} timeline
 * @property {Around} around
 * @property {ranges.ShownRange} range
 * @property {boolean} follows
 * @property {boolean} hasNews whether messages have arrived that were not visible yet
 */

/** @returns {Shown} */
function nothing() {
  const around = { me: "", answeredBy: () => undefined };
  return { timeline: emptyTimeline(), around, range: ranges.newest(0, 0), follows: true, hasNews: false };
}

/**
 * @param {HTMLElement} root the room view
 * @param {ToolActions & {loadOlder: () => Promise<void>, scrolled: () => void}} actions
 */
export function createMessageList(root, actions) {
  const frame = part(root, "scroller", HTMLElement);
  const log = part(root, "log", HTMLElement);
  const list = part(root, "messages", HTMLElement);
  const toNewest = button(root, "to-newest");
  const scroller = createScroller(frame, list);
  const rows = createRows(list);
  const settleTools = createTools(list, look, actions);
  let shown = nothing();

  const count = () => shown.timeline.messages.length;
  const size = () => ranges.sizeFor(scroller.height());
  const isCut = () => shown.range.to < count();

  /** @param {HTMLElement} row */
  function look(row) {
    const message = find(shown.timeline, idOf(row));
    return message && { message, isMine: message.sender === shown.around.me };
  }

  /** @param {boolean} isNews whether screen readers announce what is added: new messages, but no history */
  function renderRows(isNews) {
    const { timeline, range, around } = shown;
    const hadFocus = list.contains(document.activeElement);
    log.setAttribute("aria-live", isNews ? "polite" : "off");
    const run = timeline.messages.slice(range.from, range.to);
    rows.render(run, timeline.messages[range.from - 1], { ...around, mark: timeline.mark });
    settleTools();
    if (hadFocus && !list.contains(document.activeElement)) log.focus({ preventScroll: true });
  }

  function renderToNewest() {
    const isAway = !shown.follows && (isCut() || shown.hasNews);
    if (isAway) setText(toNewest, shown.hasNews ? "New messages ↓" : "Newest messages ↓");
    toNewest.hidden = !isAway;
  }

  /** @param {ranges.ShownRange} range */
  function move(range) {
    shown.range = range;
    scroller.keepPlace(() => renderRows(false));
    renderToNewest();
  }

  /** Move the run when one of its ends comes near. */
  function slide() {
    if (shown.follows) return;
    if (scroller.isNearStart() && shown.range.from > 0) move(ranges.earlier(shown.range, size()));
    else if (scroller.isNearEnd() && isCut()) move(ranges.later(shown.range, count(), size()));
  }

  /** @param {number} id @returns {HTMLElement | undefined} the row of a message, if it is loaded */
  function reveal(id) {
    if (!find(shown.timeline, id)) return undefined;
    const index = indexOf(shown.timeline.messages, id);
    if (index < shown.range.from || index >= shown.range.to) {
      shown.follows = false;
      move(ranges.around(index, count(), size()));
    }
    return rows.get(id);
  }

  function showNewest() {
    move(ranges.newest(count(), size()));
    scroller.toEnd();
  }

  /**
   * Move the focus between messages with the arrow keys. Tab moves to the buttons of the focused one.
   * @param {KeyboardEvent} event
   */
  function walk(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1 };
    const step = steps[/** @type {"ArrowUp"} */ (event.key)];
    const row = rowOf(event.target);
    if (event.key === "End" && isCut()) return showNewest();
    const { messages } = shown.timeline;
    const next = step && row ? messages[indexOf(messages, idOf(row)) + step] : undefined;
    if (!next) return;
    event.preventDefault();
    reveal(next.id)?.focus();
  }

  /** @param {Event} event a click on a reaction or on the quote of a reply */
  function press({ target }) {
    const pressed = target instanceof HTMLElement ? target.closest("button") : null;
    const row = rowOf(pressed);
    const found = row && look(row);
    if (!pressed || !found) return;
    const { message } = found;
    if (pressed.dataset.emoji) actions.react(message, pressed.dataset.emoji);
    if (pressed.dataset.part === "quote" && message.reply_to) {
      const answered = reveal(message.reply_to);
      answered?.scrollIntoView({ block: "center" });
      answered?.focus();
    }
  }

  frame.addEventListener("scroll", () => {
    shown.follows = scroller.isAtEnd() && !isCut();
    if (shown.follows) shown.hasNews = false;
    renderToNewest();
    slide();
    if (scroller.isNearStart() && shown.range.from === 0) void actions.loadOlder();
    actions.scrolled();
  });
  new ResizeObserver(() => (shown.follows ? scroller.toEnd() : slide())).observe(frame);
  frame.addEventListener("keydown", walk);
  list.addEventListener("click", press);
  toNewest.addEventListener("click", () => {
    showNewest();
    rows.get(shown.timeline.messages.at(-1)?.id ?? 0)?.focus({ preventScroll: true });
  });

  /**
   * @param {Timeline} timeline
   * @param {Around} around
   * @param {{follow: boolean, edges: () => void}} more whether to scroll to the newest message, and what else
   *   changes around the rows
   */
  function render(timeline, around, { follow, edges }) {
    const before = shown;
    const { messages } = timeline;
    const isNews = before.timeline.loaded && !isCut() && startsAlike(before.timeline, timeline);
    const follows = before.follows || follow;
    const range = follows
      ? ranges.newest(messages.length, size())
      : ranges.carried(before.range, before.timeline.messages, messages, size());
    const hasMoved = range.from !== before.range.from || range.to !== before.range.to;
    const hasChanged = messages !== before.timeline.messages || timeline.mark !== before.timeline.mark;
    const newestBefore = before.timeline.messages.at(-1)?.id ?? 0;
    const hasNews = !follows && (before.hasNews || (messages.at(-1)?.id ?? 0) > newestBefore);
    shown = { timeline, around, range, follows, hasNews };
    const change = () => {
      if (hasChanged || hasMoved) renderRows(isNews);
      edges();
    };
    if (follows) change();
    else scroller.keepPlace(change);
    if (follows) scroller.toEnd();
    renderToNewest();
    slide();
    if (timeline.loaded && !scroller.isFull()) void actions.loadOlder();
  }

  return {
    render,
    clear() {
      rows.clear();
      shown = nothing();
    },
    follows: () => shown.follows,
  };
}

/** Whether nothing was added before the messages. @param {Timeline} before @param {Timeline} after */
function startsAlike(before, after) {
  return before.messages.length === 0 || before.messages[0]?.id === after.messages[0]?.id;
}

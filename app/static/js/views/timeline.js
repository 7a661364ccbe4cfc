/** The open room: its messages, what was sent and has not come back, and what is told at both ends. */
import { messageOf, roomOf, timelineOf } from "../store.js";
import { seenBy } from "../store/timeline.js";
import { listed, part, setText } from "./elements.js";
import { createMessageList } from "./message_list.js";
import { createOutbox } from "./outbox.js";

/** @import {Message, State, Timeline} from "../types.js" */
/** @import {ToolActions} from "./tools.js" */

/**
 * @param {HTMLElement} root the room view
 * @param {ToolActions & {loadOlder: () => Promise<void>, seen: (id: number) => void,
 *   again: (clientId: string) => void, discard: (clientId: string) => void}} actions
 */
export function createTimeline(root, actions) {
  const log = part(root, "log", HTMLElement);
  const list = createMessageList(root, { ...actions, scrolled: reportSeen });
  const outbox = createOutbox(part(root, "outbox", HTMLElement), actions);
  /** @type {{room: number | null, last: number}} */
  const shown = { room: null, last: 0 };

  /** Report the last message as seen if the visible page shows the end. */
  function reportSeen() {
    if (shown.last && list.follows() && document.visibilityState === "visible") actions.seen(shown.last);
  }

  document.addEventListener("visibilitychange", reportSeen);

  /** @param {State} state */
  function render(state) {
    const timeline = timelineOf(state, state.current);
    if (state.current !== shown.room) list.clear();
    Object.assign(shown, { room: state.current, last: timeline.messages.at(-1)?.id ?? 0 });
    const me = state.user?.username ?? "";
    const around = {
      me,
      /** @param {Message} message */
      answeredBy: ({ room_id, reply_to }) => (reply_to ? messageOf(state, room_id, reply_to) : undefined),
    };
    const follow = outbox(state);
    list.render(timeline, around, { follow, edges: () => renderEdges(state, timeline, me) });
    reportSeen();
  }

  /** @param {State} state @param {Timeline} timeline @param {string} me */
  function renderEdges(state, timeline, me) {
    const beginning = part(root, "beginning", HTMLElement);
    const isEmpty = timeline.loaded && timeline.messages.length === 0;
    beginning.hidden = !timeline.complete && !isEmpty && !timeline.loading;
    const name = roomOf(state, state.current)?.name ?? "";
    const words = isEmpty ? `No messages in ${name} yet.` : `This is the beginning of ${name}.`;
    setText(beginning, timeline.loading ? "Loading…" : words);
    log.setAttribute("aria-busy", String(timeline.loading));
    const readers = seenBy(timeline, me);
    setText(part(root, "seen", HTMLElement), readers.length ? `Seen by ${listed(readers)}` : "");
  }

  return { render };
}

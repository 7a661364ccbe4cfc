/** What each event of the server changes. */
import { withHistory, withReader } from "./history.js";
import { settled, withAck, withRefusal } from "./outbox.js";
import { withPresence, withTyping, withoutTyping } from "./presence.js";
import { markedRead, withPosition, withSynced } from "./rooms.js";

/** @import {ChatEvent} from "../protocol.d.ts" */
/** @import {Message, State} from "../types.js" */

/**
 * Apply one event of the server.
 * @param {State} state
 * @param {ChatEvent} event
 * @param {number} now milliseconds
 * @returns {State}
 */
export function received(state, event, now) {
  return settled(withPosition(applied(withHistory(state, event), event, now), event));
}

/** @param {State} state @param {ChatEvent} event @param {number} now @returns {State} */
function applied(state, event, now) {
  switch (event.type) {
    case "message":
      return withAuthor(state, event);
    case "ack":
      return withAck(state, event);
    case "error":
      return withRefusal(state, event);
    case "typing":
      return withTyping(state, event, now);
    case "read":
      if (event.user !== state.user?.username) return withReader(state, event);
      return markedRead(state, event.room_id, event.id);
    case "synced":
      return withSynced(state, event);
    case "presence":
      return withPresence(state, event);
    default:
      return state;
  }
}

/**
 * The author of a message is no longer typing, and has read the room up to it.
 * @param {State} state
 * @param {Message} message
 */
function withAuthor(state, { room_id, sender, id }) {
  const still = withoutTyping(state, room_id, sender);
  return sender === state.user?.username ? markedRead(still, room_id, id) : still;
}

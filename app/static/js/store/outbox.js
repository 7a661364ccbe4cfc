/** Reducers of the outbox: messages that were sent and have not come back as events. */
import { timelineOf } from "./state.js";

/** @import {EventMap} from "../protocol.d.ts" */
/** @import {Pending, State} from "../types.js" */

/** @param {State} state @param {Pending} pending @returns {State} */
export function sendQueued(state, pending) {
  return { ...state, outbox: [...state.outbox, pending], problem: "" };
}

/** @param {State} state @param {string} clientId @returns {State} */
export function sendForgotten(state, clientId) {
  return { ...state, outbox: state.outbox.filter(({ client_id }) => client_id !== clientId) };
}

/** @param {State} state @param {EventMap["ack"]} event @returns {State} */
export function withAck(state, event) {
  return withPending(state, event.client_id ?? event.ref, { acked: true });
}

/** @param {State} state @param {EventMap["error"]} event @returns {State} */
export function withRefusal(state, event) {
  const clientId = event.client_id ?? event.ref;
  const isMine = state.outbox.some(({ client_id }) => client_id === clientId);
  return isMine ? withPending(state, clientId, { error: event.detail }) : { ...state, problem: event.detail };
}

/** Drop what has arrived in a timeline. @param {State} state @returns {State} */
export function settled(state) {
  if (!state.outbox.length) return state;
  const me = state.user?.username;
  const outbox = state.outbox.filter(({ client_id, room_id }) => {
    const { messages } = timelineOf(state, room_id);
    return !messages.some((message) => message.client_id === client_id && message.sender === me);
  });
  return outbox.length === state.outbox.length ? state : { ...state, outbox };
}

/**
 * @param {State} state
 * @param {string | number | undefined} clientId
 * @param {Partial<Pending>} more
 * @returns {State}
 */
function withPending(state, clientId, more) {
  const outbox = state.outbox.map((each) => (each.client_id === clientId ? { ...each, ...more } : each));
  return { ...state, outbox };
}

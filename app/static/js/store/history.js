/** Reducers of the timelines: pages of history, and events that change their messages. */
import { settled } from "./outbox.js";
import { timelineOf } from "./state.js";
import { withEvent, withPage, withRead } from "./timeline.js";

/** @import {ChatEvent, EventMap} from "../protocol.d.ts" */
/** @import {Message, State, Timeline} from "../types.js" */

/**
 * Note that a page is on its way. Changes that arrive before it are kept for it.
 * @param {State} state
 * @param {number} id
 * @returns {State}
 */
export function historyAsked(state, id) {
  return withTimeline(state, id, { ...timelineOf(state, id), loading: true });
}

/** @param {State} state @param {number} id @returns {State} */
export function historyFailed(state, id) {
  return withTimeline(state, id, { ...timelineOf(state, id), loading: false, strays: [] });
}

/** @param {State} state @param {number} id @param {Message[]} page @returns {State} */
export function historyLoaded(state, id, page) {
  return settled(withTimeline(state, id, withPage(timelineOf(state, id), page)));
}

/**
 * Drop the messages of a room after a truncated catch-up: there may be holes between them.
 * @param {State} state
 * @param {number} id
 * @returns {State}
 */
export function historyDropped(state, id) {
  return withTimeline(state, id, { ...timelineOf(state, id), messages: [], complete: false, loaded: false });
}

/** The timeline of the event's room, if it is held. @param {State} state @param {ChatEvent} event */
export function withHistory(state, event) {
  const id = "room_id" in event ? event.room_id : undefined;
  const held = id === undefined ? undefined : state.timelines[id];
  return id === undefined || !held ? state : withTimeline(state, id, withEvent(held, event));
}

/** The read mark of another user. @param {State} state @param {EventMap["read"]} event @returns {State} */
export function withReader(state, { room_id, user, id }) {
  return withTimeline(state, room_id, withRead(timelineOf(state, room_id), user, id));
}

/** @param {State} state @param {number} id @param {Timeline} timeline @returns {State} */
export function withTimeline(state, id, timeline) {
  if (state.timelines[id] === timeline) return state;
  return { ...state, timelines: { ...state.timelines, [id]: timeline } };
}

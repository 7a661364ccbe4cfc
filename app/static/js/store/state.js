/** The initial state, and questions that a state answers. */
import { emptyLog } from "./frame_log.js";
import { emptyTimeline, find } from "./timeline.js";

/** @import {State} from "../types.js" */

/** @returns {State} */
export function emptyState() {
  return {
    user: null,
    connection: { phase: "signed-out", retryAt: 0, reason: "" },
    rooms: [],
    current: null,
    timelines: {},
    presence: {},
    typing: {},
    outbox: [],
    frames: emptyLog(),
    problem: "",
  };
}

/** @param {State} state @param {number | null} id */
export function roomOf(state, id) {
  return state.rooms.find((room) => room.id === id);
}

/** @param {State} state @param {number | null} id */
export function timelineOf(state, id) {
  return state.timelines[id ?? 0] ?? emptyTimeline();
}

/** @param {State} state @param {number} roomId @param {number} id */
export function messageOf(state, roomId, id) {
  return find(timelineOf(state, roomId), id);
}

/**
 * The other users who are typing in a room.
 * @param {State} state
 * @param {number | null} id
 * @returns {string[]}
 */
export function typingIn(state, id) {
  return Object.keys(state.typing[id ?? 0] ?? {}).filter((user) => user !== state.user?.username);
}

/** @param {State} state */
export function unreadTotal(state) {
  return state.rooms.reduce((sum, room) => sum + room.unread_count, 0);
}

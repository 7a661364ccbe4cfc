/** Reducers of the rooms: the list, the open one, and the numbers of each. */
import { positionAfter } from "../socket/position.js";
import { withTimeline } from "./history.js";
import { roomOf, timelineOf } from "./state.js";

/** @import {ChatEvent, EventMap} from "../protocol.d.ts" */
/** @import {Room, State} from "../types.js" */

/**
 * Take in a list of rooms, which may be older than events that have already arrived.
 * @param {State} state
 * @param {Room[]} rooms
 * @returns {State}
 */
export function roomsLoaded(state, rooms) {
  const fresh = rooms.map((room) => {
    const held = roomOf(state, room.id);
    return held && held.last_seq >= room.last_seq && held.role !== null ? held : room;
  });
  return { ...state, rooms: fresh.toSorted((a, b) => a.id - b.id) };
}

/** @param {State} state @param {Room} room @returns {State} */
export function roomLoaded(state, room) {
  const rooms = [...state.rooms.filter(({ id }) => id !== room.id), room];
  return { ...state, rooms: rooms.toSorted((a, b) => a.id - b.id) };
}

/** @param {State} state @param {number} id @returns {State} */
export function roomOpened(state, id) {
  const room = roomOf(state, id);
  const mark = room?.unread_count ? room.last_read_id : null;
  return { ...withTimeline(state, id, { ...timelineOf(state, id), mark }), current: id, problem: "" };
}

/** @param {State} state @param {number} roomId @param {number} id @returns {State} */
export function markedRead(state, roomId, id) {
  const room = roomOf(state, roomId);
  if (!room || (room.last_read_id ?? 0) >= id) return state;
  return withRoom(state, { ...room, last_read_id: id });
}

/** @param {State} state @param {EventMap["synced"]} event @returns {State} */
export function withSynced(state, event) {
  const room = roomOf(state, event.room_id);
  if (!room) return state;
  const last_message_id = Math.max(room.last_message_id, event.last_message_id);
  const last_read_id = Math.max(room.last_read_id ?? 0, event.last_read_id);
  const unread_count = room.role === null ? last_message_id - last_read_id : room.unread_count;
  return withRoom(state, { ...room, last_message_id, last_read_id, unread_count, role: room.role ?? "member" });
}

/** The newest numbers of a room, taken from an event. @param {State} state @param {ChatEvent} event */
export function withPosition(state, event) {
  const position = positionAfter(event);
  const room = position && roomOf(state, position.roomId);
  if (!room) return state;
  const last_seq = Math.max(room.last_seq, position.seq);
  const last_message_id = Math.max(room.last_message_id, event.type === "message" ? event.id : 0);
  const isNew = position.seq > room.last_seq;
  const isGone = isNew && event.type === "message.deleted" && event.id > (room.last_read_id ?? 0);
  return withRoom(state, { ...room, last_seq, last_message_id, unread_count: room.unread_count - Number(isGone) });
}

/**
 * Replace a room. New messages are unread, and no more are than lie above the read receipt; those that were deleted
 * there are missing from the count that the server gave.
 * @param {State} state
 * @param {Room} room
 * @returns {State}
 */
function withRoom(state, room) {
  const added = room.last_message_id - (roomOf(state, room.id)?.last_message_id ?? 0);
  const above = room.last_message_id - (room.last_read_id ?? 0);
  const counted = { ...room, unread_count: Math.max(0, Math.min(room.unread_count + added, above)) };
  return { ...state, rooms: state.rooms.map((each) => (each.id === room.id ? counted : each)) };
}

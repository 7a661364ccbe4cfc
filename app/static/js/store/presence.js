/** Reducers of presence and typing: who is in a room, and who is writing in it. */

/** @import {EventMap} from "../protocol.d.ts" */
/** @import {State} from "../types.js" */

const TYPING_SHOWN_MS = 7_000;

/** @param {State} state @param {number} id @param {string[]} users @returns {State} */
export function presenceLoaded(state, id, users, count = users.length) {
  return { ...state, presence: { ...state.presence, [id]: { users: users.toSorted(), count } } };
}

/** @param {State} state @param {EventMap["presence"]} event @returns {State} */
export function withPresence(state, { room_id, count, online = [], offline = [] }) {
  const users = new Set([...(state.presence[room_id]?.users ?? []), ...online]);
  for (const user of offline) users.delete(user);
  return presenceLoaded(state, room_id, [...users], count);
}

/** @param {State} state @param {EventMap["typing"]} event @param {number} now @returns {State} */
export function withTyping(state, { room_id, user }, now) {
  const users = { ...state.typing[room_id], [user]: now + TYPING_SHOWN_MS };
  return { ...state, typing: { ...state.typing, [room_id]: users } };
}

/** @param {State} state @param {number} id @param {string} user @returns {State} */
export function withoutTyping(state, id, user) {
  const { [user]: _, ...others } = state.typing[id] ?? {};
  return { ...state, typing: { ...state.typing, [id]: others } };
}

/**
 * Expire `typing`, whose end no event announces.
 * @param {State} state
 * @param {number} now
 * @returns {State}
 */
export function ticked(state, now) {
  /** @type {State["typing"]} */
  const typing = {};
  for (const [id, users] of Object.entries(state.typing)) {
    const left = Object.entries(users).filter(([, until]) => until > now);
    if (left.length) typing[Number(id)] = Object.fromEntries(left);
  }
  return { ...state, typing };
}

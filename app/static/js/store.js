/**
 * What one pane knows, and how each thing that happens changes it. Pure: no DOM, no network, no clock;
 * every function takes a state and returns the next one, sharing what did not change.
 */
import { emptyLog } from "./framelog.js";
import { emptyTimeline, find, withEvent, withPage, withRead } from "./timeline.js";

/** @import {ChatEvent, Connection, FrameLog, Message} from "./types.js" */
/** @import {Pending, Room, Timeline, User} from "./types.js" */

export const TYPING_SHOWN_MS = 7_000;

/**
 * @typedef {object} State
 * @property {User | null} user
 * @property {Connection} connection
 * @property {Room[]} rooms
 * @property {number | null} current the room that is open
 * @property {Record<number, Timeline>} timelines
 * @property {Record<number, {users: string[], count: number}>} presence
 * @property {Record<number, Record<string, number>>} typing user → when it ends
 * @property {Pending[]} outbox
 * @property {FrameLog} frames
 * @property {string} problem the last thing that went wrong, in words
 */

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

/** @param {State} state @param {User} user @returns {State} */
export function signedIn(state, user) {
  return { ...state, user, problem: "" };
}

/** Forgets everything but the log of frames. @param {State} state @returns {State} */
export function signedOut(state, problem = "") {
  return { ...emptyState(), frames: state.frames, problem };
}

/** @param {State} state @param {Connection} connection @returns {State} */
export function connectionChanged(state, connection) {
  const lost = connection.phase === "waiting" ? { typing: {}, presence: {} } : {};
  return { ...state, ...lost, connection };
}

/** @param {State} state @param {string} problem @returns {State} */
export function wentWrong(state, problem) {
  return { ...state, problem };
}

/**
 * A list may have been read before events that have already arrived.
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
  const timeline = state.timelines[id] ?? emptyTimeline();
  return { ...withTimeline(state, id, { ...timeline, mark }), current: id, problem: "" };
}

/**
 * A page is asked for; changes that arrive before it are kept for it.
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

/** @param {State} state @param {number} id @param {Message[]} page @param {number} limit @returns {State} */
export function historyLoaded(state, id, page, limit) {
  return settled(withTimeline(state, id, withPage(timelineOf(state, id), page, limit)));
}

/**
 * Too much was missed to replay it: what is held may have holes, so it goes.
 * @param {State} state
 * @param {number} id
 * @returns {State}
 */
export function historyDropped(state, id) {
  return withTimeline(state, id, { ...timelineOf(state, id), messages: [], complete: false, loaded: false });
}

/** @param {State} state @param {number} id @param {string[]} users @returns {State} */
export function presenceLoaded(state, id, users, count = users.length) {
  return { ...state, presence: { ...state.presence, [id]: { users: users.toSorted(), count } } };
}

/** @param {State} state @param {Partial<FrameLog>} more @returns {State} */
export function framesChanged(state, more) {
  return { ...state, frames: { ...state.frames, ...more } };
}

/** @param {State} state @param {Pending} pending @returns {State} */
export function sendQueued(state, pending) {
  return { ...state, outbox: [...state.outbox, pending], problem: "" };
}

/** @param {State} state @param {string} clientId @returns {State} */
export function sendForgotten(state, clientId) {
  return { ...state, outbox: state.outbox.filter(({ client_id }) => client_id !== clientId) };
}

/** @param {State} state @param {number} roomId @param {number} id @returns {State} */
export function markedRead(state, roomId, id) {
  const room = roomOf(state, roomId);
  if (!room || (room.last_read_id ?? 0) >= id) return state;
  return withRoom(state, { ...room, last_read_id: id });
}

/** Typing ends by itself. @param {State} state @param {number} now @returns {State} */
export function ticked(state, now) {
  /** @type {State["typing"]} */
  const typing = {};
  for (const [id, users] of Object.entries(state.typing)) {
    const left = Object.entries(users).filter(([, until]) => until > now);
    if (left.length) typing[Number(id)] = Object.fromEntries(left);
  }
  return { ...state, typing };
}

/** @type {Record<string, (state: State, event: ChatEvent & {room_id: number}, now: number) => State>} */
const EVENTS = {
  message: onMessage,
  ack: (state, event) => withPending(state, event.client_id ?? event.ref, { acked: true }),
  error: (state, event) => {
    const clientId = event.client_id ?? event.ref;
    const isMine = state.outbox.some(({ client_id }) => client_id === clientId);
    return isMine ? withPending(state, clientId, { error: event.detail }) : wentWrong(state, event.detail);
  },
  typing: (state, event, now) => withTyping(state, event.room_id, event.user, now + TYPING_SHOWN_MS),
  read: (state, event) => {
    if (event.user === state.user?.username) return markedRead(state, event.room_id, event.id);
    const timeline = timelineOf(state, event.room_id);
    return withTimeline(state, event.room_id, withRead(timeline, event.user, event.id));
  },
  synced: (state, event) => {
    const room = roomOf(state, event.room_id);
    if (!room) return state;
    const last_message_id = Math.max(room.last_message_id, event.last_message_id);
    const last_read_id = Math.max(room.last_read_id ?? 0, event.last_read_id);
    return withRoom(state, { ...room, last_message_id, last_read_id, role: room.role ?? "member" });
  },
  presence: (state, { room_id, count, online = [], offline = [] }) => {
    const users = new Set([...(state.presence[room_id]?.users ?? []), ...online]);
    for (const user of offline) users.delete(user);
    return presenceLoaded(state, room_id, [...users], count);
  },
};

/**
 * Takes in one event of the server.
 * @param {State} state @param {ChatEvent} event @param {number} now milliseconds @returns {State}
 */
export function received(state, event, now) {
  const id = event.room_id ?? 0;
  const held = state.timelines[id];
  const after = held ? withTimeline(state, id, withEvent(held, event)) : state;
  const taken = EVENTS[event.type]?.(after, { ...event, room_id: id }, now) ?? after;
  return settled(withHead(taken, id, event));
}

/** @type {(typeof EVENTS)[string]} */
function onMessage(state, event) {
  const still = withTyping(state, event.room_id, event.sender, 0);
  const mine = event.sender === state.user?.username;
  return mine ? markedRead(still, event.room_id, event.id) : still;
}

/**
 * The newest numbers of a room, as its events tell them.
 * @param {State} state
 * @param {number} id
 * @param {ChatEvent} event
 */
function withHead(state, id, event) {
  const room = roomOf(state, id);
  if (!room || event.seq === undefined || event.truncated) return state;
  const last_seq = Math.max(room.last_seq, event.changed_seq ?? event.seq);
  const last_message_id = Math.max(room.last_message_id, event.type === "message" ? event.id : 0);
  return withRoom(state, { ...room, last_seq, last_message_id });
}

/** @param {State} state @param {Room} room @returns {State} */
function withRoom(state, room) {
  const counted = { ...room, unread_count: Math.max(0, room.last_message_id - (room.last_read_id ?? 0)) };
  return { ...state, rooms: state.rooms.map((each) => (each.id === room.id ? counted : each)) };
}

/** @param {State} state @param {number} id @param {Timeline} timeline @returns {State} */
function withTimeline(state, id, timeline) {
  if (state.timelines[id] === timeline) return state;
  return { ...state, timelines: { ...state.timelines, [id]: timeline } };
}

/**
 * @param {State} state
 * @param {string | undefined} clientId
 * @param {Partial<Pending>} more
 * @returns {State}
 */
function withPending(state, clientId, more) {
  const outbox = state.outbox.map((each) => (each.client_id === clientId ? { ...each, ...more } : each));
  return { ...state, outbox };
}

/** @param {State} state @param {number} id @param {string} user @param {number} until @returns {State} */
function withTyping(state, id, user, until) {
  const { [user]: _, ...others } = state.typing[id] ?? {};
  return { ...state, typing: { ...state.typing, [id]: until ? { ...others, [user]: until } : others } };
}

/** What is in a timeline need not be shown as pending as well. @param {State} state @returns {State} */
function settled(state) {
  if (!state.outbox.length) return state;
  const me = state.user?.username;
  const outbox = state.outbox.filter(({ client_id, room_id }) => {
    const { messages } = timelineOf(state, room_id);
    return !messages.some((message) => message.client_id === client_id && message.sender === me);
  });
  return outbox.length === state.outbox.length ? state : { ...state, outbox };
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

/** @param {State} state @param {number | null} id @returns {string[]} */
export function typingIn(state, id) {
  return Object.keys(state.typing[id ?? 0] ?? {}).filter((user) => user !== state.user?.username);
}

/** @param {State} state */
export function unreadTotal(state) {
  return state.rooms.reduce((sum, room) => sum + room.unread_count, 0);
}

/**
 * Shapes shared by the client, the store and the views. Those of the protocol are in `protocol.d.ts`.
 */
/** @import {EventMap} from "./protocol.d.ts" */

/**
 * The same object on the socket and over REST.
 * @typedef {EventMap["message"]} Message
 * @typedef {NonNullable<Message["reactions"]>[number]} Reaction
 *
 * Events that change the messages of a room.
 * @typedef {EventMap["message" | "message.updated" | "message.deleted" | "reaction"]} MessageChange
 *
 * @typedef {object} Room
 * @property {number} id
 * @property {string} name
 * @property {string} created_at
 * @property {number} last_message_id
 * @property {number | null} last_read_id
 * @property {string | null} role null for a room that the user has not joined
 * @property {number} last_seq
 * @property {string} epoch
 * @property {number} unread_count
 *
 * @typedef {{id: number, username: string}} User
 * @typedef {{username: string, password: string}} Credentials
 * @typedef {{access_token: string, refresh_token: string, expires_in: number}} Tokens
 *
 * @typedef {"in" | "out" | "note"} Direction
 * @typedef {{number: number, at: number, direction: Direction, text: string}} Frame
 * @typedef {{entries: Frame[], paused: boolean, total: number}} FrameLog
 *
 * A message that this client has sent and that has not come back as an event.
 * @typedef {object} Pending
 * @property {string} client_id
 * @property {number} room_id
 * @property {string} content
 * @property {number} [reply_to]
 * @property {number} sent_at
 * @property {boolean} acked stored by the server; only its event is missing
 * @property {string} [error] why the server refused it
 *
 * @typedef {object} Timeline
 * @property {Message[]} messages ascending by id, each once
 * @property {boolean} loaded whether the first page has arrived
 * @property {boolean} loading whether a page is on its way
 * @property {boolean} complete whether nothing older exists
 * @property {MessageChange[]} strays changes that arrived before the page with their message
 * @property {number | null} mark the last message read when the room was opened, if there were unread ones
 * @property {Record<string, number>} reads the read marks of the other users
 *
 * @typedef {"signed-out" | "connecting" | "online" | "waiting"} Phase
 * @typedef {{phase: Phase, retryAt: number, reason: string}} ConnectionState
 *
 * Everything that one pane shows.
 * @typedef {object} State
 * @property {User | null} user
 * @property {ConnectionState} connection
 * @property {Room[]} rooms ascending by id
 * @property {number | null} current the open room
 * @property {Record<number, Timeline>} timelines by room
 * @property {Record<number, {users: string[], count: number}>} presence by room
 * @property {Record<number, Record<string, number>>} typing by room and user: when it expires
 * @property {Pending[]} outbox
 * @property {FrameLog} frames
 * @property {string} problem the last error, as a sentence
 */
export {};

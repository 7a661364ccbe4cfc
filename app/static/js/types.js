/**
 * The shapes that travel between the server, the store and the views.
 *
 * @typedef {{emoji: string, users: string[]}} Reaction
 *
 * @typedef {object} Message
 * @property {"message"} type
 * @property {number} id within its room, without gaps
 * @property {number} room_id
 * @property {number} seq the place of its sending in the room's history
 * @property {string} sender
 * @property {number | null} [sender_id]
 * @property {string} message
 * @property {string} timestamp whole seconds, UTC, no zone
 * @property {string} created_at RFC 3339
 * @property {string | null} [client_id]
 * @property {number} [changed_seq] the place of its last change in the room's history
 * @property {string | null} [edited_at]
 * @property {string | null} [deleted_at]
 * @property {number | null} [reply_to]
 * @property {Reaction[]} [reactions]
 *
 * @typedef {object} Room
 * @property {number} id
 * @property {string} name
 * @property {string} created_at
 * @property {number} last_message_id
 * @property {number | null} last_read_id
 * @property {string | null} role null until one has joined
 * @property {number} last_seq
 * @property {number} unread_count
 *
 * @typedef {{id: number, username: string}} User
 * @typedef {{username: string, password: string}} Account
 * @typedef {{access_token: string, refresh_token: string, expires_in: number}} Tokens
 *
 * @typedef {{type: string, room_id?: number, seq?: number, ref?: string | number} & Record<string, any>} ChatEvent
 * @typedef {{type: string, ref?: string, room_id?: number, client_id?: string}
 *   & Record<string, unknown>} Command
 *
 * @typedef {"in" | "out" | "note"} Direction
 * @typedef {{number: number, at: number, direction: Direction, text: string}} Frame
 * @typedef {{entries: Frame[], paused: boolean, total: number}} FrameLog
 *
 * A message that this client has sent and the server has not yet shown to it.
 * @typedef {object} Pending
 * @property {string} client_id
 * @property {number} room_id
 * @property {string} content
 * @property {number} [reply_to]
 * @property {number} sent_at
 * @property {boolean} acked stored by the server; only its event is awaited
 * @property {string} [error] why the server refused it
 *
 * @typedef {object} Timeline
 * @property {Message[]} messages by id, each once
 * @property {boolean} loaded a first page is here
 * @property {boolean} loading an older page is on its way
 * @property {boolean} complete nothing older exists
 * @property {ChatEvent[]} strays changes that arrived while the page holding their message was on its way
 * @property {number | null} mark up to where it had been read when it was opened with something unread
 * @property {Record<string, number>} reads how far everyone else has read
 *
 * @typedef {"signed-out" | "connecting" | "online" | "waiting"} Phase
 * @typedef {{phase: Phase, retryAt: number, reason: string}} Connection
 */
export {};

/**
 * The socket protocol: commands, which a client sends, and events, which the server sends. Generated from the
 * AsyncAPI document by `make protocol`; do not edit.
 */

/** Add one emoji to a message. Adding it again changes nothing. Joins the room if necessary. */
export interface AddReaction {
  type: "reaction.add";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
  emoji: string;
}

/** Delete a message. It keeps its id and loses its text. */
export interface DeleteMessage {
  type: "message.delete";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
}

/** Change your own message, within a day. The same text changes nothing. */
export interface EditMessage {
  type: "message.edit";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
  content: string;
}

/** Answered by `pong`. */
export interface Ping {
  type: "ping";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
}

/**
 * Mark everything up to this message as read. The receipt never moves backward. Joins the room if necessary.
 */
export interface Read {
  type: "read";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
}

/** Remove your own emoji. If there is none, nothing changes. */
export interface RemoveReaction {
  type: "reaction.remove";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
  emoji: string;
}

/** Continue the connection with a fresh access token of the same session. */
export interface Renew {
  type: "auth";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  token: string;
}

/** Send a message. Joins the room if necessary. Answered by `ack` if there is a `ref` or a `client_id`. */
export interface SendMessage {
  type: "message";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  content: string;
  /** The client's own name for the message. Sent again under the same name, it is stored once. */
  client_id?: string | null;
  /** The id of a message in the same room. */
  reply_to?: number | null;
}

/** Start listening to a room, from `since` or from now. Joins it if necessary. Answered by `synced`. */
export interface Subscribe {
  type: "subscribe";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  /** The last `seq` of the room that the client has. */
  since?: number | null;
  /**
   * The epoch of `since`. Without it, a history that went backward is noticed only where `since` lies ahead
   * of it.
   */
  epoch?: string | null;
}

/**
 * Tell the other listeners that the user is typing. Repeat it at most every 3 seconds; they show it for 7.
 */
export interface Typing {
  type: "typing";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
}

/** Stop listening to a room. The user remains a member. */
export interface Unsubscribe {
  type: "unsubscribe";
  /** The client's own label for this command; the answer repeats it. */
  ref?: string | number | null;
  /** Optional on `/ws/chat/{room_id}`. */
  room_id?: number | null;
}

/** A command succeeded, and its change is on disk. */
export interface Ack {
  type: "ack";
  ref?: string | number;
  room_id?: number;
  /** The message; after `read`, the last message that is read now, or 0 in a room without messages. */
  id?: number;
  /** The number of the change. */
  seq?: number;
  client_id?: string;
  created_at?: string;
  /** Whether the message was already stored: this was a retry. */
  duplicate?: boolean;
  /** After `auth`: when the new token expires. */
  expires_at?: string;
}

/** A command failed. The connection stays open. */
export interface Error {
  type: "error";
  /** For programs; never changes. */
  code: string;
  /** For people. */
  detail: string;
  /** Nothing was stored, and the same command can succeed after this many seconds. */
  retry_after?: number;
  ref?: string | number;
  client_id?: string;
}

/**
 * The server is shutting down, or its data were put back: reconnect after this many milliseconds, with
 * `since`.
 */
export interface Goodbye {
  type: "goodbye";
  reconnect_after_ms: number;
}

/** A user is a member of the room from now on, connected or not. */
export interface MemberJoined {
  type: "member.joined";
  room_id: number;
  seq: number;
  user: string;
  user_id: number;
  role: string;
}

/** A message was deleted. It keeps its id; its text and reactions are gone. */
export interface MessageDeleted {
  type: "message.deleted";
  room_id: number;
  id: number;
  seq: number;
  deleted_at: string;
}

/** A message. Keys after `client_id` are present only if they have a value. */
export interface MessageOut {
  type: "message";
  id: number;
  room_id: number;
  /** The room's change that created the message. */
  seq: number;
  sender: string;
  sender_id: number;
  /** The text; empty once the message is deleted. */
  message: string;
  /** UTC. */
  timestamp: string;
  /** The same moment, to the millisecond. */
  created_at: string;
  /** The sender's own name for the message. */
  client_id: string | null;
  /** The message it replies to. */
  reply_to?: number;
  /** The last change to the message, if it has changed since it was created. */
  changed_seq?: number;
  edited_at?: string;
  deleted_at?: string;
  reactions?: ReactionOut[];
}

/** The current state of a message after an edit (while catching up, also after reactions). */
export interface MessageUpdated {
  type: "message.updated";
  room_id: number;
  id: number;
  seq: number;
  content: string;
  edited_at?: string;
  reactions: ReactionOut[];
}

/** How far a user has read. The user's own other connections receive it too. */
export interface MessagesRead {
  type: "read";
  room_id: number;
  user: string;
  user_id: number;
  id: number;
}

/** The answer to `ping`. */
export interface Pong {
  type: "pong";
  ref?: string | number;
}

/** The users who came and went since the last such event. Above 200 users only `count` is sent. */
export interface Presence {
  type: "presence";
  room_id: number;
  count: number;
  online?: string[];
  offline?: string[];
}

/** A user added an emoji to a message, or removed it. */
export interface ReactionChanged {
  type: "reaction";
  room_id: number;
  id: number;
  seq: number;
  emoji: string;
  user: string;
  action: "add" | "remove";
  /** The users of this emoji on the message, now. */
  count: number;
}

/** One emoji on a message. */
export interface ReactionOut {
  emoji: string;
  /** The first 100 users, in the order they reacted; fewer if a message carries very many long names. */
  users: string[];
  /** All users, also those that `users` leaves out. */
  count: number;
}

/** The connection is open. On `/ws/chat/{room_id}` it includes the position of the room. */
export interface Ready {
  type: "ready";
  user: UserOut;
  session_id: string;
  /** When the token expires; the connection is closed then, unless `auth` renews it. */
  expires_at: string;
  /** The commands that this server knows, and the optional keys of each, as `message:reply_to`. */
  features: string[];
  room_id?: number;
  /** The room's last change. */
  seq?: number;
  /** The epoch of these numbers: hand it back together with `since`. */
  epoch?: string;
  last_message_id?: number;
  /** The last message that this user has read. */
  last_read_id?: number;
}

/** Everything up to `seq` has been sent, or nothing if `truncated`: then reload the history over REST. */
export interface Synced {
  type: "synced";
  room_id: number;
  seq: number;
  /** The epoch of `seq`: hand it back together with `since`. */
  epoch: string;
  last_message_id: number;
  last_read_id: number;
  truncated: boolean;
  ref?: string | number;
}

/** A user, without secrets. */
export interface UserOut {
  id: number;
  username: string;
  created_at: string;
}

/** A user is typing: show it for 7 seconds. The user who types does not receive it. */
export interface UserTyping {
  type: "typing";
  room_id: number;
  user: string;
  user_id: number;
}

/** Commands by their `type`. */
export interface CommandMap {
  message: SendMessage;
  "message.edit": EditMessage;
  "message.delete": DeleteMessage;
  "reaction.add": AddReaction;
  "reaction.remove": RemoveReaction;
  typing: Typing;
  read: Read;
  subscribe: Subscribe;
  unsubscribe: Unsubscribe;
  auth: Renew;
  ping: Ping;
}

/** Events by their `type`. */
export interface EventMap {
  ready: Ready;
  message: MessageOut;
  "message.updated": MessageUpdated;
  "message.deleted": MessageDeleted;
  reaction: ReactionChanged;
  "member.joined": MemberJoined;
  typing: UserTyping;
  read: MessagesRead;
  presence: Presence;
  synced: Synced;
  ack: Ack;
  pong: Pong;
  error: Error;
  goodbye: Goodbye;
}

export type Command = CommandMap[keyof CommandMap];
export type ChatEvent = EventMap[keyof EventMap];

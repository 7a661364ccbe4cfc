/**
 * The socket protocol: commands, which a client sends, and events, which the server sends. Generated from the
 * AsyncAPI document by `make protocol`; do not edit.
 */

/** Put an emoji under a message. A second time changes nothing. */
export interface AddReaction {
  type: "reaction.add";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
  emoji: string;
}

/** Take back a message; its number stays, its text goes. */
export interface DeleteMessage {
  type: "message.delete";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
}

/** Change one's own message within a day. */
export interface EditMessage {
  type: "message.edit";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
  content: string;
}

/** Answered by `pong`. */
export interface Ping {
  type: "ping";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
}

/** Everything up to this message is read. The mark never goes back. */
export interface Read {
  type: "read";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
}

/** Take one's emoji back. */
export interface RemoveReaction {
  type: "reaction.remove";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  id: number;
  emoji: string;
}

/** A fresh access token for this connection, of the same login. */
export interface Renew {
  type: "auth";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  token: string;
}

/** Say something. Answered by `ack` when there is a `ref` or a `client_id`. */
export interface SendMessage {
  type: "message";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  content: string;
  /** The client's own name for the message. Sent again under it, the message is stored once. */
  client_id?: string | null;
  /** The id of a message in the same room. */
  reply_to?: number | null;
}

/** Hear a room, from `since` on or from now. An open room is joined on the way. Answered by `synced`. */
export interface Subscribe {
  type: "subscribe";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
  /** The last `seq` of the room that the client has. */
  since?: number | null;
}

/** Repeat every 3 seconds at most; others show it for 7. */
export interface Typing {
  type: "typing";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
}

/** Hear a room no more. */
export interface Unsubscribe {
  type: "unsubscribe";
  /** What the client calls this command; the answer repeats it. */
  ref?: string | number | null;
  /** May be left out on `/ws/chat/{room_id}`. */
  room_id?: number | null;
}

/** A command was carried out, and what it changed is on disk. */
export interface Ack {
  type: "ack";
  ref?: string | number;
  room_id?: number;
  /** The message; after `read`, where the mark is now, which is 0 in a room without messages. */
  id?: number;
  /** The change of the room. */
  seq?: number;
  client_id?: string;
  created_at?: string;
  /** Whether the message was there before: this was a retry. */
  duplicate?: boolean;
  /** After `auth`: when the new token ends. */
  expires_at?: string;
}

/** A command was not carried out. The connection stays open. */
export interface Error {
  type: "error";
  /** For programs; never changes. */
  code: string;
  /** For people. */
  detail: string;
  ref?: string | number;
  client_id?: string;
}

/** The server goes away; come back after this long, with `since`. */
export interface Goodbye {
  type: "goodbye";
  reconnect_after_ms: number;
}

/** Somebody is in the room from now on, whether connected or not. */
export interface MemberJoined {
  type: "member.joined";
  room_id: number;
  seq: number;
  user: string;
  user_id: number;
  role: string;
}

/** A message was taken back: its number stays, its text and reactions are gone. */
export interface MessageDeleted {
  type: "message.deleted";
  room_id: number;
  id: number;
  seq: number;
  deleted_at: string;
}

/** A message. Keys after `client_id` are there only when they say something. */
export interface MessageOut {
  type: "message";
  id: number;
  room_id: number;
  /** The change of the room that made it. */
  seq: number;
  sender: string;
  sender_id: number;
  /** The text; empty once the message is deleted. */
  message: string;
  /** UTC. */
  timestamp: string;
  /** The same moment, to the millisecond. */
  created_at: string;
  /** What the sender calls it. */
  client_id: string | null;
  /** The message it replies to. */
  reply_to?: number;
  /** The last change that touched it, when that is not the one that made it. */
  changed_seq?: number;
  edited_at?: string;
  deleted_at?: string;
  reactions?: ReactionOut[];
}

/** A message as it is now, after an edit (or, while catching up, after reactions). */
export interface MessageUpdated {
  type: "message.updated";
  room_id: number;
  id: number;
  seq: number;
  content: string;
  edited_at?: string;
  reactions: ReactionOut[];
}

/** How far somebody has read. Their other connections hear it too. */
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

/** Who came and who went since the last such event. Above 200 people only `count` is told. */
export interface Presence {
  type: "presence";
  room_id: number;
  count: number;
  online?: string[];
  offline?: string[];
}

/** Somebody put an emoji under a message, or took it back. */
export interface ReactionChanged {
  type: "reaction";
  room_id: number;
  id: number;
  seq: number;
  emoji: string;
  user: string;
  action: "add" | "remove";
}

export interface ReactionOut {
  emoji: string;
  users: string[];
}

/** The connection is open. On `/ws/chat/{room_id}` also where the room stands. */
export interface Ready {
  type: "ready";
  user: UserOut;
  session_id: string;
  /** When the token ends, and this connection with it unless `auth` renews it. */
  expires_at: string;
  room_id?: number;
  /** The room's last change. */
  seq?: number;
  last_message_id?: number;
  /** Up to where this user has read. */
  last_read_id?: number;
}

/** Everything up to `seq` has been sent. If `truncated`, there was too much: load the history over REST. */
export interface Synced {
  type: "synced";
  room_id: number;
  seq: number;
  last_message_id: number;
  last_read_id: number;
  truncated: boolean;
  ref?: string | number;
}

/** A user, without anything secret. */
export interface UserOut {
  id: number;
  username: string;
  created_at: string;
}

/** Somebody is typing: show it for 7 seconds. Its author does not hear it. */
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

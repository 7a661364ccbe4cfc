/** Messages: sending, editing, deleting, reactions, typing and read marks. */
import { newId } from "../socket.js";
import * as store from "../store.js";

/** @import {ChatSocket} from "../socket.js" */
/** @import {Message} from "../types.js" */
/** @import {Model} from "./model.js" */

export class Messages {
  /** @param {{model: Model, socket: ChatSocket}} parts */
  constructor({ model, socket }) {
    this.model = model;
    this.socket = socket;
  }

  get state() {
    return this.model.state;
  }

  /** Send to the open room. @param {string} content @param {number} [replyTo] */
  send(content, replyTo) {
    const room_id = this.state.current;
    if (room_id === null) return;
    const client_id = newId();
    const pending = { client_id, room_id, content, reply_to: replyTo, sent_at: Date.now(), acked: false };
    this.model.set(store.sendQueued(this.state, pending));
    this.socket.say(room_id, content, { replyTo, clientId: client_id });
  }

  /** Send a refused message again under the same `client_id`. @param {string} clientId */
  resend(clientId) {
    const pending = this.state.outbox.find(({ client_id }) => client_id === clientId);
    if (!pending) return;
    const { error: _, ...again } = pending;
    this.model.set(store.sendQueued(store.sendForgotten(this.state, clientId), again));
    this.socket.say(pending.room_id, pending.content, { replyTo: pending.reply_to, clientId });
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.model.set(store.sendForgotten(this.state, clientId));
  }

  /** @param {Message} message @param {string} content */
  edit(message, content) {
    if (content !== message.message) this.socket.edit(message.room_id, message.id, content);
  }

  /** @param {Message} message */
  delete(message) {
    this.socket.delete(message.room_id, message.id);
  }

  /** Add one's reaction, or remove it. @param {Message} message @param {string} emoji */
  toggleReaction(message, emoji) {
    const users = message.reactions?.find((reaction) => reaction.emoji === emoji)?.users ?? [];
    const isMine = users.includes(this.state.user?.username ?? "");
    this.socket.react(message.room_id, message.id, emoji, isMine ? "remove" : "add");
  }

  /** Tell the open room that a message is being written. */
  typing() {
    if (this.state.current !== null) this.socket.typing(this.state.current);
  }

  /** Mark everything in the open room up to this message as read. @param {number} id */
  markRead(id) {
    const room = store.roomOf(this.state, this.state.current);
    if (!room || (room.last_read_id ?? 0) >= id) return;
    this.model.set(store.markedRead(this.state, room.id, id));
    this.socket.read(room.id, id);
  }
}

/**
 * A connection to the chat that reconnects by itself, loses no message and sends none twice.
 * No DOM and no fetch: it runs in browsers and in Node 22.
 *
 *     const chat = new ChatSocket({ url: "ws://127.0.0.1:8000", token: () => token, onEvent: console.log });
 *     chat.subscribe(1);
 *     chat.open();
 *     chat.say(1, "Hello, world!");
 */
import { Connection } from "./socket/connection.js";
import { positionAfter } from "./socket/position.js";

/** @import {ChatEvent, Command, EventMap} from "./protocol.d.ts" */
/** @import {ConnectionOptions} from "./socket/connection.js" */

const TYPING_EVERY_MS = 3_000;
const RESEND_MS = 2_000;
/** The `ref` of a subscription, before the number of its room. */
const SUBSCRIBE = "subscribe-";
/** Errors that are no answer to the command itself: the same command is sent once more. */
const TRANSIENT = new Set(["unavailable", "database_unavailable", "unknown"]);

/** A random identifier, also where `crypto.randomUUID` is missing: on plain http from another machine. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class ChatSocket {
  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.options = options;
    this.connection = new Connection({ ...options, onEvent: (event) => this.#received(event) });
    /** Subscribed rooms, each with the `seq` to resume from. @type {Map<number, number | undefined>} */
    this.rooms = new Map();
    /** The epoch in which the `seq` of a room counts, once the server has named it. @type {Map<number, string>} */
    this.epochs = new Map();
    /** Durable commands that are not acknowledged, by `ref`, oldest first. @type {Map<string, Command>} */
    this.outbox = new Map();
    /** The `ref` of commands that wait until their room has caught up. @type {Set<string>} */
    this.held = new Set();
    /** The `ref` of commands to send again, in their old order, when `again` runs. @type {Set<string>} */
    this.failed = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.again = undefined;
    /** When `typing` was last sent to a room. @type {Map<number, number>} */
    this.typedAt = new Map();
  }

  open() {
    this.connection.open();
  }

  /** Close the connection for good. Rooms and unsent commands are kept: `open` resumes with them. */
  close() {
    this.#forgetFailed();
    this.connection.close();
  }

  /** The network is back, or the page is visible again: connect now, or find out whether the connection still works. */
  wake() {
    this.connection.wake();
  }

  /** Cut the connection as a network failure would. */
  drop() {
    this.connection.drop();
  }

  /**
   * Listen to a room; with `since` (a `seq` of that epoch) every later change comes first.
   * @param {number} roomId
   * @param {number} [since]
   * @param {string} [epoch]
   */
  subscribe(roomId, since, epoch) {
    this.rooms.set(roomId, since);
    if (epoch) this.epochs.set(roomId, epoch);
    else this.epochs.delete(roomId);
    this.#subscribe(roomId);
  }

  /** @param {number} roomId */
  unsubscribe(roomId) {
    this.rooms.delete(roomId);
    this.connection.send({ type: "unsubscribe", room_id: roomId });
  }

  /**
   * @param {number} roomId
   * @param {string} content
   * @param {{replyTo?: number, clientId?: string}} [more]
   * @returns {string} the `client_id` that the message, its ack and its error carry
   */
  say(roomId, content, { replyTo, clientId = newId() } = {}) {
    const command = { room_id: roomId, content, client_id: clientId, reply_to: replyTo };
    return this.#request({ type: "message", ...command }, clientId);
  }

  /** @param {number} roomId @param {number} id @param {string} content */
  edit(roomId, id, content) {
    return this.#request({ type: "message.edit", room_id: roomId, id, content });
  }

  /** @param {number} roomId @param {number} id */
  delete(roomId, id) {
    return this.#request({ type: "message.delete", room_id: roomId, id });
  }

  /** @param {number} roomId @param {number} id @param {string} emoji @param {"add" | "remove"} action */
  react(roomId, id, emoji, action) {
    return this.#request({ type: `reaction.${action}`, room_id: roomId, id, emoji });
  }

  /**
   * Move the read mark. A later mark of the same room replaces one that is not acknowledged yet.
   * @param {number} roomId
   * @param {number} id
   */
  read(roomId, id) {
    return this.#request({ type: "read", room_id: roomId, id }, `read-${roomId}`);
  }

  /** Send `typing` at most every three seconds, and only while connected. @param {number} roomId */
  typing(roomId) {
    const now = Date.now();
    if (now - (this.typedAt.get(roomId) ?? 0) < TYPING_EVERY_MS) return;
    if (this.connection.send({ type: "typing", room_id: roomId })) this.typedAt.set(roomId, now);
  }

  /** Send a frame as it is, valid or not. @param {string} text @returns {boolean} whether it was sent */
  sendRaw(text) {
    return this.connection.sendRaw(text);
  }

  /**
   * Send a command, now or once connected, until it is answered.
   * @param {Command} command
   * @param {string} [ref]
   */
  #request(command, ref = newId()) {
    const request = { ...command, ref };
    this.outbox.delete(ref);
    this.outbox.set(ref, request);
    if (this.failed.size) this.failed.add(ref); // it must not overtake those
    else this.connection.send(request);
    return ref;
  }

  /** @param {number} roomId */
  #subscribe(roomId) {
    const position = { since: this.rooms.get(roomId), epoch: this.epochs.get(roomId) };
    this.connection.send({ type: "subscribe", room_id: roomId, ...position, ref: SUBSCRIBE + roomId });
  }

  /** @param {ChatEvent} event */
  #received(event) {
    if (event.type === "ready") this.#resume();
    if (event.type === "synced") this.#synced(event);
    if (event.type === "ack") this.outbox.delete(String(event.ref ?? event.client_id));
    if (event.type === "error" && event.ref) this.#failed(String(event.ref), event.code);
    this.#advance(event);
    this.options.onEvent?.(event);
  }

  /**
   * Subscribe to every room from where it was left, then send what was never acknowledged. What names a message waits
   * for `synced`: if the server's data were put back, it would name another one.
   */
  #resume() {
    this.#forgetFailed();
    for (const roomId of this.rooms.keys()) this.#subscribe(roomId);
    for (const [ref, command] of this.outbox)
      if (this.#namesMessage(command)) this.held.add(ref);
      else this.connection.send(command);
  }

  /** Whether a command names a message of a room that catches up. @param {Command} command */
  #namesMessage(command) {
    if (!("room_id" in command) || !this.rooms.has(Number(command.room_id))) return false;
    return "id" in command || ("reply_to" in command && command.reply_to !== undefined);
  }

  /** @param {EventMap["synced"]} event */
  #synced({ room_id, seq, epoch, truncated }) {
    if (!this.rooms.has(room_id)) return;
    const isAnother = truncated && epoch !== this.epochs.get(room_id);
    this.rooms.set(room_id, seq);
    this.epochs.set(room_id, epoch);
    for (const ref of this.held) {
      const command = this.outbox.get(ref);
      if (command && !("room_id" in command && command.room_id === room_id)) continue;
      this.held.delete(ref);
      if (command) this.#sendHeld(ref, command, isAnother);
    }
  }

  /**
   * Send a command that waited. In another history it would mean another message: only the text of a reply is sent.
   * @param {string} ref
   * @param {Command} command
   * @param {boolean} isAnother
   */
  #sendHeld(ref, command, isAnother) {
    if (!isAnother) this.connection.send(command);
    else if (command.type !== "message") this.outbox.delete(ref);
    else {
      const { reply_to, ...bare } = command;
      this.outbox.set(ref, bare);
      this.connection.send(bare);
    }
  }

  /** @param {ChatEvent} event */
  #advance(event) {
    const position = positionAfter(event);
    if (!position || !this.rooms.has(position.roomId)) return;
    const { roomId, seq } = position;
    this.rooms.set(roomId, Math.max(seq, this.rooms.get(roomId) ?? 0));
  }

  /** @param {string} ref @param {string} code */
  #failed(ref, code) {
    if (!ref.startsWith(SUBSCRIBE) && !this.outbox.has(ref)) return; // the renewal of a token, for example
    if (TRANSIENT.has(code)) {
      this.failed.add(ref);
      this.again ??= setTimeout(() => this.#sendFailed(), RESEND_MS);
    } else if (ref.startsWith(SUBSCRIBE)) this.rooms.delete(Number(ref.slice(SUBSCRIBE.length)));
    else this.outbox.delete(ref);
  }

  #sendFailed() {
    const failed = new Set(this.failed);
    this.#forgetFailed();
    for (const roomId of this.rooms.keys()) if (failed.has(SUBSCRIBE + roomId)) this.#subscribe(roomId);
    for (const [ref, command] of this.outbox) if (failed.has(ref)) this.connection.send(command);
  }

  #forgetFailed() {
    clearTimeout(this.again);
    this.again = undefined;
    this.failed.clear();
  }
}

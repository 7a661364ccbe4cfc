/**
 * A connection to the chat that comes back by itself, loses nothing and doubles nothing.
 * No DOM and no fetch: it runs in browsers and in Node 22.
 *
 *     const chat = new ChatSocket({ url: "ws://127.0.0.1:8000", token: () => token, onEvent: console.log });
 *     chat.subscribe(1);
 *     chat.open();
 *     chat.say(1, "Hello, world!");
 */
import { CLOSED, comeBackAfter } from "./backoff.js";

/** @import {ChatEvent, Command, Direction, Phase} from "./types.js" */

/**
 * @typedef {object} ChatSocketOptions
 * @property {string} url where the server is, for example `ws://127.0.0.1:8000`
 * @property {(stale: boolean) => string | null | Promise<string | null>} token asked before every connection;
 *   `stale` says that the last one was refused or is about to end. `null` means signed out, a throw means
 *   "try later".
 * @property {(event: ChatEvent) => void} [onEvent] every event, in the order of the server
 * @property {(phase: Phase, delayMs: number, reason: string) => void} [onPhase]
 * @property {(direction: Direction, text: string) => void} [onFrame] raw frames, for a log
 * @property {typeof WebSocket} [WebSocket]
 */

const BEAT_MS = 15_000;
const RENEW_BEFORE_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TYPING_EVERY_MS = 3_000;
const TRY_AGAIN_MS = 2_000;
/** Refusals that say nothing about the command itself: the same command is sent once more. */
const PASSING = new Set(["unavailable", "database_unavailable", "unknown"]);

/** Also where `crypto.randomUUID` is missing: a page on plain http from another machine. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class ChatSocket {
  /** @param {ChatSocketOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {WebSocket | null} */
    this.socket = null;
    /**
     * Rooms and the last `seq` seen of each: the place to resume from.
     * @type {Map<number, number | undefined>}
     */
    this.rooms = new Map();
    /** Durable commands that no `ack` has answered, oldest first. @type {Map<string, Command>} */
    this.outbox = new Map();
    /** @type {Map<number, number>} */
    this.typedAt = new Map();
    this.wanted = false;
    this.ready = false;
    this.stale = false;
    this.attempt = 0;
    this.quietBeats = 0;
    /** @type {number | null} */
    this.goodbyeMs = null;
    /** @type {Record<"retry" | "renew" | "beat", ReturnType<typeof setTimeout> | undefined>} */
    this.timers = { retry: undefined, renew: undefined, beat: undefined };
  }

  open() {
    this.wanted = true;
    if (!this.socket) void this.#connect();
  }

  close() {
    this.wanted = false;
    this.#forget();
    this.options.onPhase?.("signed-out", 0, "");
  }

  /**
   * Comes back now instead of at the end of the wait: the network is there again, or a person is impatient.
   */
  wake() {
    if (this.wanted && !this.socket) void this.#connect();
  }

  /** Cuts the connection as a tunnel would; the way back is the usual one. */
  drop() {
    this.#lost(1006, "dropped here");
  }

  /**
   * Listens to a room; `since` (a `seq`) brings every change after it first.
   * @param {number} roomId
   * @param {number} [since]
   */
  subscribe(roomId, since) {
    this.rooms.set(roomId, since);
    if (this.ready) this.#put({ type: "subscribe", room_id: roomId, since });
  }

  /** @param {number} roomId */
  unsubscribe(roomId) {
    this.rooms.delete(roomId);
    if (this.ready) this.#put({ type: "unsubscribe", room_id: roomId });
  }

  /**
   * @param {number} roomId
   * @param {string} content
   * @param {{replyTo?: number, clientId?: string}} [more]
   * @returns {string} the `client_id` by which the message, its ack and its refusal are known
   */
  say(roomId, content, { replyTo, clientId = newId() } = {}) {
    return this.#ask({ type: "message", room_id: roomId, content, client_id: clientId, reply_to: replyTo });
  }

  /** @param {number} roomId @param {number} id @param {string} content */
  edit(roomId, id, content) {
    return this.#ask({ type: "message.edit", room_id: roomId, id, content });
  }

  /** @param {number} roomId @param {number} id */
  delete(roomId, id) {
    return this.#ask({ type: "message.delete", room_id: roomId, id });
  }

  /** @param {number} roomId @param {number} id @param {string} emoji @param {"add" | "remove"} action */
  react(roomId, id, emoji, action) {
    return this.#ask({ type: `reaction.${action}`, room_id: roomId, id, emoji });
  }

  /**
   * Moves the mark of what has been read. Kept until acked, like the rest.
   * @param {number} roomId
   * @param {number} id
   */
  read(roomId, id) {
    return this.#ask({ type: "read", room_id: roomId, id }, `read-${roomId}`);
  }

  /** Says so at most every three seconds, and never later than now. @param {number} roomId */
  typing(roomId) {
    const now = Date.now();
    if (!this.ready || now - (this.typedAt.get(roomId) ?? 0) < TYPING_EVERY_MS) return;
    this.typedAt.set(roomId, now);
    this.#put({ type: "typing", room_id: roomId });
  }

  /** Sends a frame as it is, wrong or right. @param {string} text */
  sendRaw(text) {
    if (!this.ready) return false;
    this.options.onFrame?.("out", text);
    this.socket?.send(text);
    return true;
  }

  /** @param {Command} command @param {string} [ref] */
  #ask(command, ref = command.client_id ?? newId()) {
    this.outbox.delete(ref);
    this.outbox.set(ref, { ...command, ref });
    if (this.ready) this.#put({ ...command, ref });
    return ref;
  }

  /** @param {Command} command */
  #put(command) {
    this.sendRaw(JSON.stringify(command));
  }

  async #connect() {
    this.#forget();
    this.options.onPhase?.("connecting", 0, "");
    let token;
    try {
      token = await this.options.token(this.stale);
    } catch {
      return this.#wait(0, "no token yet");
    }
    if (!this.wanted || this.socket) return;
    if (token === null) return this.close();
    this.stale = false;
    this.#listen(new (this.options.WebSocket ?? WebSocket)(`${this.options.url}/ws`, ["bearer", token]));
  }

  /** @param {WebSocket} socket */
  #listen(socket) {
    this.socket = socket;
    this.options.onFrame?.("note", `open ${this.options.url}/ws`);
    socket.onmessage = (message) => this.socket === socket && this.#receive(String(message.data));
    socket.onclose = (close) => this.socket === socket && this.#lost(close.code, close.reason);
    this.timers.beat = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** @param {string} text */
  #receive(text) {
    this.quietBeats = 0;
    this.options.onFrame?.("in", text);
    /** @type {ChatEvent} */
    const event = JSON.parse(text);
    if (event.type === "ready") this.#start();
    if (event.type === "goodbye") this.goodbyeMs = event.reconnect_after_ms;
    if (event.type === "ack") this.outbox.delete(event.ref ?? event.client_id);
    if (event.expires_at) this.#renewBefore(Date.parse(event.expires_at));
    if (event.type === "error" && event.ref) this.#refused(event.ref, event.code);
    if (event.room_id !== undefined && !event.truncated) this.#advance(event.room_id, event);
    this.options.onEvent?.(event);
  }

  /** The server knows us: rooms first, each from where we left it, then what was never acknowledged. */
  #start() {
    this.ready = true;
    this.attempt = 0;
    this.goodbyeMs = null;
    this.options.onPhase?.("online", 0, "");
    for (const [roomId, since] of this.rooms) this.#put({ type: "subscribe", room_id: roomId, since });
    for (const command of this.outbox.values()) this.#put(command);
  }

  /** @param {number} roomId @param {ChatEvent} event */
  #advance(roomId, event) {
    const seq = event.changed_seq ?? event.seq;
    if (seq === undefined || !this.rooms.has(roomId)) return;
    this.rooms.set(roomId, Math.max(seq, this.rooms.get(roomId) ?? 0));
  }

  /** @param {string} ref @param {string} code */
  #refused(ref, code) {
    const command = this.outbox.get(ref);
    if (!command) return;
    if (!PASSING.has(code)) this.outbox.delete(ref);
    else setTimeout(() => this.ready && this.outbox.has(ref) && this.#put(command), TRY_AGAIN_MS);
  }

  /** @param {number} expiry milliseconds since 1970 */
  #renewBefore(expiry) {
    const left = expiry - Date.now();
    const delay = Math.max(left - RENEW_BEFORE_MS, left / 2);
    clearTimeout(this.timers.renew);
    this.timers.renew = setTimeout(() => this.#renew(), Math.min(delay, LONGEST_TIMER_MS));
  }

  /** A fresh token on the living connection, before the old one ends it. */
  async #renew() {
    const token = await Promise.resolve(this.options.token(true)).catch(() => null);
    if (token !== null && this.ready) this.#put({ type: "auth", token, ref: newId() });
  }

  /**
   * A peer that is silent for two beats is asked; one that does not answer is gone, whatever the system says.
   */
  #beat() {
    if (this.quietBeats >= 2) return this.#lost(1006, "no answer to ping");
    if (this.quietBeats === 1 && this.ready) this.#put({ type: "ping" });
    this.quietBeats += 1;
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    if (!this.socket) return;
    this.options.onFrame?.("note", `closed ${code}${reason && ` ${reason}`}`);
    this.stale = code === CLOSED.TOKEN;
    if (code === CLOSED.FORBIDDEN) return this.close();
    this.#wait(code, reason);
  }

  /** @param {number} code @param {string} reason */
  #wait(code, reason) {
    const { attempt, goodbyeMs } = this;
    const delay = comeBackAfter({ code, attempt, goodbyeMs });
    this.#forget();
    this.attempt += 1;
    this.timers.retry = setTimeout(() => this.#connect(), delay);
    this.options.onPhase?.("waiting", delay, reason);
  }

  #forget() {
    const { socket, timers } = this;
    this.socket = null;
    this.ready = false;
    this.quietBeats = 0;
    for (const timer of Object.values(timers)) clearTimeout(timer);
    socket?.close();
  }
}

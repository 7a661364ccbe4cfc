/**
 * One WebSocket at a time, kept open: tokens, heartbeats, and a new connection when the last one is lost.
 * What the frames mean is left to the owner.
 */
import { reconnectDelay } from "./backoff.js";
import { UNAUTHORIZED, comesBack } from "./close_codes.js";

/** @import {ChatEvent, Command} from "../protocol.d.ts" */
/** @import {Direction, Phase} from "../types.js" */

/**
 * @typedef {object} ConnectionOptions
 * @property {string} url the address of the server, for example `ws://127.0.0.1:8000`
 * @property {(stale: boolean) => string | null | Promise<string | null>} token called before each connection;
 *   `stale` means that the last token was refused or is about to expire. `null` means signed out; after an
 *   exception it is called again later.
 * @property {(event: ChatEvent) => void} [onEvent] called with every event, in the order of the server
 * @property {(phase: Phase, delayMs: number, reason: string) => void} [onPhase]
 * @property {(direction: Direction, text: string) => void} [onFrame] called with raw frames, for a log
 * @property {typeof WebSocket} [WebSocket]
 */

/** A connection that is silent for three of these is lost. */
const HEARTBEAT_MS = 10_000;
const RENEW_BEFORE_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const BROKEN = 1006;
/**
 * Whether reconnecting would only be refused again. A code below 4000 is about one frame, which is gone, and a refused token
 * is replaced.
 * @param {number} code
 */
const isFinal = (code) => code >= 4000 && code !== UNAUTHORIZED && !comesBack(code);

export class Connection {
  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** Whether a lost connection is to be replaced. */
    this.wanted = false;
    /** Whether the server has accepted the token, so that commands can be sent. */
    this.ready = false;
    this.stale = false;
    this.attempt = 0;
    /** Heartbeats since the last frame came in. */
    this.quietBeats = 0;
    /** @type {number | null} */
    this.goodbyeMs = null;
    /** @type {Record<"retry" | "renew" | "heartbeat", ReturnType<typeof setTimeout> | undefined>} */
    this.timers = { retry: undefined, renew: undefined, heartbeat: undefined };
  }

  open() {
    this.wanted = true;
    if (!this.socket) void this.#connect();
  }

  close() {
    this.wanted = false;
    this.#reset();
    this.options.onPhase?.("signed-out", 0, "");
  }

  /**
   * The network is back, or the page has become visible: connect now instead of at the end of the delay, or find out
   * whether the connection still works.
   */
  wake() {
    if (!this.wanted) return;
    if (!this.socket) void this.#connect();
    else if (this.ready) {
      this.quietBeats = 1;
      this.#beat();
      this.#heartbeat();
    }
  }

  /** Cut the connection as a network failure would. The usual reconnection follows. */
  drop() {
    this.#lost(BROKEN, "dropped here");
  }

  /** @param {Command} command */
  send(command) {
    return this.sendRaw(JSON.stringify(command));
  }

  /** Send a frame as it is, valid or not. @param {string} text @returns {boolean} whether it was sent */
  sendRaw(text) {
    if (!this.ready) return false;
    this.options.onFrame?.("out", text);
    this.socket?.send(text);
    return true;
  }

  async #connect() {
    this.#reset();
    this.options.onPhase?.("connecting", 0, "");
    let token;
    try {
      token = await this.options.token(this.stale);
    } catch {
      return this.#retry(0, "no token yet");
    }
    if (!this.wanted || this.socket) return;
    if (token === null) return this.close();
    this.stale = false;
    this.#attach(new (this.options.WebSocket ?? WebSocket)(`${this.options.url}/ws`, ["bearer", token]));
  }

  /** @param {WebSocket} socket */
  #attach(socket) {
    this.socket = socket;
    this.options.onFrame?.("note", `open ${this.options.url}/ws`);
    socket.onmessage = (message) => this.socket === socket && this.#received(String(message.data));
    socket.onclose = (close) => this.socket === socket && this.#lost(close.code, close.reason);
    this.#beat();
  }

  /** @param {string} text */
  #received(text) {
    this.quietBeats = 0;
    this.options.onFrame?.("in", text);
    /** @type {ChatEvent} */
    const event = JSON.parse(text);
    if (event.type === "ready") this.#accepted();
    if (event.type === "goodbye") this.goodbyeMs = event.reconnect_after_ms;
    if ((event.type === "ready" || event.type === "ack") && event.expires_at)
      this.#renewBefore(Date.parse(event.expires_at));
    this.options.onEvent?.(event);
  }

  #accepted() {
    this.ready = true;
    this.attempt = 0;
    this.goodbyeMs = null;
    this.options.onPhase?.("online", 0, "");
  }

  /** @param {number} expiry milliseconds since 1970 */
  #renewBefore(expiry) {
    const left = expiry - Date.now();
    const delay = Math.max(left - RENEW_BEFORE_MS, left / 2);
    clearTimeout(this.timers.renew);
    this.timers.renew = setTimeout(() => this.#renew(), Math.min(delay, LONGEST_TIMER_MS));
  }

  /** Send a fresh token over the open connection, before the old one expires and ends it. */
  async #renew() {
    const token = await Promise.resolve(this.options.token(true)).catch(() => null);
    if (token !== null) this.send({ type: "auth", token, ref: "renew" });
  }

  #beat() {
    clearInterval(this.timers.heartbeat);
    this.timers.heartbeat = setInterval(() => this.#heartbeat(), HEARTBEAT_MS);
  }

  /** Ping a server that was silent for a whole interval; after another one the connection counts as lost. */
  #heartbeat() {
    if (this.quietBeats >= 2) return this.#lost(BROKEN, "no answer to ping");
    if (this.quietBeats === 1) this.send({ type: "ping" });
    this.quietBeats += 1;
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    if (!this.socket) return;
    this.options.onFrame?.("note", `closed ${code}${reason && ` ${reason}`}`);
    this.stale = code === UNAUTHORIZED;
    if (isFinal(code)) return this.close();
    this.#retry(code, reason);
  }

  /** @param {number} code @param {string} reason */
  #retry(code, reason) {
    const { attempt, goodbyeMs } = this;
    const delay = reconnectDelay({ code, attempt, goodbyeMs });
    this.#reset();
    this.attempt += 1;
    this.timers.retry = setTimeout(() => this.#connect(), delay);
    this.options.onPhase?.("waiting", delay, reason);
  }

  #reset() {
    const { socket, timers } = this;
    this.socket = null;
    this.ready = false;
    this.quietBeats = 0;
    for (const timer of Object.values(timers)) clearTimeout(timer);
    socket?.close();
  }
}

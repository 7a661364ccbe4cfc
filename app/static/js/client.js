/**
 * One login at the chat: REST, the socket and the state that a view shows. No DOM.
 * What a user can do is in `account`, `rooms` and `messages`.
 */
import { Api } from "./api.js";
import { Account } from "./client/account.js";
import { Messages } from "./client/messages.js";
import { Model } from "./client/model.js";
import { Rooms } from "./client/rooms.js";
import { ChatSocket } from "./socket.js";
import * as store from "./store.js";
import { withFrame } from "./store/frame_log.js";

/** @import {ChatEvent} from "./protocol.d.ts" */
/** @import {FrameLog, Phase, Tokens} from "./types.js" */

const TICK_MS = 1_000;

export class ChatClient {
  /** @param {{url: string, onChange: () => void, onTokens?: (tokens: Tokens | null) => void}} options */
  constructor({ url, onChange, onTokens }) {
    this.model = new Model(onChange);
    this.api = new Api(onTokens);
    this.socket = new ChatSocket({
      url,
      token: (stale) => this.api.token(stale),
      onEvent: (event) => this.#received(event),
      onPhase: (phase, delayMs, reason) => this.#phaseChanged(phase, delayMs, reason),
      onFrame: (direction, text) => this.#log(withFrame(this.state.frames, direction, text, Date.now())),
    });
    const { model, api, socket } = this;
    this.rooms = new Rooms({ model, api, socket });
    this.messages = new Messages({ model, socket });
    this.account = new Account({ model, api, socket, rooms: this.rooms });
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.ticking = undefined;
  }

  get state() {
    return this.model.state;
  }

  /** Sign out and stop; the login is not remembered. */
  async dispose() {
    this.api.onTokens = undefined;
    await this.account.signOut();
    clearInterval(this.ticking);
  }

  dismissProblem() {
    this.model.set(store.wentWrong(this.state, ""));
  }

  /** @param {boolean} paused */
  pauseFrames(paused) {
    this.#log({ paused });
  }

  clearFrames() {
    this.#log({ entries: [] });
  }

  /** @param {Partial<FrameLog>} more */
  #log(more) {
    this.model.set(store.framesChanged(this.state, more));
  }

  /** @param {ChatEvent} event */
  #received(event) {
    this.model.set(store.received(this.state, event, Date.now()));
    if (event.type === "typing") this.#tick();
    if (event.type === "synced") this.rooms.synced(event);
  }

  /** @param {Phase} phase @param {number} delayMs @param {string} reason */
  #phaseChanged(phase, delayMs, reason) {
    if (phase === "signed-out") return this.account.ended();
    this.model.set(store.connectionChanged(this.state, { phase, retryAt: Date.now() + delayMs, reason }));
    if (phase === "waiting") this.#tick();
    if (phase === "online") void this.model.attempt(() => this.rooms.catchUp());
  }

  /** Advance the state every second while `typing` can expire or a countdown is shown. */
  #tick() {
    clearInterval(this.ticking);
    this.ticking = setInterval(() => {
      this.model.set(store.ticked(this.state, Date.now()));
      const isMoving = Object.keys(this.state.typing).length > 0 || this.state.connection.phase === "waiting";
      if (!isMoving) clearInterval(this.ticking);
    }, TICK_MS);
  }
}

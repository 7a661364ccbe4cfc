/**
 * One person at the chat: a login, a socket, a state, and everything that person can do.
 * No DOM: a view shows `state` and calls these methods.
 */
import { Api, ApiError } from "./api.js";
import { withFrame } from "./store/frame_log.js";
import { ChatSocket, newId } from "./socket.js";
import * as store from "./store.js";

/** @import {ChatEvent} from "./protocol.d.ts" */
/** @import {Credentials, FrameLog, Message, State, Tokens} from "./types.js" */

const PAGE = 50;
const TICK_MS = 1_000;

export class ChatClient {
  /** @param {{url: string, onChange: () => void, onTokens?: (tokens: Tokens | null) => void}} options */
  constructor({ url, onChange, onTokens }) {
    this.state = store.emptyState();
    this.onChange = onChange;
    this.api = new Api(onTokens);
    this.socket = new ChatSocket({
      url,
      token: (stale) => this.api.token(stale),
      onEvent: (event) => this.#hear(event),
      onPhase: (phase, delayMs, reason) => this.#phase(phase, delayMs, reason),
      onFrame: (direction, text) => this.#log(withFrame(this.state.frames, direction, text, Date.now())),
    });
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.ticking = undefined;
  }

  /** @param {Credentials} account @param {{isNew?: boolean}} [more] */
  async signIn(account, { isNew = false } = {}) {
    await this.#trying(async () => {
      await (isNew ? this.api.signUp(account) : this.api.logIn(account));
      await this.#enter();
    });
  }

  /** Goes on with a remembered login. @param {Tokens} tokens @param {number | null} roomId */
  async resume(tokens, roomId) {
    this.api.adopt(tokens);
    await this.#trying(() => this.#enter(roomId));
  }

  async signOut() {
    const leaving = this.api.logOut();
    this.socket.close();
    await leaving;
  }

  /** For good: nothing is remembered. */
  async leave() {
    this.api.onTokens = undefined;
    await this.signOut();
    clearInterval(this.ticking);
  }

  /** @param {number | null} [roomId] */
  async #enter(roomId = null) {
    this.#set(store.signedIn(this.state, await this.api.me()));
    await this.refreshRooms();
    this.socket.open();
    const rooms = this.state.rooms;
    const first = rooms.find(({ id }) => id === roomId) ?? rooms[0];
    if (first) await this.openRoom(first.id);
  }

  /** Rooms one has joined are listened to from the start, for their unread counts. */
  async refreshRooms() {
    const rooms = await this.api.rooms();
    this.#set(store.roomsLoaded(this.state, rooms));
    for (const room of rooms) {
      const isNew = room.role !== null && !this.socket.rooms.has(room.id);
      if (isNew) this.socket.subscribe(room.id, room.last_seq);
    }
  }

  /** @param {number} id */
  async openRoom(id) {
    this.#set(store.roomOpened(this.state, id));
    if (!store.timelineOf(this.state, id).loaded) await this.#load(id);
    else await this.#lookAround(id);
  }

  /**
   * The head of the room is read before its page: what happens in between comes with `since`.
   * @param {number} id
   */
  async #load(id) {
    if (store.timelineOf(this.state, id).loading) return;
    this.#set(store.historyAsked(this.state, id));
    try {
      const room = await this.api.room(id);
      const page = await this.api.history(id, PAGE);
      this.#set(store.historyLoaded(store.roomLoaded(this.state, room), id, page, PAGE));
      this.socket.subscribe(id, room.last_seq);
    } catch (error) {
      this.#set(store.historyFailed(this.state, id));
      this.#complain(error);
    }
  }

  async loadOlder() {
    const id = this.state.current;
    const { loading, complete, messages } = store.timelineOf(this.state, id);
    const oldest = messages[0];
    if (id === null || loading || complete || !oldest) return;
    this.#set(store.historyAsked(this.state, id));
    try {
      const page = await this.api.history(id, PAGE, oldest.id);
      this.#set(store.historyLoaded(this.state, id, page, PAGE));
    } catch (error) {
      this.#set(store.historyFailed(this.state, id));
      this.#complain(error);
    }
  }

  /** @param {number} id */
  async #lookAround(id) {
    const { users, count } = await this.api.presence(id);
    this.#set(store.presenceLoaded(this.state, id, users, count));
  }

  /** @param {string} name */
  async createRoom(name) {
    await this.#trying(async () => {
      const room = await this.api.createRoom(name);
      this.#set(store.roomLoaded(this.state, room));
      await this.openRoom(room.id);
    });
  }

  /** @param {string} content @param {number} [replyTo] */
  say(content, replyTo) {
    const room_id = this.state.current;
    if (room_id === null) return;
    const client_id = newId();
    const pending = { client_id, room_id, content, reply_to: replyTo, sent_at: Date.now(), acked: false };
    this.#set(store.sendQueued(this.state, pending));
    this.socket.say(room_id, content, { replyTo, clientId: client_id });
  }

  /** Sends a refused message once more, under the name it had. @param {string} clientId */
  sayAgain(clientId) {
    const pending = this.state.outbox.find(({ client_id }) => client_id === clientId);
    if (!pending) return;
    const { error: _, ...again } = pending;
    this.#set(store.sendQueued(store.sendForgotten(this.state, clientId), again));
    this.socket.say(pending.room_id, pending.content, { replyTo: pending.reply_to, clientId });
  }

  /** @param {string} clientId */
  discard(clientId) {
    this.#set(store.sendForgotten(this.state, clientId));
  }

  /** @param {Message} message @param {string} content */
  edit(message, content) {
    if (content !== message.message) this.socket.edit(message.room_id, message.id, content);
  }

  /** @param {Message} message */
  delete(message) {
    this.socket.delete(message.room_id, message.id);
  }

  /** @param {Message} message @param {string} emoji */
  react(message, emoji) {
    const users = message.reactions?.find((reaction) => reaction.emoji === emoji)?.users ?? [];
    const mine = users.includes(this.state.user?.username ?? "");
    this.socket.react(message.room_id, message.id, emoji, mine ? "remove" : "add");
  }

  typing() {
    if (this.state.current !== null) this.socket.typing(this.state.current);
  }

  /** Everything in the open room up to this message is before somebody's eyes. @param {number} id */
  seen(id) {
    const room = store.roomOf(this.state, this.state.current);
    if (!room || (room.last_read_id ?? 0) >= id) return;
    this.#set(store.markedRead(this.state, room.id, id));
    this.socket.read(room.id, id);
  }

  dismiss() {
    this.#set(store.wentWrong(this.state, ""));
  }

  /** @param {boolean} paused */
  pauseFrames(paused) {
    this.#log({ paused });
  }

  clearFrames() {
    this.#log({ entries: [] });
  }

  /** @param {ChatEvent} event */
  #hear(event) {
    this.#set(store.received(this.state, event, Date.now()));
    if (event.type === "typing") this.#tick();
    if (event.type !== "synced") return;
    if (event.truncated) this.#reload(event.room_id);
    if (event.room_id === this.state.current) this.#lookAround(event.room_id).catch(() => undefined);
  }

  /**
   * Too much was missed to be replayed: the history comes over REST, then `since` goes on from there.
   * @param {number} id
   */
  #reload(id) {
    this.#set(store.historyDropped(this.state, id));
    void this.#load(id);
  }

  /** @param {import("./types.js").Phase} phase @param {number} delayMs @param {string} reason */
  #phase(phase, delayMs, reason) {
    if (phase === "signed-out") {
      this.socket.rooms.clear();
      this.socket.outbox.clear();
      const problem = this.state.user && !this.api.tokens ? "This login has ended. Log in again." : "";
      return this.#set(store.signedOut(this.state, problem));
    }
    this.#set(store.connectionChanged(this.state, { phase, retryAt: Date.now() + delayMs, reason }));
    if (phase === "waiting") this.#tick();
    if (phase === "online") this.#catchUp().catch((error) => this.#complain(error));
  }

  /** What could not be loaded while the server was away. */
  async #catchUp() {
    const id = this.state.current;
    if (id !== null && !store.timelineOf(this.state, id).loaded) await this.#load(id);
    await this.refreshRooms();
  }

  /** Time passes visibly while somebody types and while a way back is awaited. */
  #tick() {
    clearInterval(this.ticking);
    this.ticking = setInterval(() => {
      this.#set(store.ticked(this.state, Date.now()));
      const isMoving = Object.keys(this.state.typing).length > 0 || this.state.connection.phase === "waiting";
      if (!isMoving) clearInterval(this.ticking);
    }, TICK_MS);
  }

  /** @param {() => Promise<void>} work */
  async #trying(work) {
    try {
      await work();
    } catch (error) {
      this.#complain(error);
    }
  }

  /** @param {unknown} error */
  #complain(error) {
    const words = error instanceof ApiError ? error.message : "The server cannot be reached.";
    this.#set(store.wentWrong(this.state, words));
  }

  /** @param {Partial<FrameLog>} more */
  #log(more) {
    this.#set(store.framesChanged(this.state, more));
  }

  /** @param {State} state */
  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.onChange();
  }
}

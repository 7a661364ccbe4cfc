/** The list of rooms, the open one, and its history. */
import * as store from "../store.js";

/** @import {Api} from "../api.js" */
/** @import {EventMap} from "../protocol.d.ts" */
/** @import {ChatSocket} from "../socket.js" */
/** @import {Model} from "./model.js" */

const PAGE = 50;

export class Rooms {
  /** @param {{model: Model, api: Api, socket: ChatSocket}} parts */
  constructor({ model, api, socket }) {
    this.model = model;
    this.api = api;
    this.socket = socket;
  }

  get state() {
    return this.model.state;
  }

  /** Load the list, and subscribe to every joined room for its unread count. */
  async refresh() {
    const rooms = await this.api.rooms();
    this.model.set(store.roomsLoaded(this.state, rooms));
    for (const room of rooms) {
      const isNew = room.role !== null && !this.socket.rooms.has(room.id);
      if (isNew) this.socket.subscribe(room.id, room.last_seq, room.epoch);
    }
  }

  /** @param {number} id */
  async open(id) {
    this.model.set(store.roomOpened(this.state, id));
    if (!store.timelineOf(this.state, id).loaded) await this.#load(id);
    else await this.#loadPresence(id);
  }

  /** @param {string} name */
  async create(name) {
    await this.model.attempt(async () => {
      const room = await this.api.createRoom(name);
      this.model.set(store.roomLoaded(this.state, room));
      await this.open(room.id);
    });
  }

  async loadOlder() {
    const id = this.state.current;
    const { loading, complete, messages } = store.timelineOf(this.state, id);
    const oldest = messages[0];
    if (id === null || loading || complete || !oldest) return;
    await this.#loading(id, async () => {
      const page = await this.api.history(id, PAGE, oldest.id);
      this.model.set(store.historyLoaded(this.state, id, page));
    });
  }

  /** Load what could not be loaded while the server was away. */
  async catchUp() {
    const id = this.state.current;
    if (id !== null && !store.timelineOf(this.state, id).loaded) await this.#load(id);
    await this.refresh();
  }

  /** Load the history again after a truncated catch-up. @param {EventMap["synced"]} event */
  synced({ room_id, truncated }) {
    if (truncated) {
      this.model.set(store.historyDropped(this.state, room_id));
      void this.#load(room_id);
    }
    if (room_id === this.state.current) this.#loadPresence(room_id).catch(() => undefined);
  }

  /**
   * Load the newest page. The room comes first, so that its `last_seq` is not later than the page: changes in
   * between are sent because of `since`.
   * @param {number} id
   */
  async #load(id) {
    if (store.timelineOf(this.state, id).loading) return;
    await this.#loading(id, async () => {
      const room = await this.api.room(id);
      const page = await this.api.history(id, PAGE);
      this.model.set(store.historyLoaded(store.roomLoaded(this.state, room), id, page));
      this.socket.subscribe(id, room.last_seq, room.epoch);
    });
  }

  /**
   * Run work while the timeline is marked as loading, and show its failure.
   * @param {number} id
   * @param {() => Promise<void>} work
   */
  async #loading(id, work) {
    this.model.set(store.historyAsked(this.state, id));
    try {
      await work();
    } catch (error) {
      this.model.set(store.historyFailed(this.state, id));
      this.model.report(error);
    }
  }

  /** @param {number} id */
  async #loadPresence(id) {
    const { users, count } = await this.api.presence(id);
    this.model.set(store.presenceLoaded(this.state, id, users, count));
  }
}

/** Signing up, logging in and out. */
import { ApiError } from "../api.js";
import * as store from "../store.js";

/** @import {Api} from "../api.js" */
/** @import {ChatSocket} from "../socket.js" */
/** @import {Credentials, Tokens} from "../types.js" */
/** @import {Model} from "./model.js" */
/** @import {Rooms} from "./rooms.js" */

/** @typedef {{username?: string, password?: string}} FieldProblems */

export class Account {
  /** @param {{model: Model, api: Api, socket: ChatSocket, rooms: Rooms}} parts */
  constructor({ model, api, socket, rooms }) {
    this.model = model;
    this.api = api;
    this.socket = socket;
    this.rooms = rooms;
  }

  /**
   * @param {Credentials} credentials
   * @param {{isNew?: boolean}} [more]
   * @returns {Promise<FieldProblems>} what the server refuses; a failure of another kind is the state's problem
   */
  async signIn(credentials, { isNew = false } = {}) {
    try {
      await (isNew ? this.api.signUp(credentials) : this.api.logIn(credentials));
      await this.#enter();
      return {};
    } catch (error) {
      const refused = problemsOf(error);
      if (Object.keys(refused).length) this.model.set(store.wentWrong(this.model.state, ""));
      else this.model.report(error);
      return refused;
    }
  }

  /** Continue a remembered login. @param {Tokens} tokens @param {number | null} roomId */
  async resume(tokens, roomId) {
    this.api.adopt(tokens);
    await this.model.attempt(() => this.#enter(roomId));
  }

  async signOut() {
    const leaving = this.api.logOut();
    this.socket.close();
    await leaving;
  }

  /** Forget a login that has ended, here or at the server. */
  ended() {
    this.socket.rooms.clear();
    this.socket.outbox.clear();
    const { state } = this.model;
    const problem = state.user && !this.api.tokens ? "This login has ended. Log in again." : "";
    this.model.set(store.signedOut(state, problem));
  }

  /** @param {number | null} [roomId] the room to open; without it the first */
  async #enter(roomId = null) {
    this.model.set(store.signedIn(this.model.state, await this.api.me()));
    await this.rooms.refresh();
    this.socket.open();
    const { rooms } = this.model.state;
    const first = rooms.find(({ id }) => id === roomId) ?? rooms[0];
    if (first) await this.rooms.open(first.id);
  }
}

/**
 * What the server says about the fields of a login: in the errors of a request that is not valid, or with a code that
 * names the field, such as `username_taken`.
 * @param {unknown} error
 * @returns {FieldProblems}
 */
function problemsOf(error) {
  if (!(error instanceof ApiError)) return {};
  const { code, fields, message } = error;
  for (const field of ["password", "username"]) {
    if (code.split("_").includes(field)) return { [field]: message };
  }
  const { username, password } = fields;
  return { ...(username && { username }), ...(password && { password }) };
}

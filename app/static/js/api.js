/** The REST client: every `fetch` of the chat page is here. */

import { base } from "./base.js";

/** @import {Credentials, Message, Room, Tokens, User} from "./types.js" */

/** A refusal by the server, with its own sentence (RFC 9457). */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} detail @param {Record<string, string>} [fields] */
  constructor(status, code, detail, fields = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    /** What is wrong with which field of the request. */
    this.fields = fields;
  }
}

/** @typedef {{code?: string, detail?: string, errors?: {loc: (string | number)[], msg: string}[]}} Problem */

/** @param {Response} response */
async function refusal(response) {
  /** @type {Problem} */
  const problem = await response.json().catch(() => ({}));
  const { code = "", detail = response.statusText, errors = [] } = problem;
  const fields = Object.fromEntries(errors.map(({ loc, msg }) => [String(loc.at(-1)), `${msg.replace(/\.$/, "")}.`]).toReversed());
  return new ApiError(response.status, code, detail, fields);
}

/** Sample accounts of a development server; none in production. @returns {Promise<Credentials[]>} */
export async function sampleAccounts() {
  const response = await fetch(`${base}/`, { headers: { Accept: "application/json" } });
  if (!response.ok) return [];
  return (await response.json()).sample_accounts ?? [];
}

/** One login: its tokens, and the requests made with them. */
export class Api {
  /** @param {(tokens: Tokens | null) => void} [onTokens] called when the tokens change, to keep them */
  constructor(onTokens) {
    /** @type {Tokens | null} */
    this.tokens = null;
    this.onTokens = onTokens;
    /** @type {Promise<string | null> | null} */
    this.refreshing = null;
  }

  /** @param {Tokens | null} tokens */
  adopt(tokens) {
    this.tokens = tokens;
    this.onTokens?.(tokens);
  }

  /** @param {Credentials} credentials */
  async logIn({ username, password }) {
    this.adopt(await this.#send("POST", "/api/auth/login", { username, password }));
  }

  /** @param {Credentials} credentials */
  async signUp(credentials) {
    await this.#send("POST", "/api/auth/signup", credentials);
    await this.logIn(credentials);
  }

  async logOut() {
    if (this.tokens) await this.#call("POST", "/api/auth/logout").catch(() => undefined);
    this.adopt(null);
  }

  /**
   * The access token, or a fresh one if it is `stale`.
   * @param {boolean} stale
   * @returns {Promise<string | null>} null when the login has ended
   */
  async token(stale) {
    if (!stale || !this.tokens) return this.tokens?.access_token ?? null;
    this.refreshing ??= this.#refresh().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  /**
   * Replace the tokens. A refresh token can be used once, so concurrent callers share one request.
   * @returns {Promise<string | null>}
   */
  async #refresh() {
    const body = { refresh_token: this.tokens?.refresh_token };
    try {
      this.adopt(await this.#send("POST", "/api/auth/refresh", body));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 429 || error.status >= 500) throw error;
      this.adopt(null);
    }
    return this.tokens?.access_token ?? null;
  }

  /** @returns {Promise<User>} */
  me() {
    return this.#call("GET", "/api/auth/me");
  }

  /** @returns {Promise<Room[]>} */
  rooms() {
    return this.#call("GET", "/api/rooms");
  }

  /** @param {number} id @returns {Promise<Room>} */
  room(id) {
    return this.#call("GET", `/api/rooms/${id}`);
  }

  /** @param {string} name @returns {Promise<Room>} */
  createRoom(name) {
    return this.#call("POST", "/api/rooms", { name });
  }

  /** @param {number} id @returns {Promise<{count: number, users: string[]}>} */
  presence(id) {
    return this.#call("GET", `/api/rooms/${id}/presence`);
  }

  /**
   * The newest page, or the page before a message; oldest first.
   * @param {number} roomId
   * @param {number} limit
   * @param {number} [before]
   * @returns {Promise<Message[]>}
   */
  history(roomId, limit, before) {
    const cursor = before === undefined ? "" : `&before=${before}`;
    return this.#call("GET", `/api/messages/${roomId}?limit=${limit}${cursor}`);
  }

  /**
   * Send a request with the access token, and once more with a fresh one if it is refused.
   * @template T
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<T>}
   */
  async #call(method, path, body) {
    const token = await this.token(false);
    try {
      return await this.#send(method, path, body, token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const fresh = token === this.tokens?.access_token ? await this.token(true) : await this.token(false);
      if (fresh === null) throw error;
      return await this.#send(method, path, body, fresh);
    }
  }

  /**
   * @template T the shape of the answer
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {string | null} [token]
   * @returns {Promise<T>}
   */
  async #send(method, path, body, token) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw await refusal(response);
    return /** @type {T} */ (response.status === 204 ? null : await response.json());
  }
}

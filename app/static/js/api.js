/** The REST side of the chat: every fetch of the page is here. */

/** @import {Credentials, Message, Room, Tokens, User} from "./types.js" */

/** What the server said no to, in its own words (RFC 9457). */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} detail */
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** @param {Response} response */
async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  return new ApiError(response.status, problem.code ?? "", problem.detail ?? response.statusText);
}

/** Sample accounts of a server in development; none in production. @returns {Promise<Credentials[]>} */
export async function sampleAccounts() {
  const response = await fetch("/", { headers: { Accept: "application/json" } });
  if (!response.ok) return [];
  return (await response.json()).sample_accounts ?? [];
}

/** One login: its tokens and what can be asked with them. */
export class Api {
  /** @param {(tokens: Tokens | null) => void} [onTokens] told whenever the tokens change, to remember them */
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

  /** @param {Credentials} account */
  async logIn({ username, password }) {
    this.adopt(await this.#send("POST", "/api/auth/login", { username, password }));
  }

  /** @param {Credentials} account */
  async signUp(account) {
    await this.#send("POST", "/api/auth/signup", account);
    await this.logIn(account);
  }

  async logOut() {
    if (this.tokens) await this.#call("POST", "/api/auth/logout").catch(() => undefined);
    this.adopt(null);
  }

  /**
   * An access token; a fresh one if the last is `stale`.
   * @param {boolean} stale @returns {Promise<string | null>} null when the login has ended
   */
  async token(stale) {
    if (!stale || !this.tokens) return this.tokens?.access_token ?? null;
    this.refreshing ??= this.#refresh().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  /**
   * A refresh token is good for one use, so two askers share one answer.
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
   * The newest page, or the one before a message; oldest first.
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
   * With the token, and once more with a fresh one.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
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
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {string | null} [token]
   * @returns {Promise<any>}
   */
  async #send(method, path, body, token) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw await refusal(response);
    return response.status === 204 ? null : response.json();
  }
}

/** The other end of a WebSocket, played by the test. */
export class Wire {
  /** @type {Wire[]} */
  static all = [];

  static get last() {
    return Wire.all.at(-1);
  }

  constructor(url, protocols) {
    Object.assign(this, { url, protocols, sent: [] });
    Wire.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {}

  hear(...events) {
    for (const event of events) this.onmessage({ data: JSON.stringify(event) });
  }
}

export const settle = () => new Promise((resolve) => setImmediate(resolve));

export const ready = {
  type: "ready",
  user: { id: 1, username: "alice", created_at: "2024-01-01T12:00:00.000Z" },
  session_id: "s",
  expires_at: "2999-01-01T00:00:00.000Z",
};

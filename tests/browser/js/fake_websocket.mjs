/** A WebSocket whose server side is played by the test. */
export class FakeWebSocket {
  /** @type {FakeWebSocket[]} */
  static all = [];

  static get last() {
    return FakeWebSocket.all.at(-1);
  }

  constructor(url, protocols) {
    Object.assign(this, { url, protocols, sent: [] });
    FakeWebSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {}

  receive(...events) {
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

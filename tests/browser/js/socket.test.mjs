import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ChatSocket } from "../../../app/static/js/socket.js";
import { backoff, reconnectDelay } from "../../../app/static/js/socket/backoff.js";
import * as closeCodes from "../../../app/static/js/socket/close_codes.js";
import { positionAfter } from "../../../app/static/js/socket/position.js";
import { FakeWebSocket, ready, settle } from "./fake_websocket.mjs";

/** A socket that is connected and ready, and the events and phases that it reported. */
async function connected(options = {}) {
  const reported = { events: [], phases: [] };
  const chat = new ChatSocket({
    url: "ws://test",
    token: () => "token",
    onEvent: (event) => reported.events.push(event),
    onPhase: (phase, delay) => reported.phases.push([phase, delay]),
    WebSocket: FakeWebSocket,
    ...options,
  });
  chat.open();
  await settle();
  FakeWebSocket.all.at(-1).receive(ready);
  return { chat, reported };
}

/** Close the connection, wait for the next one, and return the commands sent on it. */
async function reconnect(close) {
  FakeWebSocket.all.at(-1).onclose(close);
  mock.timers.tick(30_000);
  await settle();
  FakeWebSocket.all.at(-1).receive(ready);
  return FakeWebSocket.all.at(-1).sent;
}

beforeEach(() => {
  FakeWebSocket.all = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2024, 0, 1) });
});

test("the reconnect delay grows, has jitter, and is bounded", () => {
  assert.deepEqual([0, 1, 2, 9].map((attempt) => backoff(attempt, () => 1)), [500, 1000, 2000, 30_000]);
  assert.deepEqual([0, 1, 2, 9].map((attempt) => backoff(attempt, () => 0)), [250, 500, 1000, 15_000]);
});

test("the delay that the server gives in goodbye is used first, and once", () => {
  assert.equal(reconnectDelay({ code: 1012, attempt: 0, goodbyeMs: 4321 }), 4321);
  assert.notEqual(reconnectDelay({ code: 1006, attempt: 1, goodbyeMs: 4321 }), 4321);
  assert.equal(reconnectDelay({ code: 4408, attempt: 0, goodbyeMs: null }), 0);
  assert.ok(reconnectDelay({ code: 4429, attempt: 0, goodbyeMs: null }) >= 10_000);
});

test("the token is sent as a subprotocol, not in the URL", async () => {
  await connected();
  assert.equal(FakeWebSocket.all[0].url, "ws://test/ws");
  assert.deepEqual(FakeWebSocket.all[0].protocols, ["bearer", "token"]);
});

test("a room is resumed from the last seq received", async () => {
  const { chat } = await connected();
  chat.subscribe(1, 3);
  FakeWebSocket.all[0].receive({ type: "message", room_id: 1, id: 9, seq: 4, changed_seq: 7 });
  FakeWebSocket.all[0].receive({ type: "typing", room_id: 1, user: "bob" });
  assert.deepEqual(await reconnect({ code: 1006, reason: "" }), [
    { type: "subscribe", room_id: 1, since: 7, ref: "subscribe-1" },
  ]);
});

test("the epoch of the last catch-up is handed back, also of a truncated one", async () => {
  const { chat } = await connected();
  chat.subscribe(1, 3, "zeroth");
  assert.equal(FakeWebSocket.all[0].sent.at(-1).epoch, "zeroth");
  FakeWebSocket.all[0].receive({ type: "synced", room_id: 1, seq: 4, epoch: "first", truncated: false });
  const [again] = await reconnect({ code: 1012, reason: "" });
  assert.deepEqual(again, { type: "subscribe", room_id: 1, since: 4, epoch: "first", ref: "subscribe-1" });
  FakeWebSocket.all.at(-1).receive({ type: "synced", room_id: 1, seq: 2, epoch: "second", truncated: true });
  const [after] = await reconnect({ code: 1006, reason: "" });
  assert.deepEqual(after, { type: "subscribe", room_id: 1, since: 2, epoch: "second", ref: "subscribe-1" });
  chat.subscribe(1, 2);
  assert.equal(FakeWebSocket.all.at(-1).sent.at(-1).epoch, undefined);
});

for (const isAnother of [false, true])
  test(`commands that name a message wait for the room; in another history (${isAnother}) they are not sent`, async () => {
    const { chat } = await connected();
    chat.subscribe(1, 3, "first");
    const edit = chat.edit(1, 7, "changed");
    const reply = chat.say(1, "yes", { replyTo: 7 });
    const text = chat.say(1, "hello");
    const sent = await reconnect({ code: 1012, reason: "" });
    assert.deepEqual(sent.map(({ type, ref }) => [type, ref]), [["subscribe", "subscribe-1"], ["message", text]]);
    const socket = FakeWebSocket.all.at(-1);
    socket.sent.length = 0;
    const epoch = isAnother ? "second" : "first";
    socket.receive({ type: "synced", room_id: 1, seq: 2, epoch, truncated: true });
    const expected = isAnother ? [[reply, undefined]] : [[edit, undefined], [reply, 7]];
    assert.deepEqual(socket.sent.map(({ ref, reply_to }) => [ref, reply_to]), expected);
    assert.equal(chat.outbox.has(edit), !isAnother);
    assert.equal(chat.held.size, 0);
  });

test("only durable events move the position to resume from", () => {
  const at = { room_id: 1, id: 4 };
  const message = { ...at, type: "message", seq: 5 };
  assert.deepEqual(positionAfter(message), { roomId: 1, seq: 5 });
  assert.deepEqual(positionAfter({ ...message, changed_seq: 8 }), { roomId: 1, seq: 8 });
  assert.deepEqual(positionAfter({ ...at, type: "message.deleted", seq: 6 }), { roomId: 1, seq: 6 });
  const synced = { type: "synced", room_id: 1, seq: 7 };
  assert.deepEqual(positionAfter({ ...synced, truncated: false }), { roomId: 1, seq: 7 });
  assert.deepEqual(positionAfter({ ...synced, truncated: true }), { roomId: 1, seq: 7 });
  assert.equal(positionAfter({ ...at, type: "read", user: "bob" }), undefined);
  assert.equal(positionAfter(ready), undefined);
});

test("messages without an ack are sent again in order, acknowledged ones are not", async () => {
  const { chat } = await connected();
  const first = chat.say(1, "one");
  const second = chat.say(1, "two");
  const third = chat.say(1, "three");
  FakeWebSocket.all[0].receive({ type: "ack", ref: second, client_id: second, room_id: 1, id: 2, seq: 2 });
  const sent = await reconnect({ code: 1006, reason: "" });
  assert.deepEqual(sent.map(({ client_id }) => client_id), [first, third]);
  assert.equal(chat.outbox.size, 2);
});

test("messages written while offline are sent after reconnecting, once the rooms are subscribed", async () => {
  const { chat } = await connected();
  chat.subscribe(1);
  FakeWebSocket.all[0].onclose({ code: 1006, reason: "" });
  chat.say(1, "written offline");
  mock.timers.tick(500);
  await settle();
  FakeWebSocket.all[1].receive(ready);
  assert.deepEqual(FakeWebSocket.all[1].sent.map(({ type }) => type), ["subscribe", "message"]);
});

test("a permanent error removes a message from the outbox, a temporary one does not", async () => {
  const { chat } = await connected();
  const refused = chat.say(1, " ");
  const unlucky = chat.say(1, "hi");
  FakeWebSocket.all[0].receive({ type: "error", code: "blank", ref: refused });
  FakeWebSocket.all[0].receive({ type: "error", code: "unavailable", ref: unlucky });
  assert.deepEqual([...chat.outbox.keys()], [unlucky]);
  mock.timers.tick(2_000);
  assert.deepEqual(FakeWebSocket.all[0].sent.at(-1).client_id, unlucky);
});

test("after 4401 the client asks for a fresh token and reconnects at once", async () => {
  const asked = [];
  const { reported } = await connected({ token: (stale) => asked.push(stale) && "token" });
  FakeWebSocket.all[0].onclose({ code: 4401, reason: "" });
  assert.deepEqual(reported.phases.at(-1), ["waiting", 0]);
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(asked, [false, true]);
  assert.equal(FakeWebSocket.all.length, 2);
});

test("only a final close code stops the client from reconnecting", async () => {
  const { comesBack, ...codes } = closeCodes;
  const final = new Set([codes.BAD_REQUEST, codes.FORBIDDEN, codes.NOT_FOUND]);
  const refusedFrame = [
    codes.PROTOCOL_ERROR,
    codes.INVALID_TEXT,
    codes.TOO_MANY_FRAGMENTS,
    codes.FRAME_TOO_LARGE,
  ];
  const repairable = new Set([...refusedFrame, codes.UNAUTHORIZED]);
  for (const code of [...Object.values(codes), 1006]) {
    const { chat, reported } = await connected();
    FakeWebSocket.all.at(-1).onclose({ code, reason: "" });
    assert.equal(reported.phases.at(-1)[0], final.has(code) ? "signed-out" : "waiting", `after ${code}`);
    assert.equal(comesBack(code), !final.has(code) && !repairable.has(code), `${code}`);
    chat.close();
  }
});

test("without a token the client does not reconnect", async () => {
  const { chat, reported } = await connected({ token: (stale) => (stale ? null : "token") });
  FakeWebSocket.all[0].onclose({ code: 4401, reason: "" });
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(reported.phases.at(-1), ["signed-out", 0]);
  assert.equal(chat.connection.wanted, false);
});

test("a failed request for a token is repeated", async () => {
  let calls = 0;
  const token = () => {
    calls += 1;
    if (calls === 2) throw new Error("offline");
    return "token";
  };
  const { reported } = await connected({ token });
  FakeWebSocket.all[0].onclose({ code: 1006, reason: "" });
  mock.timers.tick(500);
  await settle();
  assert.equal(reported.phases.at(-1)[0], "waiting");
  mock.timers.tick(1_000);
  await settle();
  assert.equal(FakeWebSocket.all.length, 2);
});

test("a token is renewed on the open connection before it expires", async () => {
  const { chat } = await connected();
  FakeWebSocket.all[0].receive({ type: "ack", expires_at: new Date(Date.now() + 50_000).toISOString() });
  mock.timers.tick(25_000);
  await settle();
  const { type, token } = FakeWebSocket.all[0].sent.at(-1);
  assert.deepEqual({ type, token }, { type: "auth", token: "token" });
  chat.close();
});

test("the answer to a renewed token schedules the next renewal", async () => {
  const { chat } = await connected();
  const renewals = () => FakeWebSocket.all[0].sent.filter(({ type }) => type === "auth").length;
  FakeWebSocket.all[0].receive({ type: "ack", expires_at: new Date(Date.now() + 50_000).toISOString() });
  mock.timers.tick(25_000);
  await settle();
  FakeWebSocket.all[0].receive({ type: "ack", ref: "renew", expires_at: new Date(Date.now() + 50_000).toISOString() });
  mock.timers.tick(20_000);
  FakeWebSocket.all[0].receive({ type: "pong" });
  mock.timers.tick(5_000);
  await settle();
  assert.equal(renewals(), 2);
  chat.close();
});

test("a silent server is pinged, and the connection is dropped within 30 s when it does not answer", async () => {
  const { reported } = await connected();
  mock.timers.tick(29_000);
  assert.deepEqual(FakeWebSocket.all[0].sent, [{ type: "ping" }]);
  assert.equal(reported.phases.at(-1)[0], "online");
  mock.timers.tick(1_000);
  assert.equal(reported.phases.at(-1)[0], "waiting");
});

test("a client that wakes up finds out within ten seconds whether its connection still works", async () => {
  const { chat, reported } = await connected();
  mock.timers.tick(9_000);
  chat.wake();
  assert.deepEqual(FakeWebSocket.all[0].sent, [{ type: "ping" }]);
  mock.timers.tick(9_000);
  assert.equal(reported.phases.at(-1)[0], "online");
  mock.timers.tick(1_000);
  assert.equal(reported.phases.at(-1)[0], "waiting");
});

test("a client that wakes up while it waits connects at once", async () => {
  const { chat } = await connected();
  FakeWebSocket.all[0].onclose({ code: 1006, reason: "" });
  chat.wake();
  await settle();
  assert.equal(FakeWebSocket.all.length, 2);
  chat.wake(); // not accepted yet: there is nothing to find out
  assert.deepEqual(FakeWebSocket.all[1].sent, []);
});

test("a subscription that was refused for a moment is asked for again, one that was refused for good is not", async () => {
  const { chat } = await connected();
  chat.subscribe(1, 3);
  chat.subscribe(2, 5);
  const socket = FakeWebSocket.all[0];
  socket.receive({ type: "error", code: "database_unavailable", ref: "subscribe-1", room_id: 1 });
  socket.receive({ type: "error", code: "room_not_found", ref: "subscribe-2", room_id: 2 });
  socket.sent.length = 0;
  mock.timers.tick(2_000);
  assert.deepEqual(socket.sent, [{ type: "subscribe", room_id: 1, since: 3, ref: "subscribe-1" }]);
  assert.deepEqual([...chat.rooms.keys()], [1]);
});

test("what failed for a moment is sent again in its old order, and nothing overtakes it", async () => {
  const { chat } = await connected();
  const texts = ["one", "two", "three"].map((text) => chat.say(1, text));
  const socket = FakeWebSocket.all[0];
  for (const ref of [...texts].reverse()) socket.receive({ type: "error", code: "database_unavailable", ref });
  const last = chat.say(1, "four");
  socket.sent.length = 0;
  mock.timers.tick(2_000);
  assert.deepEqual(socket.sent.map(({ ref }) => ref), [...texts, last]);
  chat.say(1, "five");
  assert.equal(socket.sent.at(-1).content, "five");
});

test("an error that answers none of the commands that are kept holds nothing back", async () => {
  const { chat } = await connected();
  const socket = FakeWebSocket.all[0];
  socket.receive({ type: "error", code: "database_unavailable", ref: "renew" });
  chat.say(1, "at once");
  assert.equal(socket.sent.at(-1).content, "at once");
});

test("a client that is closed and opened again resumes, and sends what was not acknowledged", async () => {
  const { chat } = await connected();
  chat.subscribe(1, 3);
  const text = chat.say(1, "one");
  FakeWebSocket.all[0].receive({ type: "error", code: "unknown", ref: text });
  chat.close();
  mock.timers.tick(60_000);
  assert.equal(FakeWebSocket.all.length, 1);
  chat.open();
  await settle();
  FakeWebSocket.all[1].receive(ready);
  assert.deepEqual(FakeWebSocket.all[1].sent.map(({ ref }) => ref), ["subscribe-1", text]);
});

test("a pong keeps the connection open", async () => {
  const { reported } = await connected();
  for (let beat = 0; beat < 20; beat += 1) {
    mock.timers.tick(10_000);
    if (FakeWebSocket.all[0].sent.at(-1)?.type === "ping") FakeWebSocket.all[0].receive({ type: "pong" });
  }
  assert.equal(reported.phases.at(-1)[0], "online");
});

test("typing is sent at most every three seconds", async () => {
  const { chat } = await connected();
  for (let second = 0; second < 7; second += 1) {
    chat.typing(1);
    mock.timers.tick(1_000);
  }
  assert.equal(FakeWebSocket.all[0].sent.filter(({ type }) => type === "typing").length, 3);
});

test("the delay given in goodbye is kept to the millisecond", async () => {
  const { reported } = await connected();
  FakeWebSocket.all[0].receive({ type: "goodbye", reconnect_after_ms: 777 });
  FakeWebSocket.all[0].onclose({ code: 1012, reason: "" });
  assert.deepEqual(reported.phases.at(-1), ["waiting", 777]);
});

test("a closed client does not reconnect", async () => {
  const { chat } = await connected();
  chat.close();
  mock.timers.tick(120_000);
  await settle();
  assert.equal(FakeWebSocket.all.length, 1);
});

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ChatSocket } from "../../../app/static/js/socket.js";
import { backoff, reconnectDelay } from "../../../app/static/js/socket/backoff.js";
import * as closeCodes from "../../../app/static/js/socket/close_codes.js";
import { positionAfter } from "../../../app/static/js/socket/position.js";
import { Wire, ready, settle } from "./wire.mjs";

/** A socket that is connected and ready, and what it told. */
async function connected(options = {}) {
  const told = { events: [], phases: [] };
  const chat = new ChatSocket({
    url: "ws://test",
    token: () => "token",
    onEvent: (event) => told.events.push(event),
    onPhase: (phase, delay) => told.phases.push([phase, delay]),
    WebSocket: Wire,
    ...options,
  });
  chat.open();
  await settle();
  Wire.all.at(-1).hear(ready);
  return { chat, told };
}

async function again(close) {
  Wire.all.at(-1).onclose(close);
  mock.timers.tick(30_000);
  await settle();
  Wire.all.at(-1).hear(ready);
  return Wire.all.at(-1).sent;
}

beforeEach(() => {
  Wire.all = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2024, 0, 1) });
});

test("the wait grows, is jittered, and has an end", () => {
  assert.deepEqual([0, 1, 2, 9].map((attempt) => backoff(attempt, () => 1)), [500, 1000, 2000, 30_000]);
  assert.deepEqual([0, 1, 2, 9].map((attempt) => backoff(attempt, () => 0)), [250, 500, 1000, 15_000]);
});

test("the server's word about coming back goes first, once", () => {
  assert.equal(reconnectDelay({ code: 1012, attempt: 0, goodbyeMs: 4321 }), 4321);
  assert.notEqual(reconnectDelay({ code: 1006, attempt: 1, goodbyeMs: 4321 }), 4321);
  assert.equal(reconnectDelay({ code: 4408, attempt: 0, goodbyeMs: null }), 0);
  assert.ok(reconnectDelay({ code: 4429, attempt: 0, goodbyeMs: null }) >= 10_000);
});

test("the token travels beside the address, not in it", async () => {
  await connected();
  assert.equal(Wire.all[0].url, "ws://test/ws");
  assert.deepEqual(Wire.all[0].protocols, ["bearer", "token"]);
});

test("a room is resumed from the last seq that was heard", async () => {
  const { chat } = await connected();
  chat.subscribe(1, 3);
  Wire.all[0].hear({ type: "message", room_id: 1, id: 9, seq: 4, changed_seq: 7 });
  Wire.all[0].hear({ type: "typing", room_id: 1, user: "bob" });
  assert.deepEqual(await again({ code: 1006, reason: "" }), [{ type: "subscribe", room_id: 1, since: 7 }]);
});

test("only what happened to the room moves the place to resume from", () => {
  const at = { room_id: 1, id: 4 };
  const message = { ...at, type: "message", seq: 5 };
  assert.deepEqual(positionAfter(message), { roomId: 1, seq: 5 });
  assert.deepEqual(positionAfter({ ...message, changed_seq: 8 }), { roomId: 1, seq: 8 });
  assert.deepEqual(positionAfter({ ...at, type: "message.deleted", seq: 6 }), { roomId: 1, seq: 6 });
  const synced = { type: "synced", room_id: 1, seq: 7 };
  assert.deepEqual(positionAfter({ ...synced, truncated: false }), { roomId: 1, seq: 7 });
  assert.equal(positionAfter({ ...synced, truncated: true }), undefined);
  assert.equal(positionAfter({ ...at, type: "read", user: "bob" }), undefined);
  assert.equal(positionAfter(ready), undefined);
});

test("a truncated catch-up does not move the place to resume from", async () => {
  const { chat } = await connected();
  chat.subscribe(1, 3);
  Wire.all[0].hear({ type: "synced", room_id: 1, seq: 5_000, truncated: true });
  assert.equal((await again({ code: 1006, reason: "" }))[0].since, 3);
});

test("what is not acked is sent again in its order, what is acked is not", async () => {
  const { chat } = await connected();
  const first = chat.say(1, "one");
  const second = chat.say(1, "two");
  const third = chat.say(1, "three");
  Wire.all[0].hear({ type: "ack", ref: second, client_id: second, room_id: 1, id: 2, seq: 2 });
  const sent = await again({ code: 1006, reason: "" });
  assert.deepEqual(sent.map(({ client_id }) => client_id), [first, third]);
  assert.equal(chat.outbox.size, 2);
});

test("what is said while away is sent on arrival, after the rooms", async () => {
  const { chat } = await connected();
  chat.subscribe(1);
  Wire.all[0].onclose({ code: 1006, reason: "" });
  chat.say(1, "from the tunnel");
  mock.timers.tick(500);
  await settle();
  Wire.all[1].hear(ready);
  assert.deepEqual(Wire.all[1].sent.map(({ type }) => type), ["subscribe", "message"]);
});

test("a refusal ends a command, a passing failure does not", async () => {
  const { chat } = await connected();
  const refused = chat.say(1, " ");
  const unlucky = chat.say(1, "hi");
  Wire.all[0].hear({ type: "error", code: "blank", ref: refused });
  Wire.all[0].hear({ type: "error", code: "unavailable", ref: unlucky });
  assert.deepEqual([...chat.outbox.keys()], [unlucky]);
  mock.timers.tick(2_000);
  assert.deepEqual(Wire.all[0].sent.at(-1).client_id, unlucky);
});

test("4401 asks for a fresh token and comes back at once", async () => {
  const asked = [];
  const { told } = await connected({ token: (stale) => asked.push(stale) && "token" });
  Wire.all[0].onclose({ code: 4401, reason: "" });
  assert.deepEqual(told.phases.at(-1), ["waiting", 0]);
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(asked, [false, true]);
  assert.equal(Wire.all.length, 2);
});

test("only a code after which a client stays away ends the connection for good", async () => {
  const { comesBack, ...codes } = closeCodes;
  const final = new Set([codes.BAD_REQUEST, codes.FORBIDDEN, codes.NOT_FOUND]);
  const repairable = new Set([codes.INVALID_TEXT, codes.FRAME_TOO_LARGE, codes.UNAUTHORIZED]);
  for (const code of [...Object.values(codes), 1006]) {
    const { chat, told } = await connected();
    Wire.all.at(-1).onclose({ code, reason: "" });
    assert.equal(told.phases.at(-1)[0], final.has(code) ? "signed-out" : "waiting", `after ${code}`);
    assert.equal(comesBack(code), !final.has(code) && !repairable.has(code), `${code}`);
    chat.close();
  }
});

test("without a token there is nothing to come back with", async () => {
  const { chat, told } = await connected({ token: (stale) => (stale ? null : "token") });
  Wire.all[0].onclose({ code: 4401, reason: "" });
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(told.phases.at(-1), ["signed-out", 0]);
  assert.equal(chat.connection.wanted, false);
});

test("a token server that does not answer is asked again", async () => {
  let calls = 0;
  const token = () => {
    calls += 1;
    if (calls === 2) throw new Error("offline");
    return "token";
  };
  const { told } = await connected({ token });
  Wire.all[0].onclose({ code: 1006, reason: "" });
  mock.timers.tick(500);
  await settle();
  assert.equal(told.phases.at(-1)[0], "waiting");
  mock.timers.tick(1_000);
  await settle();
  assert.equal(Wire.all.length, 2);
});

test("a token is renewed on the living connection before it ends", async () => {
  const { chat } = await connected();
  Wire.all[0].hear({ type: "ack", expires_at: new Date(Date.now() + 50_000).toISOString() });
  mock.timers.tick(25_000);
  await settle();
  const { type, token } = Wire.all[0].sent.at(-1);
  assert.deepEqual({ type, token }, { type: "auth", token: "token" });
  chat.close();
});

test("the answer to a renewed token plans the next renewal", async () => {
  const { chat } = await connected();
  const renewals = () => Wire.all[0].sent.filter(({ type }) => type === "auth").length;
  Wire.all[0].hear({ type: "ack", expires_at: new Date(Date.now() + 50_000).toISOString() });
  mock.timers.tick(25_000);
  await settle();
  Wire.all[0].hear({ type: "ack", ref: "renew", expires_at: new Date(Date.now() + 50_000).toISOString() });
  mock.timers.tick(25_000);
  await settle();
  assert.equal(renewals(), 2);
  chat.close();
});

test("a silent peer is asked, and left when it does not answer", async () => {
  const { told } = await connected();
  mock.timers.tick(30_000);
  assert.deepEqual(Wire.all[0].sent, [{ type: "ping" }]);
  mock.timers.tick(15_000);
  assert.equal(told.phases.at(-1)[0], "waiting");
});

test("an answer to the ping keeps the connection", async () => {
  const { told } = await connected();
  for (let beat = 0; beat < 20; beat += 1) {
    mock.timers.tick(15_000);
    if (Wire.all[0].sent.at(-1)?.type === "ping") Wire.all[0].hear({ type: "pong" });
  }
  assert.equal(told.phases.at(-1)[0], "online");
});

test("typing is told at most every three seconds", async () => {
  const { chat } = await connected();
  for (let second = 0; second < 7; second += 1) {
    chat.typing(1);
    mock.timers.tick(1_000);
  }
  assert.equal(Wire.all[0].sent.filter(({ type }) => type === "typing").length, 3);
});

test("goodbye is kept to the millisecond", async () => {
  const { told } = await connected();
  Wire.all[0].hear({ type: "goodbye", reconnect_after_ms: 777 });
  Wire.all[0].onclose({ code: 1012, reason: "" });
  assert.deepEqual(told.phases.at(-1), ["waiting", 777]);
});

test("after close nothing comes back", async () => {
  const { chat } = await connected();
  chat.close();
  mock.timers.tick(120_000);
  await settle();
  assert.equal(Wire.all.length, 1);
});

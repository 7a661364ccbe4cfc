import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ChatClient } from "../../../app/static/js/client.js";
import { FakeWebSocket, ready, settle } from "./fake_websocket.mjs";

const TOKENS = { access_token: "access", refresh_token: "refresh", expires_in: 900 };

/** Requests that the client made, as `METHOD path`. @type {string[]} */
let requested = [];
/** Answers by `METHOD path`; a number is the status of a refusal. */
let answers = {};

function room(id, more = {}) {
  const counts = { last_message_id: 1, last_read_id: 1, last_seq: 3, unread_count: 0, role: "member" };
  return { id, name: `Room ${id}`, created_at: "2024-01-01T12:00:00.000Z", ...counts, ...more };
}

function message(id, more = {}) {
  const times = { timestamp: "2024-01-01T12:00:00", created_at: "2024-01-01T12:00:00.000Z" };
  const text = { sender: "bob", sender_id: 2, message: `says ${id}`, client_id: null };
  return { type: "message", id, room_id: 1, seq: id + 2, ...text, ...times, ...more };
}

async function fetchAnswer(path, { method }) {
  requested.push(`${method} ${path}`);
  const answer = answers[`${method} ${path}`];
  if (answer === undefined) throw new TypeError("the network is down");
  const status = typeof answer === "number" ? answer : 200;
  const body = status === 200 ? answer : { code: "refused", detail: `Refused with ${status}.` };
  return { status, ok: status === 200, statusText: "", json: async () => body };
}

/** Alice, logged in, with room 1 open and the socket ready. */
async function online() {
  const client = new ChatClient({ url: "ws://test", onChange: () => undefined });
  await client.account.signIn({ username: "alice", password: "correct horse" });
  await settle();
  FakeWebSocket.last.receive(ready);
  await settle();
  FakeWebSocket.last.sent.length = 0;
  return client;
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.UTC(2024, 0, 1) });
  FakeWebSocket.all = [];
  requested = [];
  answers = {
    "POST /api/auth/login": TOKENS,
    "POST /api/auth/logout": {},
    "GET /api/auth/me": { id: 1, username: "alice" },
    "GET /api/rooms": [room(1), room(2), room(3, { role: null })],
    "GET /api/rooms/1": room(1),
    "GET /api/rooms/1/presence": { count: 1, users: ["alice"] },
    "GET /api/messages/1?limit=50": [message(1)],
  };
  globalThis.fetch = fetchAnswer;
  globalThis.WebSocket = FakeWebSocket;
});

test("a login opens the first room and subscribes to every joined one", async () => {
  const client = new ChatClient({ url: "ws://test", onChange: () => undefined });
  await client.account.signIn({ username: "alice", password: "correct horse" });
  await settle();
  FakeWebSocket.last.receive(ready);
  assert.equal(client.state.user.username, "alice");
  assert.equal(client.state.current, 1);
  assert.equal(client.state.connection.phase, "online");
  assert.deepEqual(client.state.timelines[1].messages.map(({ id }) => id), [1]);
  const subscribed = FakeWebSocket.last.sent.map(({ type, room_id, since }) => [type, room_id, since]);
  assert.deepEqual(subscribed, [
    ["subscribe", 1, 3],
    ["subscribe", 2, 3],
  ]);
});

test("the room is read before its page, so that no change between the two requests is lost", async () => {
  await online();
  assert.ok(requested.indexOf("GET /api/rooms/1") < requested.indexOf("GET /api/messages/1?limit=50"));
});

test("a restored session opens its last room", async () => {
  answers["GET /api/rooms/2"] = room(2);
  answers["GET /api/messages/2?limit=50"] = [];
  const client = new ChatClient({ url: "ws://test", onChange: () => undefined });
  await client.account.resume(TOKENS, 2);
  assert.equal(client.state.current, 2);
  assert.ok(!requested.includes("POST /api/auth/login"));
});

test("a problem is shown with the server's text, an unreachable server with the client's own", async () => {
  const client = new ChatClient({ url: "ws://test", onChange: () => undefined });
  answers["POST /api/auth/login"] = 403;
  await client.account.signIn({ username: "alice", password: "wrong" });
  assert.equal(client.state.problem, "Refused with 403.");
  delete answers["POST /api/auth/login"];
  await client.account.signIn({ username: "alice", password: "wrong" });
  assert.equal(client.state.problem, "The server cannot be reached.");
  assert.equal(client.state.user, null);
});

test("a message is pending until its event arrives, and is sent again with the same client_id", async () => {
  const client = await online();
  client.messages.send("hi", 1);
  const [sent] = FakeWebSocket.last.sent;
  assert.deepEqual([sent.type, sent.room_id, sent.content, sent.reply_to], ["message", 1, "hi", 1]);
  const { ref, client_id } = sent;
  FakeWebSocket.last.receive({ type: "error", code: "reply_to_nothing", detail: "No.", ref, client_id });
  assert.equal(client.state.outbox[0].error, "No.");
  client.messages.resend(sent.client_id);
  assert.equal(client.state.outbox[0].error, undefined);
  assert.deepEqual(FakeWebSocket.last.sent[1], sent);
  FakeWebSocket.last.receive(message(2, { sender: "alice", client_id: sent.client_id, message: "hi" }));
  assert.deepEqual(client.state.outbox, []);
});

test("a refused message can be discarded", async () => {
  const client = await online();
  client.messages.send("hi");
  client.messages.discard(client.state.outbox[0].client_id);
  assert.deepEqual(client.state.outbox, []);
});

test("an edit without a change is not sent", async () => {
  const client = await online();
  client.messages.edit(message(1), "says 1");
  assert.deepEqual(FakeWebSocket.last.sent, []);
  client.messages.edit(message(1), "says one");
  client.messages.delete(message(1));
  assert.deepEqual(FakeWebSocket.last.sent.map(({ type, id, content }) => [type, id, content]), [
    ["message.edit", 1, "says one"],
    ["message.delete", 1, undefined],
  ]);
});

test("toggling adds a reaction, or removes the user's own", async () => {
  const client = await online();
  const ours = { emoji: "👍", users: ["alice", "bob"], count: 2 };
  const reacted = message(1, { reactions: [ours, { emoji: "🎉", users: ["bob"], count: 1 }] });
  client.messages.toggleReaction(reacted, "👍");
  client.messages.toggleReaction(reacted, "🎉");
  assert.deepEqual(FakeWebSocket.last.sent.map(({ type }) => type), ["reaction.remove", "reaction.add"]);
});

test("a read receipt is sent once and never moves back", async () => {
  const client = await online();
  FakeWebSocket.last.receive(message(2));
  assert.equal(client.state.rooms[0].unread_count, 1);
  client.messages.markRead(2);
  client.messages.markRead(2);
  client.messages.markRead(1);
  assert.deepEqual(FakeWebSocket.last.sent.map(({ type, id }) => [type, id]), [["read", 2]]);
  assert.equal(client.state.rooms[0].unread_count, 0);
});

test("typing is sent to the open room", async () => {
  const client = await online();
  client.messages.typing();
  assert.deepEqual(FakeWebSocket.last.sent, [{ type: "typing", room_id: 1 }]);
});

test("older pages are loaded up to the beginning, and one at a time", async () => {
  answers["GET /api/rooms/1"] = room(1, { last_message_id: 60 });
  const all = Array.from({ length: 60 }, (_, index) => message(index + 1));
  answers["GET /api/messages/1?limit=50"] = all.slice(10);
  answers["GET /api/messages/1?limit=50&before=11"] = all.slice(0, 10);
  const client = await online();
  await Promise.all([client.rooms.loadOlder(), client.rooms.loadOlder()]);
  assert.equal(client.state.timelines[1].messages.length, 60);
  await client.rooms.loadOlder();
  assert.equal(requested.filter((request) => request.includes("before=")).length, 1);
});

test("a page that cannot be loaded is reported, and can be requested again", async () => {
  const client = await online();
  client.model.set({ ...client.state, timelines: {} });
  delete answers["GET /api/messages/1?limit=50"];
  await client.rooms.open(1);
  assert.equal(client.state.problem, "The server cannot be reached.");
  assert.equal(client.state.timelines[1].loading, false);
  answers["GET /api/messages/1?limit=50"] = [message(1)];
  await client.rooms.open(1);
  assert.equal(client.state.problem, "");
  assert.equal(client.state.timelines[1].loaded, true);
});

test("after a truncated catch-up the history is reloaded and the room resumed from there", async () => {
  const client = await online();
  answers["GET /api/rooms/1"] = room(1, { last_message_id: 900, last_seq: 2_000 });
  answers["GET /api/messages/1?limit=50"] = [message(900, { seq: 2_000 })];
  const synced = { type: "synced", room_id: 1, seq: 2_000, last_message_id: 900, last_read_id: 1 };
  FakeWebSocket.last.receive({ ...synced, truncated: true });
  await settle();
  assert.deepEqual(client.state.timelines[1].messages.map(({ id }) => id), [900]);
  assert.deepEqual(FakeWebSocket.last.sent, [
    { type: "subscribe", room_id: 1, since: 2_000, ref: "subscribe-1" },
  ]);
});

test("the reconnect countdown changes every second", async () => {
  const client = await online();
  FakeWebSocket.last.receive({ type: "goodbye", reconnect_after_ms: 4_500 });
  FakeWebSocket.last.onclose({ code: 1012, reason: "" });
  assert.equal(client.state.connection.phase, "waiting");
  assert.equal(client.state.connection.retryAt, Date.now() + 4_500);
  let changes = 0;
  client.model.onChange = () => (changes += 1);
  mock.timers.tick(4_000);
  assert.equal(changes, 4);
});

test("a new room is opened", async () => {
  answers["POST /api/rooms"] = room(4);
  answers["GET /api/rooms/4"] = room(4);
  answers["GET /api/messages/4?limit=50"] = [];
  const client = await online();
  await client.rooms.create("Room 4");
  assert.equal(client.state.current, 4);
  assert.deepEqual(client.state.rooms.map(({ id }) => id), [1, 2, 3, 4]);
});

test("signing out forgets everything but the frame log", async () => {
  const client = await online();
  client.messages.send("hi");
  await client.account.signOut();
  assert.equal(client.state.user, null);
  assert.equal(client.state.problem, "");
  assert.equal(client.socket.rooms.size + client.socket.outbox.size, 0);
  assert.ok(client.state.frames.total > 0);
});

test("a session that was ended elsewhere is reported", async () => {
  const client = await online();
  answers["POST /api/auth/refresh"] = 401;
  FakeWebSocket.last.onclose({ code: 4401, reason: "" });
  mock.timers.tick(1);
  await settle();
  assert.equal(client.state.user, null);
  assert.equal(client.state.problem, "This login has ended. Log in again.");
});

test("a disposed client has no user and reports no further tokens", async () => {
  const reported = [];
  const onTokens = (tokens) => reported.push(tokens);
  const client = new ChatClient({ url: "ws://test", onChange: () => undefined, onTokens });
  await client.account.signIn({ username: "alice", password: "correct horse" });
  await client.dispose();
  assert.deepEqual(reported, [TOKENS]);
  assert.equal(client.state.user, null);
});

test("the frame log can be paused and cleared", async () => {
  const client = await online();
  client.pauseFrames(true);
  const { entries, total } = client.state.frames;
  client.messages.typing();
  assert.equal(client.state.frames.entries, entries);
  assert.equal(client.state.frames.total, total + 1);
  client.clearFrames();
  assert.deepEqual(client.state.frames.entries, []);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import * as store from "../../../app/static/js/store.js";
import { FRAMES_KEPT, emptyLog, withFrame } from "../../../app/static/js/store/frame_log.js";
import { emptyTimeline, find, seenBy, withEvent, withPage } from "../../../app/static/js/store/timeline.js";

const ALICE = { id: 1, username: "alice" };
const NOW = 1_000_000;

function message(id, more = {}) {
  return {
    type: "message",
    id,
    room_id: 1,
    seq: id,
    sender: "bob",
    sender_id: 2,
    message: `says ${id}`,
    timestamp: "2024-01-01T12:00:00",
    created_at: "2024-01-01T12:00:00.000Z",
    client_id: null,
    ...more,
  };
}

function room(id, more = {}) {
  const counts = { last_message_id: 0, last_read_id: 0, last_seq: 0, unread_count: 0, role: "member" };
  return { id, name: `Room ${id}`, created_at: "2024-01-01T12:00:00.000Z", ...counts, ...more };
}

/** Alice, in room 1 of two, with one page loaded. */
function inRoom(page = []) {
  let state = store.signedIn(store.emptyState(), ALICE);
  state = store.roomsLoaded(state, [room(2), room(1)]);
  state = store.roomOpened(state, 1);
  return store.historyLoaded(store.historyAsked(state, 1), 1, page);
}

const receive = (state, ...events) => events.reduce((held, event) => store.received(held, event, NOW), state);
const ids = (state, id = 1) => store.timelineOf(state, id).messages.map((each) => each.id);
const pending = (client_id) => ({ client_id, room_id: 1, content: "hi", sent_at: NOW, acked: false });

test("messages are shown in the order of their ids, each once, in whatever order they arrive", () => {
  const late = [5, 3, 3, 4, 2].map((id) => message(id));
  const state = receive(inRoom([message(1), message(2)]), ...late);
  assert.deepEqual(ids(state), [1, 2, 3, 4, 5]);
});

test("a state is never mutated, only replaced", () => {
  const before = inRoom([message(1, { reactions: [{ emoji: "👍", users: ["bob"], count: 1 }] })]);
  const copy = structuredClone(before);
  const reaction = { type: "reaction", room_id: 1, id: 1, seq: 9, emoji: "👍", user: "eve", action: "add", count: 2 };
  receive(before, message(2), reaction);
  assert.deepEqual(before, copy);
});

test("a change is applied once and never undoes a later one", () => {
  const edit = { type: "message.updated", room_id: 1, id: 1, seq: 7, content: "later", edited_at: "x" };
  let state = receive(inRoom([message(1)]), edit, { ...edit, seq: 6, content: "earlier" }, message(1));
  assert.equal(store.messageOf(state, 1, 1).message, "later");
  const deletion = { type: "message.deleted", room_id: 1, id: 1, seq: 8, deleted_at: "y" };
  state = receive(state, deletion, { ...edit, seq: 7 });
  assert.equal(store.messageOf(state, 1, 1).message, "");
  assert.equal(store.messageOf(state, 1, 1).deleted_at, "y");
});

test("reactions are kept per user, and a repeated one counts once", () => {
  const about = { type: "reaction", room_id: 1, id: 1, emoji: "👍" };
  const react = (seq, user, action, count) => ({ ...about, seq, user, action, count });
  const twice = [react(2, "bob", "add", 1), react(2, "bob", "add", 1)];
  const state = receive(inRoom([message(1)]), ...twice, react(3, "eve", "add", 2));
  assert.deepEqual(store.messageOf(state, 1, 1).reactions, [{ emoji: "👍", users: ["bob", "eve"], count: 2 }]);
  const after = receive(state, react(4, "bob", "remove", 1), react(5, "eve", "remove", 0));
  assert.deepEqual(store.messageOf(after, 1, 1).reactions, []);
});

test("of an emoji with many users a hundred are listed, and all are counted", () => {
  const users = Array.from({ length: 100 }, (_, index) => `user${index}`);
  const held = message(1, { reactions: [{ emoji: "👍", users, count: 250 }] });
  const about = { type: "reaction", room_id: 1, id: 1, emoji: "👍" };
  const more = receive(inRoom([held]), { ...about, seq: 2, user: "eve", action: "add", count: 251 });
  assert.deepEqual(store.messageOf(more, 1, 1).reactions, [{ emoji: "👍", users, count: 251 }]);
  const events = [...users, "eve"].map((user, index) => {
    return { ...about, seq: 3 + index, user, action: "remove", count: 250 - index };
  });
  const fewer = receive(more, ...events);
  assert.deepEqual(store.messageOf(fewer, 1, 1).reactions, [{ emoji: "👍", users: [], count: 150 }]);
});

test("a change that arrives before the page with its message is not lost", () => {
  let state = inRoom([message(11), message(12)]);
  state = store.historyAsked(state, 1);
  state = receive(state, { type: "message.updated", room_id: 1, id: 9, seq: 20, content: "new" });
  state = store.historyLoaded(state, 1, [message(9), message(10)]);
  assert.equal(store.messageOf(state, 1, 9).message, "new");
});

test("an old message from a catch-up is not shown before its page is loaded", () => {
  const state = receive(inRoom([message(11), message(12)]), message(3, { changed_seq: 30 }), message(13));
  assert.deepEqual(ids(state), [11, 12, 13]);
});

test("an empty page, or one with the first message, is the last, while a short one may be cut", () => {
  assert.equal(withPage(emptyTimeline(), [message(1), message(2)]).complete, true);
  assert.equal(withPage(emptyTimeline(), []).complete, true);
  assert.equal(withPage(emptyTimeline(), [message(4)]).complete, false);
});

test("a message is pending until its own event arrives, with or without an earlier ack", () => {
  let state = store.sendQueued(inRoom(), pending("c1"));
  state = receive(state, { type: "ack", room_id: 1, ref: "c1", client_id: "c1", id: 1, seq: 1 });
  assert.equal(state.outbox[0].acked, true);
  state = receive(state, message(1, { sender: "alice", client_id: "c1" }));
  assert.deepEqual(state.outbox, []);
});

test("a message of another user with the same client_id does not confirm a pending one", () => {
  const state = receive(store.sendQueued(inRoom(), pending("c1")), message(1, { client_id: "c1" }));
  assert.equal(state.outbox.length, 1);
});

test("a message in a loaded page is no longer pending", () => {
  let state = store.sendQueued(inRoom(), pending("c1"));
  state = store.historyDropped(state, 1);
  assert.deepEqual(ids(state), []);
  state = store.historyLoaded(state, 1, [message(1, { sender: "alice", client_id: "c1" })]);
  assert.deepEqual(state.outbox, []);
});

test("an error is shown with the message that was refused", () => {
  const refusal = { type: "error", code: "blank", detail: "This is blank", client_id: "c1", ref: "c1" };
  const state = receive(store.sendQueued(inRoom(), pending("c1")), refusal);
  assert.equal(state.outbox[0].error, "This is blank");
  assert.equal(state.problem, "");
  assert.equal(receive(state, { ...refusal, client_id: "other", ref: "other" }).problem, "This is blank");
});

test("messages after the read receipt are unread, own messages are read, and the receipt never moves back", () => {
  let state = receive(inRoom(), message(1, { room_id: 2 }), message(2, { room_id: 2 }));
  assert.equal(store.roomOf(state, 2).unread_count, 2);
  assert.equal(store.unreadTotal(state), 2);
  state = receive(state, { type: "read", room_id: 2, user: "alice", id: 1 });
  assert.equal(store.roomOf(state, 2).unread_count, 1);
  state = receive(state, message(3, { room_id: 2, sender: "alice" }));
  state = receive(state, { type: "read", room_id: 2, user: "alice", id: 1 });
  assert.equal(store.roomOf(state, 2).unread_count, 0);
});

test("a deleted message is no longer unread, and is subtracted once", () => {
  let state = receive(inRoom(), message(1, { room_id: 2 }), message(2, { room_id: 2 }));
  const gone = { type: "message.deleted", room_id: 2, id: 1, seq: 9, deleted_at: "2024-01-01T12:00:00.000Z" };
  state = receive(state, gone, gone);
  assert.equal(store.roomOf(state, 2).unread_count, 1);
  state = receive(state, { type: "read", room_id: 2, user: "alice", id: 2 }, { ...gone, id: 2, seq: 10 });
  assert.equal(store.roomOf(state, 2).unread_count, 0);
});

test("messages that were deleted before the list was loaded stay out of the count", () => {
  const counts = { last_message_id: 5, last_read_id: 1, last_seq: 9, unread_count: 2 };
  let state = store.roomsLoaded(store.signedIn(store.emptyState(), ALICE), [room(2, counts)]);
  state = receive(state, message(6, { room_id: 2, seq: 10 }));
  assert.equal(store.roomOf(state, 2).unread_count, 3);
  state = receive(state, { type: "read", room_id: 2, user: "alice", id: 6 });
  assert.equal(store.roomOf(state, 2).unread_count, 0);
});

test("a list of rooms that is older than the last event does not undo it", () => {
  const state = receive(inRoom(), message(1, { room_id: 2, seq: 4 }));
  const late = store.roomsLoaded(state, [room(1), room(2), room(3)]);
  assert.equal(store.roomOf(late, 2).unread_count, 1);
  assert.equal(late.rooms.length, 3);
});

test("the line above unread messages is where the user stopped reading", () => {
  let state = store.signedIn(store.emptyState(), ALICE);
  const half = room(1, { last_message_id: 5, last_read_id: 3, unread_count: 2 });
  state = store.roomsLoaded(state, [half, room(2)]);
  assert.equal(store.timelineOf(store.roomOpened(state, 1), 1).mark, 3);
  assert.equal(store.timelineOf(store.roomOpened(state, 2), 2).mark, null);
});

test("typing ends with the message, after seven seconds, or with the connection", () => {
  const typing = { type: "typing", room_id: 1, user: "bob" };
  const state = receive(inRoom(), typing, { ...typing, user: "alice" });
  assert.deepEqual(store.typingIn(state, 1), ["bob"]);
  assert.deepEqual(store.typingIn(receive(state, message(1)), 1), []);
  assert.deepEqual(store.typingIn(store.ticked(state, NOW + 6_999), 1), ["bob"]);
  assert.deepEqual(store.typingIn(store.ticked(state, NOW + 7_000), 1), []);
  const lost = store.connectionChanged(state, { phase: "waiting", retryAt: 0, reason: "" });
  assert.deepEqual(store.typingIn(lost, 1), []);
});

test("presence events add and remove names, and the count may exceed the names", () => {
  const presence = (more) => ({ type: "presence", room_id: 1, ...more });
  let state = store.presenceLoaded(inRoom(), 1, ["alice"]);
  state = receive(state, presence({ count: 3, online: ["carol", "bob"] }));
  state = receive(state, presence({ count: 2, offline: ["carol"] }));
  assert.deepEqual(state.presence[1], { users: ["alice", "bob"], count: 2 });
});

test("the last message is seen by the users who have read it, except its author and the current user", () => {
  const read = (user, id) => ({ type: "read", room_id: 1, user, id });
  const receipts = [read("eve", 2), read("bob", 2), read("carol", 1), read("eve", 1)];
  const state = receive(inRoom([message(1), message(2)]), ...receipts);
  assert.deepEqual(seenBy(store.timelineOf(state, 1), "alice"), ["eve"]);
});

test("the frame log keeps the latest frames, counts while paused, and hides tokens", () => {
  let log = emptyLog();
  for (let count = 0; count < FRAMES_KEPT + 5; count += 1) log = withFrame(log, "in", "{}", NOW);
  assert.equal(log.entries.length, FRAMES_KEPT);
  assert.equal(log.entries[0].number, 6);
  let state = store.framesChanged(store.framesChanged(store.emptyState(), log), { paused: true });
  log = withFrame(state.frames, "out", "{}", NOW);
  assert.equal(log.entries.at(-1).number, FRAMES_KEPT + 5);
  assert.equal(log.total, FRAMES_KEPT + 6);
  state = store.framesChanged(state, { ...log, paused: false, entries: [] });
  log = withFrame(state.frames, "out", '{"token":"secret"}', NOW);
  assert.deepEqual(log.entries.map(({ text }) => text), ['{"token":"…"}']);
});

test("an old snapshot and all later events give the new snapshot, even if some events are repeated", () => {
  const events = [
    message(3, { seq: 3 }),
    { type: "message.updated", room_id: 1, id: 1, seq: 4, content: "edited", edited_at: "e", reactions: [] },
    { type: "reaction", room_id: 1, id: 2, seq: 5, emoji: "🎉", user: "eve", action: "add", count: 1 },
    { type: "message.deleted", room_id: 1, id: 3, seq: 6, deleted_at: "d" },
  ];
  const snapshot = withPage(emptyTimeline(), [message(1), message(2)]);
  const whole = events.reduce(withEvent, snapshot);
  for (let cut = 0; cut <= events.length; cut += 1) {
    const again = [...events.slice(0, cut), ...events].reduce(withEvent, snapshot);
    assert.deepEqual(again.messages, whole.messages);
  }
  assert.equal(find(whole, 3).message, "");
});

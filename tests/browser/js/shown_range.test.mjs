import assert from "node:assert/strict";
import { test } from "node:test";

import { around, carried, earlier, later, newest, sizeFor } from "../../../app/static/js/views/shown_range.js";

/** Messages with these ids, both inclusive. */
function messages(first, last) {
  return Array.from({ length: last - first + 1 }, (_, at) => ({ id: first + at }));
}

const ids = (all, { from, to }) => all.slice(from, to).map(({ id }) => id);

test("a run is at least four screens of the lowest rows", () => {
  assert.equal(sizeFor(0), 200);
  assert.equal(sizeFor(700), 200);
  assert.equal(sizeFor(8_000), 1_600);
});

test("the newest run ends with the last message, and a short list is shown whole", () => {
  assert.deepEqual(newest(500, 200), { from: 300, to: 500 });
  assert.deepEqual(newest(30, 200), { from: 0, to: 30 });
});

test("moving to both ends shows every message, never more than the size, and never leaves what is visible", () => {
  const size = 200;
  const seen = new Set();
  let run = newest(1_030, size);
  for (let step = earlier; step; ) {
    assert.ok(run.to - run.from <= size && run.from >= 0 && run.to <= 1_030);
    for (let at = run.from; at < run.to; at += 1) seen.add(at);
    const next = step === earlier ? earlier(run, size) : later(run, 1_030, size);
    if (next.from === run.from && next.to === run.to) step = step === earlier ? later : null;
    assert.ok(Math.min(run.to, next.to) - Math.max(run.from, next.from) >= size * 0.75, "three quarters stay");
    run = next;
  }
  assert.equal(seen.size, 1_030);
  assert.deepEqual(run, newest(1_030, size));
});

test("a run around a message has it in the middle, or at an end of the list", () => {
  assert.deepEqual(around(500, 1_000, 200), { from: 400, to: 600 });
  assert.deepEqual(around(3, 1_000, 200), { from: 0, to: 200 });
  assert.deepEqual(around(999, 1_000, 200), { from: 800, to: 1_000 });
  assert.deepEqual(around(3, 10, 200), { from: 0, to: 10 });
});

test("an older page is outside a full run, and fills one that is not full", () => {
  const before = messages(101, 400);
  const full = carried({ from: 0, to: 200 }, before, messages(51, 400), 200);
  assert.deepEqual(full, { from: 50, to: 250 });
  const filled = carried({ from: 0, to: 50 }, messages(51, 100), messages(1, 100), 200);
  assert.deepEqual(filled, { from: 0, to: 100 });
});

test("new messages join a run that ends with the newest one, until it is full", () => {
  const joined = carried({ from: 0, to: 50 }, messages(1, 50), messages(1, 60), 200);
  assert.deepEqual(joined, { from: 0, to: 60 });
  const all = messages(1, 210);
  assert.deepEqual(ids(all, carried({ from: 0, to: 199 }, messages(1, 199), all, 200)).at(-1), 200);
  assert.deepEqual(carried({ from: 10, to: 110 }, messages(1, 150), messages(1, 160), 100), { from: 10, to: 110 });
});

test("a run of messages that were dropped is empty, and begins anew with the next page", () => {
  const none = carried({ from: 100, to: 300 }, messages(1, 400), [], 200);
  assert.deepEqual(none, { from: 0, to: 0 });
  assert.deepEqual(carried(none, [], messages(1, 50), 200), { from: 0, to: 50 });
});

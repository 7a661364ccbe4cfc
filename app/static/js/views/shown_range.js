/**
 * Which run of the loaded messages is in the DOM: pure functions. A run is several screens long and moves by a
 * quarter, so that what is visible stays in it.
 */

import { indexOf } from "../store/timeline.js";

/** @import {Message} from "../types.js" */

/** @typedef {{from: number, to: number}} ShownRange indexes of messages, `to` exclusive */

const LEAST = 200;
const SCREENS = 4;
const LOWEST_ROW_PX = 20;

/**
 * How many messages are in the DOM at most.
 * @param {number} height of the visible part, in pixels
 */
export function sizeFor(height) {
  return Math.max(LEAST, SCREENS * Math.ceil(height / LOWEST_ROW_PX));
}

/** @param {number} count @param {number} size @returns {ShownRange} */
export function newest(count, size) {
  return { from: Math.max(0, count - size), to: count };
}

/** @param {ShownRange} range @param {number} size @returns {ShownRange} */
export function earlier({ from, to }, size) {
  const next = Math.max(0, from - size / 4);
  return { from: next, to: Math.min(to, next + size) };
}

/** @param {ShownRange} range @param {number} count @param {number} size @returns {ShownRange} */
export function later({ from, to }, count, size) {
  const next = Math.min(count, to + size / 4);
  return { from: Math.max(from, next - size), to: next };
}

/** @param {number} index @param {number} count @param {number} size @returns {ShownRange} */
export function around(index, count, size) {
  const from = Math.max(0, Math.min(index - size / 2, count - size));
  return { from, to: Math.min(count, from + size) };
}

/**
 * The run with the same messages after some were added or dropped. It grows with what is added at either end of it,
 * up to the size.
 * @param {ShownRange} range
 * @param {Message[]} before
 * @param {Message[]} after
 * @param {number} size
 * @returns {ShownRange}
 */
export function carried({ from, to }, before, after, size) {
  const first = indexOf(after, before[from]?.id ?? 0);
  const end = to < before.length ? indexOf(after, before[to]?.id ?? 0) : after.length;
  const next = Math.min(end, first + size);
  return { from: Math.max(0, Math.min(first, next - size)), to: next };
}

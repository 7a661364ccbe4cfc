/** The log of the raw frames of one socket: pure functions from an old log to a new one. */

/** @import {Direction, FrameLog} from "../types.js" */

export const FRAMES_KEPT = 500;

/** @returns {FrameLog} */
export function emptyLog() {
  return { entries: [], paused: false, total: 0 };
}

/**
 * Append a frame. A paused log only counts it.
 * @param {FrameLog} log
 * @param {Direction} direction
 * @param {string} text
 * @param {number} at
 * @returns {FrameLog}
 */
export function withFrame(log, direction, text, at) {
  const number = log.total + 1;
  if (log.paused) return { ...log, total: number };
  const frame = { number, at, direction, text: withoutToken(text) };
  const entries = [...log.entries.slice(1 - FRAMES_KEPT), frame];
  return { ...log, entries, total: number };
}

/** Mask tokens: the log is copied into bug reports. @param {string} text */
function withoutToken(text) {
  return text.replace(/("(?:access_|refresh_)?token"\s*:\s*")[^"]*/g, "$1…");
}

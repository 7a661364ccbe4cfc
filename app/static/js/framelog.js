/** The log of the frames that went over one socket: pure functions from an old log to a new one. */

/** @import {Direction, FrameLog} from "./types.js" */

export const FRAMES_KEPT = 500;

/** @returns {FrameLog} */
export function emptyLog() {
  return { entries: [], paused: false, total: 0 };
}

/**
 * A paused log only counts.
 * @param {FrameLog} log
 * @param {Direction} direction
 * @param {string} text
 * @param {number} at
 * @returns {FrameLog}
 */
export function withFrame(log, direction, text, at) {
  const number = log.total + 1;
  if (log.paused) return { ...log, total: number };
  const entries = [...log.entries.slice(1 - FRAMES_KEPT), { number, at, direction, text: withoutToken(text) }];
  return { ...log, entries, total: number };
}

/** A log is copied into bug reports; a token is not. @param {string} text */
function withoutToken(text) {
  return text.replace(/("(?:access_|refresh_)?token"\s*:\s*")[^"]*/g, "$1…");
}

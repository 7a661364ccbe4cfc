/** How long to wait before connecting again. */
import { TOO_FAST, TOO_SLOW, UNAUTHORIZED } from "./close_codes.js";

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const TOO_FAST_MS = 10_000;

/**
 * Exponential backoff, half of it random, so that a thousand clients do not connect in the same second.
 * @param {number} attempt failures in a row so far
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/**
 * The delay before the next attempt. The first one follows the server's `goodbye`, if there was one.
 * @param {{code: number, attempt: number, goodbyeMs: number | null}} lost how the connection ended
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function reconnectDelay({ code, attempt, goodbyeMs }, random = Math.random) {
  if (goodbyeMs !== null && attempt === 0) return goodbyeMs;
  if (attempt === 0 && (code === TOO_SLOW || code === UNAUTHORIZED)) return 0;
  const usual = backoff(attempt, random);
  return code === TOO_FAST ? Math.max(TOO_FAST_MS, usual) : usual;
}

/** When to come back after a lost connection. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Close codes of the protocol; they read like the HTTP statuses of the same last digits. */
export const CLOSED = Object.freeze({ TOKEN: 4401, FORBIDDEN: 4403, TOO_SLOW: 4408, TOO_FAST: 4429 });

/**
 * Exponential, half of it random, so that a thousand clients do not come back in one second.
 * @param {number} attempt failures in a row so far
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/**
 * @param {{code: number, attempt: number, goodbyeMs: number | null}} lost how the connection ended
 * @param {() => number} [random]
 * @returns {number} milliseconds; the server's own word (goodbye) goes first
 */
export function comeBackAfter({ code, attempt, goodbyeMs }, random = Math.random) {
  if (goodbyeMs !== null && attempt === 0) return goodbyeMs;
  if (attempt === 0 && (code === CLOSED.TOO_SLOW || code === CLOSED.TOKEN)) return 0;
  const usual = backoff(attempt, random);
  return code === CLOSED.TOO_FAST ? Math.max(10_000, usual) : usual;
}

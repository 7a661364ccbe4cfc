/** Times in the language and time zone of the browser. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const PRECISE = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const DAY_MS = 86_400_000;

/** @param {string} instant */
export const clock = (instant) => CLOCK.format(new Date(instant));

/** The time without AM or PM, for narrow places. @param {string} instant */
export const shortClock = (instant) =>
  CLOCK.formatToParts(new Date(instant))
    .filter(({ type }) => type !== "dayPeriod")
    .map(({ value }) => value)
    .join("")
    .trim();

/** @param {string} instant */
export const exact = (instant) => EXACT.format(new Date(instant));

/** @param {number} milliseconds */
export const precise = (milliseconds) => PRECISE.format(new Date(milliseconds));

/** @param {Date} date */
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** @param {string} one @param {string} other */
export const isSameDay = (one, other) => midnight(new Date(one)) === midnight(new Date(other));

/** @param {string} instant @param {Date} [now] */
export function day(instant, now = new Date()) {
  const date = new Date(instant);
  const daysAgo = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (daysAgo > 1 || daysAgo < 0) return DAY.format(date);
  const word = RELATIVE.format(-daysAgo, "day");
  return word.charAt(0).toUpperCase() + word.slice(1);
}

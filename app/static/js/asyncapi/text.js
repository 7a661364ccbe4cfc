/**
 * Splits text into pieces that a view can style: code and emphasis in prose, the tokens of an example. Pure.
 */

/** @typedef {{kind: "text" | "code" | "strong" | "key" | "string" | "other", text: string}} Piece */

const PROSE = /`([^`]+)`|\*\*([^*]+)\*\*/g;
const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?/g;
const LINE = 84;

/** @param {string} source @returns {Piece[]} */
export function proseIn(source) {
  return pieces(source, PROSE, ([, code, strong]) =>
    code ? { kind: "code", text: code } : { kind: "strong", text: strong ?? "" },
  );
}

/** @param {unknown} value @returns {Piece[]} */
export function jsonIn(value) {
  return pieces(format(value), JSON_TOKEN, ([text, string, colon]) => {
    if (colon) return { kind: "key", text };
    return { kind: string ? "string" : "other", text };
  });
}

/** JSON on one line if it fits, else indented. @param {unknown} value */
function format(value) {
  const line = onOneLine(value);
  return line.length <= LINE ? line : JSON.stringify(value, null, 2);
}

/** @param {unknown} value @returns {string} */
function onOneLine(value) {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${onOneLine(each)}`)
    .join(", ")}}`;
}

/**
 * @param {string} source @param {RegExp} pattern @param {(match: RegExpExecArray) => Piece} pieceOf
 * @returns {Piece[]}
 */
function pieces(source, pattern, pieceOf) {
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const match of source.matchAll(pattern)) {
    if (match.index > end) found.push({ kind: "text", text: source.slice(end, match.index) });
    found.push(pieceOf(match));
    end = match.index + match[0].length;
  }
  if (end < source.length) found.push({ kind: "text", text: source.slice(end) });
  return found;
}

/** Renders the protocol as chapters. Text is set as text: nothing here parses markup. */
import { create, fromTemplate, part } from "../views/elements.js";
import { jsonIn, proseIn } from "./text.js";

/**
 * @import {Channel, Chapter, Field, Link, Message, Protocol} from "./types.js"
 * @import {Piece} from "./text.js"
 */

const TOKEN = { anchor: "token", name: "token" };
const CODES = { anchor: "codes", name: "code" };

/** @param {Protocol} protocol @returns {HTMLElement[]} */
export function chapters(protocol) {
  return [connecting(protocol), ...protocol.chapters.map(messageChapter), closing(protocol)];
}

/** @param {Protocol} protocol @returns {HTMLElement[]} */
export function contents(protocol) {
  return [
    contentsOf("Connecting", [...protocol.channels, TOKEN]),
    ...protocol.chapters.map(({ title, messages }) => contentsOf(title, messages)),
    contentsOf("Close codes", [CODES]),
  ];
}

/** @param {string} title @param {Link[]} links */
function contentsOf(title, links) {
  const section = create("section", "");
  section.append(create("h2", "", title), ...links.map(({ anchor, name }) => link(anchor, name)));
  return section;
}

/** @param {Protocol} protocol */
function connecting({ prose, channels, tokens }) {
  const section = chapter("Connecting", prose);
  const ways = create("ul", "");
  ways.append(...tokens.map((token) => styled("li", "", proseIn(token))));
  section.append(...channels.map(channelEntry), entry(TOKEN, "Send the token in one of three ways:", [ways]));
  return section;
}

/** @param {Protocol} protocol */
function closing({ closings }) {
  const section = chapter(
    "Close codes",
    "Why the server closes a connection. A command that fails never closes it.",
  );
  const rows = closings.map(({ code, meaning }) => [named(code), cell("meaning", meaning)]);
  section.append(entry(CODES, "", [table("Close codes", ["Code", "Meaning"], rows)]));
  return section;
}

/** @param {Chapter} source */
function messageChapter({ title, prose, messages }) {
  const section = chapter(title, prose);
  section.append(...messages.map(messageEntry));
  return section;
}

/** @param {Message} message */
function messageEntry(message) {
  const examples = message.examples.map((example) => styled("pre", "example", jsonIn(example)));
  const article = entry(message, message.summary, [fieldTable(message.name, message.fields), ...examples]);
  if (message.answers.length) {
    const answers = message.answers.flatMap(({ anchor, name }, at) => [
      at ? " or " : "answered by ",
      link(anchor, name),
    ]);
    part(article, "answers", HTMLElement).append(...answers);
  }
  return article;
}

/** @param {Channel} channel */
function channelEntry(channel) {
  return entry(channel, channel.summary, [fieldTable(channel.name, channel.fields)]);
}

/** @param {string} title @param {string} prose */
function chapter(title, prose) {
  const section = fromTemplate("chapter");
  part(section, "title", HTMLElement).textContent = title;
  part(section, "prose", HTMLElement).append(styled("p", "", proseIn(prose)));
  return section;
}

/** @param {Link} subject @param {string} summary @param {HTMLElement[]} details */
function entry({ anchor, name }, summary, details) {
  const article = fromTemplate("entry");
  article.id = anchor;
  part(article, "name", HTMLElement).textContent = name;
  part(article, "anchor", HTMLAnchorElement).href = `#${anchor}`;
  part(article, "summary", HTMLElement).replaceWith(styled("p", "summary", proseIn(summary)));
  part(article, "details", HTMLElement).replaceWith(...details);
  return article;
}

/** @param {string} caption @param {Field[]} fields */
function fieldTable(caption, fields) {
  const rows = fields.map(({ name, type, optional, meaning }) => [
    named(name, optional),
    cell("type", type),
    cell("meaning", meaning),
  ]);
  return table(`Fields of ${caption}`, ["Field", "Type", "Meaning"], rows);
}

/** @param {string} caption @param {string[]} head @param {HTMLElement[][]} rows */
function table(caption, head, rows) {
  const frame = fromTemplate("table");
  frame.setAttribute("aria-label", caption);
  part(frame, "caption", HTMLElement).textContent = caption;
  for (const title of head) {
    const column = create("th", "", title);
    column.setAttribute("scope", "col");
    part(frame, "head", HTMLElement).append(column);
  }
  for (const cells of rows) {
    const row = create("tr", "");
    row.append(...cells);
    part(frame, "rows", HTMLElement).append(row);
  }
  return frame;
}

/** @param {string} name @param {boolean} [optional] */
function named(name, optional = false) {
  const head = create("th", "");
  head.setAttribute("scope", "row");
  head.append(create("code", "", name));
  if (optional) head.append(create("span", "optional", "optional"));
  return head;
}

/** @param {string} className @param {string} text */
function cell(className, text) {
  return styled("td", className, proseIn(text));
}

/** @param {string} anchor @param {string} name */
function link(anchor, name) {
  const element = document.createElement("a");
  element.href = `#${anchor}`;
  element.append(create("code", "", name));
  return element;
}

/** @param {string} tag @param {string} className @param {Piece[]} pieces */
function styled(tag, className, pieces) {
  const element = create(tag, className);
  for (const { kind, text } of pieces) {
    if (kind === "text") element.append(text);
    else if (kind === "code" || kind === "strong") element.append(create(kind, "", text));
    else element.append(create("span", kind, text));
  }
  return element;
}

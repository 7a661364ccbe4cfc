/** Turns an AsyncAPI 3 document into the chapters that the page shows. Pure: no DOM, no network. */
import { nameOf, readFields, resolve } from "./schema.js";

/** @import {ChannelObject, Document, MessageObject} from "./types.js" */
/** @import {Channel, Field, Link, Message, Protocol} from "./types.js" */

const CHAPTERS = [
  { tag: "command", title: "Commands", prose: "Sent by the client." },
  { tag: "durable", title: "Durable events", prose: "Numbered with `seq`, stored, and never dropped." },
  {
    tag: "ephemeral",
    title: "Ephemeral events",
    prose: "For clients that are connected now. Not numbered, and the first to be dropped.",
  },
  {
    tag: "connection",
    title: "Connection events",
    prose: "Answers to commands, and the state of the connection.",
  },
];

/** @param {Document} document @returns {Protocol} */
export function read(document) {
  const { info, channels, components } = document;
  const messages = Object.entries(components.messages);
  const chapters = CHAPTERS.map(({ tag, title, prose }) => ({
    title,
    prose,
    messages: messages
      .filter(([, message]) => message.tags[0]?.name === tag)
      .map(([name, message]) => readMessage(document, name, message)),
  }));
  return {
    title: info.title,
    version: info.version,
    prose: info.description.split("\n\n")[0] ?? "",
    channels: Object.entries(channels).map(([name, channel]) => readChannel(name, channel)),
    tokens: Object.values(components.securitySchemes).map(tokenText),
    chapters,
    closings: Object.entries(document["x-close-codes"]).map(([code, meaning]) => ({ code, meaning })),
  };
}

/** @param {Document} document @param {string} anchor @param {MessageObject} message @returns {Message} */
function readMessage(document, anchor, message) {
  const { schemas } = document.components;
  const fields = readFields(schemas, resolve(schemas, message.payload));
  return {
    anchor,
    name: message.name,
    summary: message.summary,
    fields: fields.sort((a, b) => place(a) - place(b)),
    examples: (message.examples ?? []).map(({ payload }) => payload),
    answers: readAnswers(document, anchor),
  };
}

/**
 * The position in a table: `type`, which names the frame, comes first; `ref`, which any frame can have, last.
 * @param {Field} field
 */
const place = ({ name }) => (name === "type" ? -1 : name === "ref" ? 1 : 0);

/** @param {Document} document @param {string} name @returns {Link[]} */
function readAnswers(document, name) {
  const received = Object.values(document.operations).find(
    ({ action, messages }) => action === "receive" && messages.some((message) => nameOf(message) === name),
  );
  return (received?.reply?.messages ?? []).map((message) => {
    const anchor = nameOf(message);
    return { anchor, name: document.components.messages[anchor]?.name ?? anchor };
  });
}

/** @param {string} anchor @param {ChannelObject} channel @returns {Channel} */
function readChannel(anchor, channel) {
  const path = Object.entries(channel.parameters ?? {}).map(([name, { description }]) => {
    return { name, type: "in the path", optional: false, meaning: description };
  });
  const query = readFields({}, channel.bindings.ws.query);
  const fields = query.map((field) => ({ ...field, type: `${field.type}, in the query` }));
  return { anchor, name: channel.address, summary: channel.description, fields: [...path, ...fields] };
}

/** @param {{description?: string}} scheme */
function tokenText(scheme) {
  return scheme.description ?? "`Authorization: Bearer` and the token, as with REST.";
}

/**
 * Reads an AsyncAPI 3 document into what the page shows. Pure: no DOM, no network.
 *
 * @typedef {Record<string, any>} Json
 * @typedef {{name: string, type: string, optional: boolean, meaning: string}} Field
 * @typedef {{anchor: string, name: string}} Link
 * @typedef {Link & {summary: string, fields: Field[], examples: Json[], answers: Link[]}} Message
 * @typedef {{title: string, prose: string, messages: Message[]}} Chapter
 * @typedef {Link & {summary: string, fields: Field[]}} Channel
 * @typedef {{code: string, meaning: string}} Closing
 *
 * @typedef {object} Protocol
 * @property {string} title
 * @property {string} version
 * @property {string} prose
 * @property {Channel[]} channels
 * @property {string[]} tokens the ways to give one, in words
 * @property {Chapter[]} chapters
 * @property {Closing[]} closings
 */

const LARGEST = Number.MAX_SAFE_INTEGER;

const CHAPTERS = [
  { tag: "command", title: "Commands", prose: "What a client sends." },
  { tag: "durable", title: "Durable events", prose: "Numbered with `seq`, kept, and never dropped." },
  {
    tag: "ephemeral",
    title: "Ephemeral events",
    prose: "For those who are here now. Without a number; the first to be dropped.",
  },
  { tag: "connection", title: "About the connection", prose: "Answers to commands, and where things stand." },
];

/** @param {Json} document @returns {Protocol} */
export function read(document) {
  const { info, channels, components } = document;
  const messages = Object.entries(components.messages);
  const chapters = CHAPTERS.map(({ tag, title, prose }) => ({
    title,
    prose,
    messages: messages
      .filter(([, message]) => message.tags[0].name === tag)
      .map(([name, message]) => readMessage(document, name, message)),
  }));
  return {
    title: info.title,
    version: info.version,
    prose: info.description.split("\n\n")[0],
    channels: Object.entries(channels).map(([name, channel]) => readChannel(name, channel)),
    tokens: Object.values(components.securitySchemes).map(tokenText),
    chapters,
    closings: Object.entries(document["x-close-codes"]).map(([code, meaning]) => ({ code, meaning })),
  };
}

/** @param {Json} document @param {string} anchor @param {Json} message @returns {Message} */
function readMessage(document, anchor, message) {
  const schema = resolve(document, message.payload);
  return {
    anchor,
    name: message.name,
    summary: message.summary,
    fields: readFields(document, schema).sort((a, b) => place(a) - place(b)),
    examples: (message.examples ?? []).map((/** @type {Json} */ example) => example.payload),
    answers: readAnswers(document, anchor),
  };
}

/**
 * `type` says what a frame is and comes first; `ref` goes with everything and comes last.
 * @param {Field} field
 */
const place = ({ name }) => (name === "type" ? -1 : name === "ref" ? 1 : 0);

/** @param {Json} document @param {string} name @returns {Link[]} */
function readAnswers(document, name) {
  /** @type {Json[]} */
  const operations = Object.values(document.operations);
  const received = operations.find(
    ({ action, messages }) =>
      action === "receive" && messages.some((/** @type {Json} */ each) => last(each) === name),
  );
  return (received?.reply.messages ?? []).map((/** @type {Json} */ each) => ({
    anchor: last(each),
    name: document.components.messages[last(each)].name,
  }));
}

/** @param {string} anchor @param {Json} channel @returns {Channel} */
function readChannel(anchor, channel) {
  const { query } = channel.bindings.ws;
  const path = Object.entries(channel.parameters ?? {}).map(([name, { description }]) => {
    return { name, type: "in the path", optional: false, meaning: description };
  });
  const fields = readFields({}, query).map((field) => ({ ...field, type: `${field.type}, in the query` }));
  return { anchor, name: channel.address, summary: channel.description, fields: [...path, ...fields] };
}

/** @param {Json} scheme */
function tokenText(scheme) {
  return scheme.description ?? "`Authorization: Bearer` and the token, as with REST.";
}

/**
 * The fields of an object, and those of the objects in it: `user.id`, `reactions[].emoji`.
 * @param {Json} document @param {Json} schema @param {string} [prefix] @returns {Field[]}
 */
export function readFields(document, schema, prefix = "") {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const optional = !required.has(key);
    const field = {
      name: prefix + key,
      type: typeText(property, optional),
      optional,
      meaning: property.description ?? "",
    };
    if (property.$ref) return [field, ...readFields(document, resolve(document, property), `${field.name}.`)];
    if (property.items?.$ref)
      return [field, ...readFields(document, resolve(document, property.items), `${field.name}[].`)];
    return [field];
  });
}

/**
 * A type in words. Null in an optional field is as good as nothing.
 * @param {Json} schema
 * @param {boolean} [optional]
 * @returns {string}
 */
export function typeText(schema, optional = false) {
  if (schema.anyOf) {
    const choices = schema.anyOf.filter((/** @type {Json} */ each) => !(optional && each.type === "null"));
    return choices.map((/** @type {Json} */ each) => typeText(each)).join(" or ");
  }
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ each) => JSON.stringify(each)).join(" or ");
  if (schema.$ref) return "object";
  if (schema.type === "array")
    return `list of ${schema.items.$ref ? "objects" : `${typeText(schema.items)}s`}`;
  if (schema.type === "integer")
    return schema.minimum > -LARGEST ? `integer from ${schema.minimum}` : "integer";
  if (schema.format === "date-time") return "instant, RFC 3339";
  if (schema.pattern && schema.examples) return `string like ${schema.examples[0]}`;
  if (schema.maxLength) return `string, ${between(schema)} characters`;
  return schema.type;
}

/** @param {Json} schema */
function between({ minLength, maxLength }) {
  const most = maxLength.toLocaleString("en");
  return minLength ? `${minLength} to ${most}` : `at most ${most}`;
}

/** Follows a reference inside the document. @param {Json} document @param {Json} schema @returns {Json} */
export function resolve(document, schema) {
  if (!schema.$ref) return schema;
  const path = schema.$ref.slice(2).split("/");
  return path.reduce((/** @type {Json} */ part, /** @type {string} */ key) => part[key], document);
}

/** @param {Json} reference @returns {string} */
function last({ $ref }) {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

/**
 * An AsyncAPI 3 document, as far as it is read here.
 *
 * @typedef {{$ref: string}} Reference
 *
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {string} [type]
 * @property {string} [description]
 * @property {unknown} [const]
 * @property {unknown[]} [enum]
 * @property {Schema[]} [anyOf]
 * @property {Schema} [items]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {string} [format]
 * @property {string} [pattern]
 * @property {unknown[]} [examples]
 * @property {number} [minimum]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 *
 * @typedef {Record<string, Schema>} Schemas
 * @typedef {{name: string, summary: string, tags: {name: string}[], payload: Reference,
 *   examples?: {payload: unknown}[]}} MessageObject
 * @typedef {{address: string, description: string, parameters?: Record<string, {description: string}>,
 *   bindings: {ws: {query: Schema}}}} ChannelObject
 * @typedef {{action: string, messages: Reference[], reply?: {messages: Reference[]}}} Operation
 *
 * @typedef {object} Document
 * @property {{title: string, version: string, description: string}} info
 * @property {Record<string, ChannelObject>} channels
 * @property {Record<string, Operation>} operations
 * @property {{messages: Record<string, MessageObject>, schemas: Schemas,
 *   securitySchemes: Record<string, {description?: string}>}} components
 * @property {Record<string, string>} x-close-codes
 */

/**
 * What the page shows.
 *
 * @typedef {{name: string, type: string, optional: boolean, meaning: string}} Field
 * @typedef {{anchor: string, name: string}} Link
 * @typedef {Link & {summary: string, fields: Field[], examples: unknown[], answers: Link[]}} Message
 * @typedef {{title: string, prose: string, messages: Message[]}} Chapter
 * @typedef {Link & {summary: string, fields: Field[]}} Channel
 * @typedef {{code: string, meaning: string}} Closing
 *
 * @typedef {object} Protocol
 * @property {string} title
 * @property {string} version
 * @property {string} prose
 * @property {Channel[]} channels
 * @property {string[]} tokens the ways to send a token, as sentences
 * @property {Chapter[]} chapters
 * @property {Closing[]} closings
 */
export {};

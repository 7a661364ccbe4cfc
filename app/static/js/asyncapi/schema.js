/** Fields and types of a JSON Schema, in words. Pure. */

/** @import {Field, Reference, Schema, Schemas} from "./types.js" */

const LARGEST = Number.MAX_SAFE_INTEGER;

/**
 * The fields of an object and of the objects in it: `user.id`, `reactions[].emoji`.
 * @param {Schemas} schemas
 * @param {Schema} schema
 * @param {string} [prefix]
 * @returns {Field[]}
 */
export function readFields(schemas, schema, prefix = "") {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const optional = !required.has(key);
    const field = {
      name: prefix + key,
      type: typeText(property, optional),
      optional,
      meaning: property.description ?? "",
    };
    return [field, ...readInner(schemas, property, field.name)];
  });
}

/** @param {Schemas} schemas @param {Schema} property @param {string} name @returns {Field[]} */
function readInner(schemas, { $ref, items }, name) {
  if ($ref) return readFields(schemas, resolve(schemas, { $ref }), `${name}.`);
  if (items?.$ref) return readFields(schemas, resolve(schemas, { $ref: items.$ref }), `${name}[].`);
  return [];
}

/**
 * A type in words. For an optional field `null` means the same as its absence and is not mentioned.
 * @param {Schema} schema
 * @param {boolean} [optional]
 * @returns {string}
 */
export function typeText(schema, optional = false) {
  const { type, minimum, maxLength, items, examples } = schema;
  if (schema.anyOf) {
    const choices = schema.anyOf.filter((choice) => !(optional && choice.type === "null"));
    return choices.map((choice) => typeText(choice)).join(" or ");
  }
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.$ref) return "object";
  if (type === "array" && items) return `list of ${items.$ref ? "objects" : `${typeText(items)}s`}`;
  if (type === "integer")
    return minimum !== undefined && minimum > -LARGEST ? `integer from ${minimum}` : "integer";
  if (schema.format === "date-time") return "instant, RFC 3339";
  if (schema.pattern && examples) return `string like ${examples[0]}`;
  if (maxLength) return `string, ${lengths(maxLength, schema.minLength)} characters`;
  return type ?? "";
}

/** @param {number} most @param {number} [least] */
function lengths(most, least) {
  const limit = most.toLocaleString("en");
  return least ? `${least} to ${limit}` : `at most ${limit}`;
}

/**
 * The schema that a reference names.
 * @param {Schemas} schemas
 * @param {Reference} reference
 * @returns {Schema}
 */
export function resolve(schemas, reference) {
  return schemas[nameOf(reference)] ?? {};
}

/** The last part of a reference. @param {Reference} reference */
export function nameOf({ $ref }) {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

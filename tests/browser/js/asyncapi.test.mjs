import assert from "node:assert/strict";
import { test } from "node:test";

import { read } from "../../../app/static/js/asyncapi/document.js";
import { readFields, typeText } from "../../../app/static/js/asyncapi/schema.js";
import { jsonIn, proseIn } from "../../../app/static/js/asyncapi/text.js";

const LARGEST = Number.MAX_SAFE_INTEGER;

const DOCUMENT = {
    info: { title: "Chat", version: "1.2.3", description: "First.\n\nSecond." },
    channels: {
        room: {
            address: "/ws/chat/{room_id}",
            description: "One room.",
            parameters: { room_id: { description: "Its id." } },
            bindings: {
                ws: { query: { properties: { token: { type: "string", description: "A token." } } } },
            },
        },
    },
    operations: {
        "room.events": { action: "send", messages: [{ $ref: "#/channels/room/messages/Said" }] },
        "room.say": {
            action: "receive",
            messages: [{ $ref: "#/channels/room/messages/Say" }],
            reply: { messages: [{ $ref: "#/channels/room/messages/Said" }] },
        },
    },
    components: {
        messages: {
            Say: {
                name: "say",
                summary: "Says.",
                tags: [{ name: "command" }],
                payload: { $ref: "#/components/schemas/Say" },
            },
            Said: {
                name: "said",
                summary: "Was said.",
                tags: [{ name: "durable" }],
                payload: { $ref: "#/components/schemas/Said" },
                examples: [{ payload: { type: "said" } }],
            },
        },
        schemas: {
            Say: {
                properties: { ref: { type: "string" }, text: { type: "string" }, type: { const: "say" } },
                required: ["type", "text"],
            },
            Said: {
                properties: {
                    type: { const: "said" },
                    by: { $ref: "#/components/schemas/User" },
                    likes: { type: "array", items: { $ref: "#/components/schemas/Like" } },
                },
                required: ["type", "by"],
            },
            User: { properties: { id: { type: "integer", minimum: 1 } }, required: ["id"] },
            Like: {
                properties: { users: { type: "array", items: { type: "string" } } },
                required: ["users"],
            },
        },
        securitySchemes: { query: { description: "In the address." }, header: {} },
    },
    "x-close-codes": { 4404: "No such room." },
};

test("messages are grouped into chapters, with their answers and examples", () => {
    const { chapters } = read(DOCUMENT);
    const [commands, durable] = chapters;
    assert.deepEqual(
        commands.messages.map(({ name, answers }) => [name, answers]),
        [["say", [{ anchor: "Said", name: "said" }]]],
    );
    assert.deepEqual(
        durable.messages.map(({ name, examples, answers }) => [name, examples, answers]),
        [["said", [{ type: "said" }], []]],
    );
});

test("the type comes first and the ref last", () => {
    const [{ messages }] = read(DOCUMENT).chapters;
    assert.deepEqual(
        messages[0].fields.map(({ name, optional }) => [name, optional]),
        [
            ["type", false],
            ["text", false],
            ["ref", true],
        ],
    );
});

test("the fields of nested objects are named by their path", () => {
    const fields = readFields(DOCUMENT.components.schemas, DOCUMENT.components.schemas.Said);
    assert.deepEqual(
        fields.map(({ name, type }) => [name, type]),
        [
            ["type", '"said"'],
            ["by", "object"],
            ["by.id", "integer from 1"],
            ["likes", "list of objects"],
            ["likes[].users", "list of strings"],
        ],
    );
});

test("addresses, tokens and close codes are read", () => {
    const { channels, tokens, closings, prose } = read(DOCUMENT);
    assert.equal(prose, "First.");
    assert.deepEqual(
        channels[0].fields.map(({ name, type }) => [name, type]),
        [
            ["room_id", "in the path"],
            ["token", "string, in the query"],
        ],
    );
    assert.equal(tokens[0], "In the address.");
    assert.deepEqual(closings, [{ code: "4404", meaning: "No such room." }]);
});

test("types are described in words", () => {
    assert.equal(typeText({ type: "integer", minimum: -LARGEST, maximum: LARGEST }), "integer");
    assert.equal(typeText({ type: "integer" }), "integer");
    assert.equal(
        typeText({ type: "string", minLength: 1, maxLength: 8000 }),
        "string, 1 to 8,000 characters",
    );
    assert.equal(typeText({ type: "string", maxLength: 64 }), "string, at most 64 characters");
    assert.equal(typeText({ type: "string", format: "date-time" }), "instant, RFC 3339");
    assert.equal(typeText({ enum: ["add", "remove"] }), '"add" or "remove"');
    assert.equal(typeText({ anyOf: [{ type: "string" }, { type: "null" }] }), "string or null");
    assert.equal(typeText({ anyOf: [{ type: "string" }, { type: "null" }] }, true), "string");
});

test("prose has code and emphasis, and markup in it is text", () => {
    assert.deepEqual(proseIn("A `seq` is **never** <b>skipped"), [
        { kind: "text", text: "A " },
        { kind: "code", text: "seq" },
        { kind: "text", text: " is " },
        { kind: "strong", text: "never" },
        { kind: "text", text: " <b>skipped" },
    ]);
});

test("an example keeps every character of its JSON", () => {
    const short = { text: "{ 1, [ ] }" };
    assert.deepEqual(
        JSON.parse(
            jsonIn(short)
                .map(({ text }) => text)
                .join(""),
        ),
        short,
    );
    const value = { type: "said", text: 'a "quote": 1, [2] { }', list: [1, true, null], empty: {} };
    const pieces = jsonIn(value);
    assert.deepEqual(JSON.parse(pieces.map(({ text }) => text).join("")), value);
    assert.deepEqual(
        pieces.filter(({ kind }) => kind === "key").map(({ text }) => text.replace(/\s*:$/, "")),
        ['"type"', '"text"', '"list"', '"empty"'],
    );
    assert.equal(pieces.filter(({ kind }) => kind === "other").length, 3);
});

test("a short example is written on one line, a long one on several", () => {
    const line = (/** @type {unknown} */ value) =>
        jsonIn(value)
            .map(({ text }) => text)
            .join("");
    assert.equal(line({ type: "pong", ref: 9 }), '{"type": "pong", "ref": 9}');
    assert.ok(line({ type: "said", text: "x".repeat(100) }).includes("\n"));
});

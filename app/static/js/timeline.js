/**
 * The messages of one room as far as they are loaded: pure functions from an old timeline to a new one.
 *
 * Invariants: `messages` ascend by id, each once; what is held is a run without holes up to the newest, so
 * that "older" always means "before the first one held"; a change never takes back a later one.
 */

/** @import {ChatEvent, Message, Reaction, Timeline} from "./types.js" */

/** @returns {Timeline} */
export function emptyTimeline() {
  return { messages: [], loaded: false, loading: false, complete: false, strays: [], mark: null, reads: {} };
}

/** The place of a message's last change in the room's history. @param {Message} message */
export function version(message) {
  return message.changed_seq ?? message.seq;
}

/**
 * The index of the first message whose id is not below this one.
 * @param {Message[]} messages
 * @param {number} id
 */
function indexOf(messages, id) {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Message} */ (messages[middle]).id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {Timeline} timeline @param {number} id */
export function find(timeline, id) {
  const message = timeline.messages[indexOf(timeline.messages, id)];
  return message?.id === id ? message : undefined;
}

/** @param {Message[]} messages @param {Message} message */
function placed(messages, message) {
  const at = indexOf(messages, message.id);
  const held = messages[at];
  if (held?.id !== message.id) return messages.toSpliced(at, 0, message);
  return version(message) > version(held) ? messages.with(at, message) : messages;
}

/**
 * @param {Timeline} timeline
 * @param {Message[]} page oldest first
 * @param {number} limit what was asked for
 */
export function withPage(timeline, page, limit) {
  const messages = page.reduce(placed, timeline.messages);
  const complete = timeline.complete || page.length < limit || messages[0]?.id === 1;
  const paged = { ...timeline, messages, complete, loaded: true, loading: false, strays: [] };
  return timeline.strays.reduce(withEvent, paged);
}

/**
 * What is older than everything held is left to paging: taken in now it would hide the hole between.
 * @param {Timeline} timeline
 * @param {number} id
 */
function isBeyond(timeline, id) {
  const oldest = timeline.messages[0];
  return !timeline.loaded || (!timeline.complete && oldest !== undefined && id < oldest.id);
}

/** @type {Record<string, (message: Message, event: ChatEvent) => Message>} */
const CHANGES = {
  "message.updated": (message, event) => ({
    ...message,
    message: event.content,
    edited_at: event.edited_at ?? message.edited_at,
    reactions: event.reactions ?? message.reactions,
  }),
  "message.deleted": (message, { deleted_at }) => ({ ...message, message: "", deleted_at, reactions: [] }),
  reaction: (message, event) => ({ ...message, reactions: reacted(message.reactions ?? [], event) }),
};

/** @param {Reaction[]} reactions @param {ChatEvent} event @returns {Reaction[]} */
function reacted(reactions, { emoji, user, action }) {
  const held = reactions.find((reaction) => reaction.emoji === emoji);
  const others = (held?.users ?? []).filter((name) => name !== user);
  const users = action === "add" ? [...others, user] : others;
  if (!held) return users.length ? [...reactions, { emoji, users }] : reactions;
  return reactions
    .map((reaction) => (reaction === held ? { emoji, users } : reaction))
    .filter((reaction) => reaction.users.length > 0);
}

/**
 * Takes in a durable event of this room.
 * @param {Timeline} timeline
 * @param {ChatEvent} event
 * @returns {Timeline}
 */
export function withEvent(timeline, event) {
  const change = CHANGES[event.type];
  if (event.type !== "message" && !change) return timeline;
  const held = find(timeline, event.id);
  if (!held && isBeyond(timeline, event.id)) {
    return timeline.loading ? { ...timeline, strays: [...timeline.strays, event] } : timeline;
  }
  if (!change) return { ...timeline, messages: placed(timeline.messages, /** @type {any} */ (event)) };
  if (!held || (event.seq ?? 0) <= version(held)) return timeline;
  const changed = { ...change(held, event), changed_seq: event.seq };
  return { ...timeline, messages: placed(timeline.messages, changed) };
}

/** @param {Timeline} timeline @param {string} user @param {number} id @returns {Timeline} */
export function withRead(timeline, user, id) {
  if ((timeline.reads[user] ?? 0) >= id) return timeline;
  return { ...timeline, reads: { ...timeline.reads, [user]: id } };
}

/** Who has read the newest message, its author left out. @param {Timeline} timeline @param {string} [me] */
export function seenBy(timeline, me) {
  const last = timeline.messages.at(-1);
  if (!last) return [];
  return Object.keys(timeline.reads)
    .filter((user) => (timeline.reads[user] ?? 0) >= last.id && user !== last.sender && user !== me)
    .sort();
}

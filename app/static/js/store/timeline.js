/**
 * The loaded messages of one room: pure functions from an old timeline to a new one.
 *
 * Invariants: `messages` ascend by id, each once; they are a run without holes up to the newest, so that
 * "older" always means "before the first one held"; a change never undoes a later one.
 */

/** @import {ChatEvent, EventMap} from "../protocol.d.ts" */
/** @import {Message, MessageChange, Reaction, Timeline} from "../types.js" */

/** How many users of an emoji the server lists; `count` tells of all. */
const MAX_USERS = 100;

/** @returns {Timeline} */
export function emptyTimeline() {
  return { messages: [], loaded: false, loading: false, complete: false, strays: [], mark: null, reads: {} };
}

/** The `seq` of a message's last change. @param {Message} message */
export function version(message) {
  return message.changed_seq ?? message.seq;
}

/**
 * The index of the first message whose id is not below this one.
 * @param {Message[]} messages
 * @param {number} id
 */
export function indexOf(messages, id) {
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
 */
export function withPage(timeline, page) {
  const messages = page.reduce(placed, timeline.messages);
  const complete = timeline.complete || !page.length || messages[0]?.id === 1;
  const paged = { ...timeline, messages, complete, loaded: true, loading: false, strays: [] };
  return timeline.strays.reduce(withEvent, paged);
}

/**
 * Whether a message is older than all that are held. It is left to paging: placed now, it would hide the hole
 * in between.
 * @param {Timeline} timeline
 * @param {number} id
 */
function isBeyond(timeline, id) {
  const oldest = timeline.messages[0];
  return !timeline.loaded || (!timeline.complete && oldest !== undefined && id < oldest.id);
}

/**
 * Apply an event of this room.
 * @param {Timeline} timeline
 * @param {ChatEvent} event
 * @returns {Timeline}
 */
export function withEvent(timeline, event) {
  if (!isMessageChange(event)) return timeline;
  const held = find(timeline, event.id);
  if (!held && isBeyond(timeline, event.id)) {
    return timeline.loading ? { ...timeline, strays: [...timeline.strays, event] } : timeline;
  }
  if (event.type === "message") return { ...timeline, messages: placed(timeline.messages, event) };
  if (!held || event.seq <= version(held)) return timeline;
  const changed = { ...changedBy(event, held), changed_seq: event.seq };
  return { ...timeline, messages: placed(timeline.messages, changed) };
}

/** @param {ChatEvent} event @returns {event is MessageChange} */
function isMessageChange(event) {
  return ["message", "message.updated", "message.deleted", "reaction"].includes(event.type);
}

/** @param {Exclude<MessageChange, Message>} event @param {Message} message @returns {Message} */
function changedBy(event, message) {
  switch (event.type) {
    case "message.updated":
      return {
        ...message,
        message: event.content,
        edited_at: event.edited_at ?? message.edited_at,
        reactions: event.reactions ?? message.reactions,
      };
    case "message.deleted":
      return { ...message, message: "", deleted_at: event.deleted_at, reactions: [] };
    case "reaction":
      return { ...message, reactions: reacted(message.reactions ?? [], event) };
  }
}

/** @param {Reaction[]} reactions @param {EventMap["reaction"]} event @returns {Reaction[]} */
function reacted(reactions, { emoji, user, action, count }) {
  const held = reactions.find((reaction) => reaction.emoji === emoji);
  const others = (held?.users ?? []).filter((name) => name !== user);
  const users = action === "add" && others.length < MAX_USERS ? [...others, user] : others;
  if (!held) return count ? [...reactions, { emoji, users, count }] : reactions;
  return reactions
    .map((reaction) => (reaction === held ? { emoji, users, count } : reaction))
    .filter((reaction) => reaction.count > 0);
}

/** @param {Timeline} timeline @param {string} user @param {number} id @returns {Timeline} */
export function withRead(timeline, user, id) {
  if ((timeline.reads[user] ?? 0) >= id) return timeline;
  return { ...timeline, reads: { ...timeline.reads, [user]: id } };
}

/**
 * Readers of the newest message, except its author and `me`.
 * @param {Timeline} timeline
 * @param {string} [me]
 */
export function seenBy(timeline, me) {
  const last = timeline.messages.at(-1);
  if (!last) return [];
  return Object.keys(timeline.reads)
    .filter((user) => (timeline.reads[user] ?? 0) >= last.id && user !== last.sender && user !== me)
    .sort();
}

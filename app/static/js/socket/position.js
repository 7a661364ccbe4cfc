/** @import {ChatEvent} from "../protocol.d.ts" */

/**
 * The position in a room's history that a client has reached with an event: the place to resume from.
 * Undefined for an event without a position. After a truncated catch-up, whose changes were not sent, the history has to
 * be loaded again.
 * @param {ChatEvent} event
 * @returns {{roomId: number, seq: number} | undefined}
 */
export function positionAfter(event) {
  if (!("seq" in event) || event.seq === undefined || event.room_id === undefined) return undefined;
  const changed = event.type === "message" ? event.changed_seq : undefined;
  return { roomId: event.room_id, seq: changed ?? event.seq };
}

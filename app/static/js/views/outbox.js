/** Messages that were sent and have not come back as events, shown below the timeline. */
import { button, fromTemplate, part, setText } from "./elements.js";

/** @import {Pending, State} from "../types.js" */

/**
 * @param {HTMLElement} list
 * @param {{again: (clientId: string) => void, discard: (clientId: string) => void}} actions
 * @returns {(state: State) => boolean} renders, and returns whether there is a new message
 */
export function createOutbox(list, actions) {
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();

  /** @param {Pending} pending */
  function createRow({ client_id, content }) {
    const row = fromTemplate("pending");
    setText(part(row, "text", HTMLElement), content);
    button(row, "again").addEventListener("click", () => actions.again(client_id));
    button(row, "discard").addEventListener("click", () => actions.discard(client_id));
    rows.set(client_id, row);
    return row;
  }

  return (state) => {
    const here = state.outbox.filter(({ room_id }) => room_id === state.current);
    const isNew = here.some(({ client_id }) => !rows.has(client_id));
    for (const [clientId, row] of rows) {
      if (here.some(({ client_id }) => client_id === clientId)) continue;
      row.remove();
      rows.delete(clientId);
    }
    for (const pending of here) {
      const row = rows.get(pending.client_id) ?? createRow(pending);
      if (!row.parentElement) list.append(row);
      row.classList.toggle("refused", Boolean(pending.error));
      button(row, "again").hidden = button(row, "discard").hidden = !pending.error;
      setText(part(row, "state", HTMLElement), wording(pending, state));
    }
    return isNew;
  };
}

/** @param {Pending} pending @param {State} state */
function wording({ error, acked }, { connection }) {
  if (error) return `Not sent: ${error}`;
  if (acked) return "Stored";
  return connection.phase === "online" ? "Sending…" : "Waiting for the connection";
}

/** The head of a pane: the login, the connection and the last error. */
import { button, listed, part, setText } from "./elements.js";
import { roomOf } from "../store.js";

/** @import {State} from "../types.js" */

/** @param {State} state @param {number} now */
function wording({ connection }, now) {
  const seconds = Math.max(0, Math.ceil((connection.retryAt - now) / 1000));
  if (connection.phase === "waiting") return seconds ? `Reconnecting in ${seconds} s` : "Reconnecting…";
  return connection.phase === "online" ? "Connected" : "Connecting…";
}

/** @param {HTMLElement} root the pane @param {State} state */
export function renderStatus(root, state) {
  const connection = part(root, "connection", HTMLElement);
  setText(part(root, "who", HTMLElement), state.user?.username ?? "Not logged in");
  root.setAttribute("aria-label", state.user ? `Pane of ${state.user.username}` : "Pane, not logged in");
  connection.hidden = !state.user;
  connection.dataset.phase = state.connection.phase;
  connection.title = state.connection.reason;
  setText(connection, wording(state, Date.now()));
  button(root, "log-out").hidden = !state.user;
  part(root, "problem", HTMLElement).hidden = !state.problem;
  setText(part(root, "problem-text", HTMLElement), state.problem);
}

/**
 * The name of the open room and who is in it now.
 * @param {HTMLElement} root the room view
 * @param {State} state
 */
export function renderRoomBar(root, state) {
  setText(part(root, "room-name", HTMLElement), roomOf(state, state.current)?.name ?? "");
  const { users = [], count = 0 } = state.presence[state.current ?? 0] ?? {};
  const here = part(root, "here", HTMLElement);
  setText(here, count ? `${count} here${users.length ? `: ${listed(users, count)}` : ""}` : "");
  here.title = users.join(", ");
}

/** Logins that survive a reload of the page, kept for as long as the tab is open. */

/** @import {Tokens} from "./types.js" */

/** @typedef {{tokens: Tokens, room: number | null}} Remembered */

const KEY = "chat.panes";

/** @returns {(Remembered | null)[]} one per pane; null for a pane without a login */
export function recall() {
  try {
    const panes = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(panes) ? panes : [];
  } catch {
    return [];
  }
}

/** @param {(Remembered | null)[]} panes */
export function remember(panes) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(panes));
  } catch {
    // Without storage the user logs in again after a reload.
  }
}

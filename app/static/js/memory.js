/** What outlives a reload of the page: the logins of its panes, for as long as the tab lives. */

/** @import {Tokens} from "./types.js" */

/** @typedef {{tokens: Tokens, room: number | null}} Remembered */

const KEY = "chat.panes";

/** @returns {(Remembered | null)[]} one per pane; null for a pane nobody is logged in to */
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
    // A browser that forbids storage asks for the login again after a reload.
  }
}

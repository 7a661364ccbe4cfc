/** The page: panes side by side, each with its own login. */
import { sampleAccounts } from "./api.js";
import { base } from "./base.js";
import { recall, remember } from "./memory.js";
import { createPane } from "./pane.js";
import { unreadTotal } from "./store.js";
import { button } from "./views/elements.js";

/** @import {Remembered} from "./memory.js" */

const TWO_PANES_FROM_PX = 1000;

const url = location.origin.replace(/^http/, "ws") + base;
const container = /** @type {HTMLElement} */ (document.getElementById("panes"));
/** @type {Set<ReturnType<typeof createPane>>} */
const panes = new Set();
const samples = await sampleAccounts().catch(() => []);

function retitle() {
  const unread = [...panes].reduce((sum, { client }) => sum + unreadTotal(client.state), 0);
  const title = unread ? `(${unread}) Chat` : "Chat";
  if (document.title !== title) document.title = title;
}

function keep() {
  const logins = [...panes].map(({ client }) => ({ tokens: client.api.tokens, room: client.state.current }));
  remember(logins.map(({ tokens, room }) => tokens && { tokens, room }));
}

/** Reconnect at once when the page becomes visible or the network returns. */
function wake() {
  if (document.visibilityState !== "visible") return;
  for (const { client } of panes) client.socket.wake();
}

/** Load the rooms in every pane: one of them has created a room. */
function refreshRooms() {
  for (const { client } of panes) if (client.state.user) void client.rooms.refresh().catch(() => undefined);
}

/** @param {Remembered | null} [remembered] */
function addPane(remembered) {
  const pane = createPane({ url, samples, onChange: retitle, onTokens: keep, onRooms: refreshRooms });
  panes.add(pane);
  container.append(pane.root);
  button(pane.root, "close").addEventListener("click", () => {
    void pane.client.dispose();
    panes.delete(pane);
    pane.root.remove();
    keep();
    retitle();
    if (panes.size === 0) addPane();
  });
  if (remembered) void pane.client.account.resume(remembered.tokens, remembered.room);
  return pane;
}

const remembered = recall();
if (remembered.length) remembered.forEach((each) => addPane(each));
else for (let count = innerWidth >= TWO_PANES_FROM_PX ? 2 : 1; count > 0; count -= 1) addPane();

document.getElementById("add-pane")?.addEventListener("click", () => {
  const pane = addPane();
  pane.root.scrollIntoView({ inline: "end" });
  pane.focus();
});
addEventListener("pagehide", keep);
addEventListener("focus", refreshRooms);
for (const sign of ["online", "visibilitychange"]) addEventListener(sign, wake);

/** The list of rooms with their unread counts, and a form to create one. */
import { create, part, setText } from "./elements.js";

/** @import {State} from "../types.js" */

/**
 * @param {HTMLElement} root the room view
 * @param {{openRoom: (id: number) => void, createRoom: (name: string) => Promise<void>}} actions
 */
export function createRooms(root, actions) {
  const list = part(root, "room-list", HTMLElement);
  const name = part(root, "new-room-name", HTMLInputElement);
  const nav = part(root, "rooms", HTMLElement);
  const toggle = part(root, "rooms-toggle", HTMLButtonElement);
  /** @type {Map<number, ReturnType<typeof createItem>>} */
  const items = new Map();

  /** Show or hide the list where the pane is too narrow to keep it beside the room. @param {boolean} open */
  function unfold(open) {
    root.classList.toggle("rooms-open", open);
    toggle.setAttribute("aria-expanded", String(open));
  }

  toggle.addEventListener("click", () => unfold(!root.classList.contains("rooms-open")));
  nav.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.classList.contains("rooms-open")) return;
    unfold(false);
    toggle.focus();
  });
  part(root, "new-room", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (!name.value.trim()) return name.focus();
    unfold(false);
    void actions.createRoom(name.value.trim()).then(() => (name.value = ""));
  });

  /** @param {number} id */
  function createItem(id) {
    const item = create("li", "room-item");
    const link = create("button", "room-link");
    const label = create("span", "room-label");
    const badge = create("span", "badge");
    link.setAttribute("type", "button");
    link.append(label, badge);
    link.addEventListener("click", () => {
      unfold(false);
      actions.openRoom(id);
    });
    item.append(link);
    return { item, link, label, badge };
  }

  /** @param {State} state */
  function render(state) {
    for (const [index, room] of state.rooms.entries()) {
      const row = items.get(room.id) ?? createItem(room.id);
      items.set(room.id, row);
      const { item, link, label, badge } = row;
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
      setText(label, room.name);
      link.title = room.name;
      showCount(badge, room.unread_count);
      link.classList.toggle("unread", room.unread_count > 0);
      if (room.id === state.current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const others = state.rooms.filter(({ id }) => id !== state.current);
    const elsewhere = others.reduce((sum, room) => sum + room.unread_count, 0);
    showCount(part(root, "elsewhere", HTMLElement), elsewhere);
  }

  return { render };
}

/** @param {HTMLElement} badge @param {number} count */
function showCount(badge, count) {
  badge.hidden = count === 0;
  setText(badge, count > 99 ? "99+" : String(count || ""));
  badge.title = `${count} unread`;
}

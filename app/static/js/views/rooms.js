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

  const isUnfolded = () => root.classList.contains("rooms-open");

  /** Where the pane is too narrow for the list beside the room, it lies over it until it is closed. */
  function unfold() {
    setUnfolded(true);
    const current = list.querySelector("[aria-current]") ?? list.querySelector("button");
    if (current instanceof HTMLElement) current.focus();
    document.addEventListener("click", foldOutside);
    document.addEventListener("focusin", foldBehind);
  }

  /** Hide the list. The focus does not stay in it. */
  function fold() {
    if (!isUnfolded()) return;
    document.removeEventListener("click", foldOutside);
    document.removeEventListener("focusin", foldBehind);
    if (nav.contains(document.activeElement)) toggle.focus();
    setUnfolded(false);
  }

  /** @param {boolean} unfolded */
  function setUnfolded(unfolded) {
    root.classList.toggle("rooms-open", unfolded);
    toggle.setAttribute("aria-expanded", String(unfolded));
  }

  /** @param {Event} event @returns {Element | null} where it happened, unless in the list or at its button */
  function outside({ target }) {
    const isOutside = target instanceof Element && !nav.contains(target) && !toggle.contains(target);
    return isOutside ? target : null;
  }

  /** The keyboard's focus does not go behind the list. @param {FocusEvent} event */
  function foldBehind(event) {
    if (outside(event)?.matches(":focus-visible")) fold();
  }

  /** @param {MouseEvent} event */
  function foldOutside(event) {
    const target = outside(event);
    if (!target) return;
    fold();
    if (!target.closest("button, a, input, textarea")) toggle.focus();
  }

  toggle.addEventListener("click", () => (isUnfolded() ? fold() : unfold()));
  root.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !isUnfolded()) return;
    fold();
    toggle.focus();
  });
  part(root, "new-room", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (!name.value.trim()) return name.focus();
    fold();
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
      fold();
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

/** One message. */
import { button, create, fromTemplate, hueOf, listed, part, setText } from "./elements.js";
import { clock, exact, shortClock } from "./times.js";

/** @import {Message} from "../types.js" */

const EXCERPT = 80;

/** @param {string} text */
export function excerpt(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}

/** @param {number} id */
export function createMessage(id) {
  const root = fromTemplate("message");
  root.dataset.id = String(id);

  /** @param {Message} message @param {{me: string, answered?: Message}} around */
  function render(message, { me, answered }) {
    root.classList.toggle("gone", Boolean(message.deleted_at));
    renderByline(root, message);
    renderText(part(root, "text", HTMLElement), message);
    renderQuote(button(root, "quote"), message, answered);
    renderReactions(part(root, "reactions", HTMLElement), message, me);
  }

  return { root, render };
}

/**
 * The first letter, and the last digit if the name ends with one: user1 and user2 differ.
 * @param {string} name
 */
function initials(name) {
  const [first = ""] = name;
  return first.toUpperCase() + (/.\d?(\d)$/u.exec(name)?.[1] ?? "");
}

/** @param {HTMLElement} root @param {Message} message */
function renderByline(root, message) {
  const avatar = part(root, "avatar", HTMLElement);
  setText(avatar, initials(message.sender));
  root.style.setProperty("--hue", String(hueOf(message.sender)));
  setText(part(root, "sender", HTMLElement), message.sender);
  const time = part(root, "time", HTMLTimeElement);
  setText(time, clock(message.created_at));
  time.dataset.short = shortClock(message.created_at);
  time.dateTime = message.created_at;
  time.title = `${exact(message.created_at)} · message ${message.id}, change ${message.seq}`;
}

/** @param {HTMLElement} element @param {Message} message */
function renderText(element, message) {
  setText(element, message.deleted_at ? "This message was deleted." : message.message);
  if (!message.edited_at || message.deleted_at) return;
  const edited = create("span", "edited", "edited");
  edited.title = exact(message.edited_at);
  element.append(" ", edited);
}

/** @param {HTMLElement} quote @param {Message} message @param {Message} [answered] */
function renderQuote(quote, message, answered) {
  quote.hidden = !message.reply_to || Boolean(message.deleted_at);
  if (quote.hidden) return;
  const said = answered?.deleted_at ? "a deleted message" : excerpt(answered?.message ?? "");
  setText(quote, answered ? `${answered.sender}: ${said}` : `In reply to message ${message.reply_to}`);
}

/**
 * Update the chips in place, so that the focused one keeps the focus.
 * @param {HTMLElement} element
 * @param {Message} message
 * @param {string} me
 */
function renderReactions(element, message, me) {
  const reactions = message.reactions ?? [];
  const chips = reactions.map(({ emoji, users, count }) => {
    const chip = element.querySelector(`[data-emoji="${CSS.escape(emoji)}"]`) ?? create("button", "chip");
    setText(chip, `${emoji} ${count}`);
    chip.setAttribute("type", "button");
    chip.setAttribute("data-emoji", emoji);
    chip.setAttribute("aria-pressed", String(users.includes(me)));
    chip.setAttribute("aria-label", `${emoji} ${count} from ${listed(users, count)}`);
    chip.setAttribute("title", listed(users, count));
    return chip;
  });
  for (const chip of [...element.children]) if (!chips.includes(chip)) chip.remove();
  for (const chip of chips) if (!chip.parentElement) element.append(chip);
}

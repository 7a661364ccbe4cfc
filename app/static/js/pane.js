/** A pane: one client and its views. */
import { ChatClient } from "./client.js";
import { createComposer, lastOwn } from "./views/composer.js";
import { button, fromTemplate, part } from "./views/elements.js";
import { createFrames } from "./views/frames.js";
import { createRooms } from "./views/rooms.js";
import { createSignIn } from "./views/sign_in.js";
import { renderRoomBar, renderStatus } from "./views/status.js";
import { createTimeline } from "./views/timeline.js";

/** @import {Credentials, Tokens} from "./types.js" */

const HIDDEN_MS = 250;

/**
 * @typedef {object} PaneOptions
 * @property {string} url
 * @property {Credentials[]} samples
 * @property {() => void} onChange called after every rendering
 * @property {(tokens: Tokens | null) => void} onTokens
 * @property {() => void} onRooms called when this pane has created a room
 */

/** @param {PaneOptions} options */
export function createPane({ url, samples, onChange, onTokens, onRooms }) {
  const root = fromTemplate("pane");
  const body = part(root, "body", HTMLElement);
  const drawer = part(root, "frames", HTMLElement);
  const client = new ChatClient({ url, onChange: schedule, onTokens });
  const signIn = createSignIn(samples, { signIn: enter });
  const frames = createFrames({
    pause: (paused) => client.pauseFrames(paused),
    clear: () => client.clearFrames(),
    drop: () => client.socket.drop(),
    sendRaw: (text) => client.socket.sendRaw(text),
  });
  let room = createRoomView(client, onRooms);
  let isScheduled = false;

  /** @param {Credentials} credentials @param {{isNew: boolean}} more */
  async function enter(credentials, more) {
    const refused = await client.account.signIn(credentials, more);
    render();
    if (!client.state.user) return refused;
    signIn.forget();
    room.focus();
    return {};
  }

  /**
   * Render once for many changes. A hidden page has no animation frames, but its title has the unread count.
   */
  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    if (document.visibilityState === "visible") requestAnimationFrame(render);
    else setTimeout(render, HIDDEN_MS);
  }

  function render() {
    isScheduled = false;
    const { state } = client;
    const shown = state.user ? room.root : signIn.root;
    if (body.firstElementChild !== shown) {
      if (!state.user) room = createRoomView(client, onRooms);
      body.replaceChildren(shown);
    }
    renderStatus(root, state);
    if (state.user) room.render();
    if (!drawer.hidden) frames.render(state);
    onChange();
  }

  drawer.append(frames.root);
  button(root, "frames-toggle").addEventListener("click", ({ currentTarget }) => {
    drawer.hidden = !drawer.hidden;
    /** @type {Element} */ (currentTarget).setAttribute("aria-pressed", String(!drawer.hidden));
    render();
  });
  button(root, "log-out").addEventListener("click", async () => {
    await client.account.signOut();
    render();
    signIn.focus();
  });
  button(root, "problem-dismiss").addEventListener("click", () => client.dismissProblem());
  render();

  return { root, client, focus: () => signIn.focus() };
}

/** @param {ChatClient} client @param {() => void} onRooms */
function createRoomView(client, onRooms) {
  const root = fromTemplate("room-view");
  const composer = createComposer(root, {
    say: (content, replyTo) => client.messages.send(content, replyTo),
    edit: (message, content) => client.messages.edit(message, content),
    typing: () => client.messages.typing(),
    lastOwn: () => lastOwn(client.state),
  });
  const focus = () => matchMedia("(pointer: coarse)").matches || composer.focus();
  const rooms = createRooms(root, {
    openRoom: (id) => {
      void client.rooms.open(id);
      render(); // before the first keystroke, which belongs to the new room
      focus();
    },
    createRoom: async (name) => {
      await client.rooms.create(name);
      onRooms();
      render();
      focus();
    },
  });
  const timeline = createTimeline(root, {
    react: (message, emoji) => client.messages.toggleReaction(message, emoji),
    reply: (message) => composer.reply(message),
    edit: (message) => composer.edit(message),
    delete: (message) => client.messages.delete(message),
    loadOlder: () => client.rooms.loadOlder(),
    seen: (id) => client.messages.markRead(id),
    again: (clientId) => client.messages.resend(clientId),
    discard: (clientId) => client.messages.discard(clientId),
  });

  function render() {
    timeline.render(client.state); // first: it marks what it shows as read, and the others show the count
    rooms.render(client.state);
    renderRoomBar(root, client.state);
    composer.render(client.state);
  }

  return { root, render, focus };
}

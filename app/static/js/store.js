/**
 * What one pane knows, and how everything that happens changes it. Pure: no DOM, no network, no clock. Every
 * reducer takes a state and returns the next one, sharing what did not change.
 */
export { received } from "./store/events.js";
export { historyAsked, historyDropped, historyFailed, historyLoaded } from "./store/history.js";
export { sendForgotten, sendQueued } from "./store/outbox.js";
export { presenceLoaded, ticked } from "./store/presence.js";
export { markedRead, roomLoaded, roomOpened, roomsLoaded } from "./store/rooms.js";
export { connectionChanged, framesChanged, signedIn, signedOut, wentWrong } from "./store/session.js";
export { emptyState, messageOf, roomOf, timelineOf, typingIn, unreadTotal } from "./store/state.js";

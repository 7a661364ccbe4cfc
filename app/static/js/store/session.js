/** Reducers of the login, the connection, the last error and the log of frames. */
import { emptyState } from "./state.js";

/** @import {ConnectionState, FrameLog, State, User} from "../types.js" */

/** @param {State} state @param {User} user @returns {State} */
export function signedIn(state, user) {
  return { ...state, user, problem: "" };
}

/** Forget everything but the log of frames. @param {State} state @returns {State} */
export function signedOut(state, problem = "") {
  return { ...emptyState(), frames: state.frames, problem };
}

/** @param {State} state @param {ConnectionState} connection @returns {State} */
export function connectionChanged(state, connection) {
  const lost = connection.phase === "waiting" ? { typing: {}, presence: {} } : {};
  return { ...state, ...lost, connection };
}

/** @param {State} state @param {string} problem @returns {State} */
export function wentWrong(state, problem) {
  return { ...state, problem };
}

/** @param {State} state @param {Partial<FrameLog>} more @returns {State} */
export function framesChanged(state, more) {
  return { ...state, frames: { ...state.frames, ...more } };
}

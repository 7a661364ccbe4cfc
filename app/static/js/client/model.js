/** The state of a client, and the one place where it is replaced. */
import { ApiError } from "../api.js";
import * as store from "../store.js";

/** @import {State} from "../types.js" */

export class Model {
  /** @param {() => void} onChange called after every change */
  constructor(onChange) {
    this.onChange = onChange;
    this.state = store.emptyState();
  }

  /** @param {State} state */
  set(state) {
    if (state === this.state) return;
    this.state = state;
    this.onChange();
  }

  /** Run work and show its failure. @param {() => Promise<void>} work */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.report(error);
    }
  }

  /** @param {unknown} error */
  report(error) {
    const sentence = error instanceof ApiError ? error.message : "The server cannot be reached.";
    this.set(store.wentWrong(this.state, sentence));
  }
}

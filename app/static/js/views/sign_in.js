/** Logging in and signing up. */
import { button, create, fromTemplate, part } from "./elements.js";

/** @import {Credentials} from "../types.js" */

/**
 * @param {Credentials[]} samples offered as one-click buttons
 * @param {{signIn: (credentials: Credentials, more: {isNew: boolean}) => Promise<void>}} actions
 */
export function createSignIn(samples, actions) {
  const root = fromTemplate("sign-in");
  const form = part(root, "form", HTMLFormElement);
  const username = part(root, "username", HTMLInputElement);
  const password = part(root, "password", HTMLInputElement);

  /** @param {Credentials} credentials @param {boolean} isNew */
  async function enter(credentials, isNew) {
    root.inert = true;
    root.setAttribute("aria-busy", "true");
    await actions.signIn(credentials, { isNew });
    root.inert = false;
    root.removeAttribute("aria-busy");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const isNew = event.submitter === button(root, "sign-up");
    void enter({ username: username.value, password: password.value }, isNew);
  });

  part(root, "samples", HTMLElement).hidden = samples.length === 0;
  for (const account of samples) {
    const choice = create("button", "button", account.username);
    choice.setAttribute("type", "button");
    choice.title = `Log in as ${account.username}, password ${account.password}`;
    choice.addEventListener("click", () => enter(account, false));
    part(root, "sample-buttons", HTMLElement).append(choice);
  }

  return { root, focus: () => username.focus(), forget: () => form.reset() };
}

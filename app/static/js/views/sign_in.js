/** Logging in and signing up. */
import { button, create, fromTemplate, part, setText } from "./elements.js";

/** @import {FieldProblems} from "../client/account.js" */
/** @import {Credentials} from "../types.js" */

/**
 * @param {Credentials[]} samples offered as one-click buttons
 * @param {{signIn: (credentials: Credentials, more: {isNew: boolean}) => Promise<FieldProblems>}} actions
 */
export function createSignIn(samples, actions) {
  const root = fromTemplate("sign-in");
  const form = part(root, "form", HTMLFormElement);
  const username = part(root, "username", HTMLInputElement);
  const password = part(root, "password", HTMLInputElement);
  const tellUsername = describe(username, part(root, "username-problem", HTMLElement));
  const tellPassword = describe(password, part(root, "password-problem", HTMLElement));

  /** @param {Credentials} credentials @param {boolean} isNew */
  async function enter(credentials, isNew) {
    root.inert = true;
    root.setAttribute("aria-busy", "true");
    const refused = await actions.signIn(credentials, { isNew });
    root.inert = false;
    root.removeAttribute("aria-busy");
    tellUsername(refused.username);
    tellPassword(refused.password);
    if (refused.username) username.focus();
    else if (refused.password) password.focus();
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

let described = 0;

/**
 * Connect a field with the text beside it that tells what is wrong with it, until it is changed.
 * @param {HTMLInputElement} field
 * @param {HTMLElement} problem
 * @returns {(text?: string) => void} tells what is wrong; nothing without a text
 */
function describe(field, problem) {
  described += 1;
  problem.id = `problem-${described}`;
  field.setAttribute("aria-describedby", problem.id);

  function tell(text = "") {
    setText(problem, text);
    problem.hidden = !text;
    field.setAttribute("aria-invalid", String(Boolean(text)));
  }

  field.addEventListener("input", () => tell());
  return tell;
}

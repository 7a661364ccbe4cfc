/** Fetches the AsyncAPI document and shows it. */
import { base } from "../base.js";
import { create } from "../views/elements.js";
import { read } from "./document.js";
import { chapters, contents } from "./views.js";

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const place = at("chapters");
try {
  const answer = await fetch(`${base}/asyncapi.json`);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const protocol = read(await answer.json());
  document.title = `${protocol.title} · Socket`;
  at("title").textContent = protocol.title;
  at("version").textContent = protocol.version;
  at("contents").replaceChildren(...contents(protocol));
  place.replaceChildren(...chapters(protocol));
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
} catch (error) {
  place.replaceChildren(
    create(
      "p",
      "failure",
      `asyncapi.json could not be shown: ${error instanceof Error ? error.message : error}`,
    ),
  );
} finally {
  place.removeAttribute("aria-busy");
}

/** DOM functions shared by the views. Text is set as text: nothing here parses markup. */

/**
 * A copy of the only element of a `<template>`.
 * @param {string} id @returns {HTMLElement}
 */
export function fromTemplate(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`no template "${id}"`);
  const element = template.content.firstElementChild?.cloneNode(true);
  if (!(element instanceof HTMLElement)) throw new Error(`template "${id}" is empty`);
  return element;
}

/**
 * The element marked `data-part="name"`. Throws if it is missing or of another type.
 * @template {Element} T
 * @param {ParentNode} root @param {string} name @param {new () => T} type @returns {T}
 */
export function part(root, name, type) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof type)) throw new Error(`no ${type.name} "${name}"`);
  return found;
}

/** @param {ParentNode} root @param {string} name */
export function button(root, name) {
  return part(root, name, HTMLButtonElement);
}

/**
 * Set the text only if it differs: setting it clears a selection and makes a live region announce it again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} tag @param {string} className @param {string} [text] */
export function create(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** The hue of a name: a user has the same colour everywhere. @param {string} name */
export function hueOf(name) {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  const spread = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return (spread >>> 0) % 360;
}

/** @param {string[]} names @param {number} [count] the total, if not all are named */
export function listed(names, count = names.length) {
  const shown = names.slice(0, 3);
  const more = count - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

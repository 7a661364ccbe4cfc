/** The few things every view does with the DOM. Text goes in as text: nothing here reads markup. */

/**
 * A copy of a `<template>`'s only element.
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
 * The element marked `data-part="name"`, known to be of a type.
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
 * Writes only what differs, so that selections and live regions are left in peace.
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

/** A hue that belongs to a name: the same person has the same colour everywhere. @param {string} name */
export function hueOf(name) {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  const spread = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return (spread >>> 0) % 360;
}

/** @param {string[]} names @param {number} [count] how many there are, when not all are named */
export function listed(names, count = names.length) {
  const shown = names.slice(0, 3);
  const more = count - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

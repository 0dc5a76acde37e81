// Building the page. Text goes in as text only; nothing here takes HTML.

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/**
 * An element with attributes and children. Children are elements or text;
 * attributes that are undefined, null or false are left out, and those that
 * are functions are listeners.
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** A small label. kind is one of those that controls.css colours. */
export const chip = (text, kind, title) => el('span', { class: `chip ${kind}`, title }, text);

/** Text for screen readers only. */
export const spoken = (text) => el('span', { class: 'spoken' }, text);

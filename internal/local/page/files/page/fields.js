// Labelled controls.

import { el } from './dom.js';

/** A control with its label above it. */
export const field = (label, control) => el('label', { class: 'field' }, label, control);

/** A field for text, which browsers are not to fill in or to correct. */
export const input = (attributes) =>
  el('input', { type: 'text', class: 'textfield', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', ...attributes });

/** A choice among options, each a pair of value and text. */
export function choice(attributes, options, chosen) {
  const select = el('select', attributes);
  offer(select, options, chosen);
  return select;
}

/** Offers other options; what was chosen stays chosen where it can. */
export function offer(select, options, chosen = select.value) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(...options.map(([value, text]) => el('option', { value }, text)));
  }
  if (chosen && options.some(([value]) => value === chosen)) select.value = chosen;
}

/** A button that does something. kind is one of those that controls.css knows. */
export const button = (text, kind, click, attributes = {}) =>
  el('button', { type: 'button', class: `button ${kind}`, click, ...attributes }, text);

/** A form whose fields are disabled as long as allow(false) says so, for the reason given. */
export function form(attributes, submit, ...children) {
  const fields = el('fieldset', { class: 'form-fields' }, children);
  const reason = el('p', { class: 'hint form-reason', hidden: true });
  const element = el('form', { ...attributes, novalidate: true, submit: (event) => { event.preventDefault(); submit(); } }, fields, reason);
  const allow = (allowed, why = '') => {
    fields.disabled = !allowed;
    reason.hidden = allowed;
    reason.textContent = why;
  };
  return { element, allow };
}

/** Options for the roles that there are. */
export const roleOptions = (roles) => roles.map(({ key }) => [key, key]);

/** "25 Nov 2026", with the time on demand. */
export function day(text, withTime = false) {
  const at = new Date(text);
  const time = withTime ? { hour: '2-digit', minute: '2-digit', second: '2-digit' } : {};
  return el('time', { datetime: text, title: text }, at.toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', ...time }));
}

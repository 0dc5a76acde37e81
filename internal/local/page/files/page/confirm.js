// Making sure: in place for what can be undone, by typing a name for what cannot.

import { Denied } from './desk.js';
import { byId, el } from './dom.js';
import { button, field, input } from './fields.js';

/** A button that asks once more, in its own place, before it does something. */
export function askedTwice(text, question, act, attributes = {}) {
  const place = el('span', { class: 'twice' });
  const first = button(text, 'small danger', () => swap([sure, keep], keep), attributes);
  const sure = button(question, 'small danger sure', () => act(), { 'data-key': attributes['data-key'] });
  const keep = button('Keep', 'small', () => swap([first], first));
  const swap = (controls, focused) => {
    place.replaceChildren(...controls);
    focused.focus();
  };
  place.append(first);
  return place;
}

/**
 * Asks for the organization's name in a dialog, then does the work, which is
 * given the name. Where the server asks for proof of who the person is, the
 * dialog offers to give it and does the work again.
 */
export function confirmByName(desk, { title, text, action, work }) {
  const { name } = desk.viewer.organization;
  const dialog = byId('confirm');
  const typed = input({ id: 'confirm-name', input: () => (doIt.disabled = typed.value !== name) });
  const doIt = button(action, 'danger', () => attempt(), { id: 'confirm-do', disabled: true });
  const prove = button('Prove once more who you are', 'primary', () => { desk.session.prove(); return attempt(); }, { id: 'confirm-prove', hidden: true, title: 'Stands for the dialog that Clerk’s components open' });
  const outcome = el('p', { class: 'confirm-outcome', id: 'confirm-outcome', role: 'status' });

  async function attempt() {
    outcome.replaceChildren('Asking …');
    askForProof(false);
    try {
      const done = await work(typed.value);
      dialog.close();
      await desk.changed();
      desk.say('done', [done]);
    } catch (error) {
      if (!dialog.open) return;
      outcome.replaceChildren(...desk.words(error).flat());
      askForProof(error instanceof Denied && error.asksForProof);
    }
  }

  /** The way on takes the place of the button that cannot help. */
  function askForProof(asks) {
    prove.hidden = !asks;
    doIt.hidden = asks;
    if (asks) prove.focus();
  }

  const body = el(
    'form',
    { class: 'confirm-form', novalidate: true, submit: (event) => { event.preventDefault(); if (!doIt.disabled && !doIt.hidden) attempt(); } },
    el('h2', { id: 'confirm-title' }, title),
    el('p', {}, text),
    field(['Type ', el('b', {}, name), ' to confirm'], typed),
    outcome,
    el('div', { class: 'row confirm-row' }, doIt, prove, button('Cancel', '', () => dialog.close(), { id: 'confirm-cancel' })),
  );
  dialog.replaceChildren(body);
  dialog.showModal();
  typed.focus();
}

// Choosing the person and the organization, and watching the token live.

import { byId, el, spoken } from './dom.js';

const people = byId('people');
const organizations = byId('organizations');

/** Lets the session be chosen. Returns a function that shows a new directory. */
export function startWho(session) {
  const keep = byId('keep');
  const show = { directory: null };

  people.addEventListener('change', (event) => {
    const handle = event.target.value;
    session.choose(handle, show.directory.membershipsOf(handle)[0]?.organization ?? '');
  });
  organizations.addEventListener('change', (event) => session.choose(session.person, event.target.value));
  keep.addEventListener('change', () => {
    session.keep = keep.checked;
    showToken(session);
  });
  session.addEventListener('change', () => showOrganizations(session, show.directory));
  session.addEventListener('token', () => showToken(session));
  setInterval(() => showToken(session), 250);

  return (directory) => {
    show.directory = directory;
    showPeople(session, directory);
    showOrganizations(session, directory);
    showToken(session);
  };
}

function showPeople(session, directory) {
  const choices = [...directory.people.map((user) => user.handle), ''];
  replaceKeepingFocus(
    people,
    choices.map((handle) => {
      const user = directory.person(handle);
      return el(
        'label',
        { class: 'person', title: user ? `${user.firstName} ${user.lastName}, ${user.email}` : 'No token at all' },
        el('input', { type: 'radio', name: 'person', value: handle, checked: handle === session.person, class: 'spoken' }),
        avatar(directory, handle),
        el('span', { class: 'person-name' }, directory.nameOf(handle)),
      );
    }),
  );
}

/** A person's initials in their colour. */
export function avatar(directory, handle) {
  const user = directory.person(handle);
  const hue = user ? directory.people.indexOf(user) % 6 : 'none';
  return el('span', { class: `avatar hue-${hue}`, 'aria-hidden': 'true' }, user ? user.firstName[0] + user.lastName[0] : '–');
}

/** The initials of somebody who need not be of this machine; the colour follows the name. */
export function initials(name) {
  const letters = name.split(/\s+/).map((word) => [...word][0] ?? '');
  const hue = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  return el('span', { class: `avatar hue-${hue}`, 'aria-hidden': 'true' }, letters[0] + (letters.length > 1 ? letters.at(-1) : ''));
}

function showOrganizations(session, directory) {
  const choices = [...directory.organizations.map((organization) => organization.slug), ''];
  replaceKeepingFocus(
    organizations,
    choices.map((slug) => {
      const role = directory.membership(slug, session.person)?.role;
      const checked = slug === session.organization;
      return el(
        'label',
        { class: 'organization' },
        el('input', {
          type: 'radio', name: 'organization', value: slug, class: 'spoken', checked,
          // Who was removed stays where they are until they choose again.
          disabled: !checked && (session.person ? slug !== '' && !role : true),
        }),
        el('b', {}, slug ? directory.organizationName(slug) : 'None'),
        slug
          ? el('span', { class: role ? 'as-role' : checked ? 'lost' : '' }, role ?? (checked ? 'removed' : 'outside'))
          : el('span', {}, 'active'),
      );
    }),
  );
}

/** Puts new radio buttons in; the one that has the focus keeps it. */
function replaceKeepingFocus(group, labels) {
  const focused = group.contains(document.activeElement);
  group.replaceChildren(...labels);
  if (focused) group.querySelector('input:checked')?.focus();
}

const hints = {
  keep: 'Sent until it expires, whatever becomes of the membership.',
  renew: 'Off: a new one before it expires and after a change.',
  outdated: 'The membership has changed: the next request gets a new one.',
  nobody: 'Nobody has no token to send.',
};

function showToken(session) {
  const left = session.secondsLeft();
  const state = !session.person || left === null ? 'none' : left === 0 ? 'expired' : left <= 10 ? 'ending' : 'alive';
  const seconds = Math.ceil(left ?? 0);
  const text = {
    none: session.person ? 'none yet' : 'none',
    expired: 'expired',
    ending: `${seconds} s left`,
    alive: `${seconds} s left`,
  }[state];
  set(byId('token'), 'data-state', state);
  // Screen readers are not told each second.
  const output = byId('token-state');
  if (output.dataset.text !== text) {
    output.dataset.text = text;
    output.replaceChildren(el('span', { 'aria-hidden': 'true' }, text), spoken(state));
  }
  byId('token-life').value = left ?? 0;
  const hint = hints[!session.person ? 'nobody' : session.keep ? 'keep' : session.outdated ? 'outdated' : 'renew'];
  if (byId('keep-hint').textContent !== hint) byId('keep-hint').textContent = hint;
}

function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// The roles, and what each allows.

import { byId, chip, el } from './dom.js';

export function startRoles(desk) {
  const list = el('ul', { class: 'rows', id: 'roles', 'aria-label': 'Roles' });
  byId('panel-roles').append(list);
  return {
    clear: () => list.replaceChildren(),
    show() {
      const own = desk.viewer.membership?.role;
      const rows = desk.roles.map(({ key, name, permissions }) =>
        el(
          'li',
          { class: 'entry role-entry', 'data-role': key },
          el('p', { class: 'entry-main' }, el('b', {}, name), el('span', { class: 'quiet' }, key === own ? 'your role' : `${permissions.length} permissions`)),
          el('p', { class: 'entry-chips' }, chip(key, key === own ? 'role admin' : 'role')),
          el('p', { class: 'role-permissions' }, permissions.length ? permissions.map((permission) => chip(permission, 'neutral')) : el('span', { class: 'quiet' }, 'It allows nothing.')),
        ),
      );
      list.replaceChildren(...(rows.length ? rows : [el('li', { class: 'nothing' }, 'The copy of Clerk has no roles yet.')]));
    },
    missing: () => false,
  };
}

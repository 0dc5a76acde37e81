// The person's organizations, and making one.

import { byId, chip, el } from './dom.js';
import { button, day, field, form, input } from './fields.js';
import { List } from './list.js';

const query = `query Memberships($first: Int, $after: String, $count: Boolean!) {
  viewer {
    memberships(first: $first, after: $after) {
      nodes { role joinedAt organization { id name slug } }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $count)
      totalCountIsCapped @include(if: $count)
    }
  }
}`;
const create = 'mutation Create($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id name slug } } }';

export function startOrganizations(desk) {
  const list = new List({
    desk, name: 'memberships', label: 'Your organizations', noun: ['organization', 'organizations'],
    empty: () => 'You belong to no organization yet. Create one.',
    fetch: async (page) => (await desk.ask(query, page)).viewer.memberships,
    row: (membership) => row(desk, membership),
  });
  const name = input({ id: 'create-name', maxlength: 256, placeholder: 'Norakraft' });
  const slug = input({ id: 'create-slug', placeholder: 'made from the name' });
  const { element, allow } = form(
    { class: 'panel-form', id: 'create', 'aria-labelledby': 'create-title' },
    async () => {
      const done = await desk.act('Creating', async () => {
        const wanted = { name: name.value, ...(slug.value.trim() && { slug: slug.value.trim() }) };
        const { organization } = (await desk.ask(create, { input: wanted })).createOrganization;
        return `${organization.name} is there, and you are its admin. Activate it to work in it.`;
      });
      if (done) name.value = slug.value = '';
    },
    el('h3', { id: 'create-title' }, 'Create an organization'),
    el('div', { class: 'fields' }, field('Name', name), field('Slug, if you like', slug), el('button', { class: 'button primary', id: 'create-do' }, 'Create')),
  );
  byId('panel-organizations').append(list.element, element);
  return {
    clear() {
      list.clear();
      name.value = slug.value = '';
    },
    async show() {
      allow(Boolean(desk.viewer), 'Choose a person first: nobody is signed in.');
      if (desk.viewer) await list.load();
    },
  };
}

function row(desk, { role, joinedAt, organization: { id, name, slug } }) {
  const key = slug ?? id;
  const active = id === desk.viewer?.organization?.id;
  return el(
    'li',
    { class: 'entry', 'data-slug': key },
    el('p', { class: 'entry-main' }, el('b', {}, name), el('span', { class: 'quiet' }, slug ? `${slug}, ` : '', 'joined ', day(joinedAt))),
    el('p', { class: 'entry-chips' }, chip(role, role === 'org:admin' ? 'role admin' : 'role')),
    active
      ? el('span', { class: 'active-mark' }, 'active')
      : button('Activate', 'small', () => desk.session.choose(desk.session.person, key), { 'data-key': `activate ${id}`, 'aria-label': `Activate ${name}` }),
  );
}

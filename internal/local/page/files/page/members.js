// The members: finding them, their roles, removing and adding.

import { byId, chip, el } from './dom.js';
import { choice, day, field, form, input, offer, roleOptions } from './fields.js';
import { askedTwice } from './confirm.js';
import { List } from './list.js';
import { avatar, initials } from './who.js';

const query = `query Members($first: Int, $after: String, $search: String, $role: Role, $orderBy: MemberOrder, $includeFormer: Boolean!, $count: Boolean!) {
  organization {
    members(first: $first, after: $after, search: $search, role: $role, orderBy: $orderBy, includeFormer: $includeFormer) {
      nodes { id name email role joinedAt leftAt banned deprovisioned locked viewerCan { updateRole { allowed reason } remove { allowed reason } } }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $count)
      totalCountIsCapped @include(if: $count)
    }
  }
}`;
const updateRole = 'mutation UpdateRole($input: UpdateMemberRoleInput!) { updateMemberRole(input: $input) { member { id role } } }';
const remove = 'mutation Remove($input: RemoveMemberInput!) { removeMember(input: $input) { removedMemberId } }';
const add = 'mutation Add($input: AddMemberInput!) { addMember(input: $input) { member { id name role } } }';

const orders = [['JOINED_AT', 'First joined first'], ['JOINED_AT_DESC', 'Last joined first'], ['NAME', 'By name'], ['NAME_DESC', 'By name, from the end']];

export function startMembers(desk) {
  const again = () => list.load({ anew: true });
  const search = input({ type: 'search', id: 'members-search', maxlength: 100, placeholder: 'Name or e-mail', input: debounced(again) });
  const role = choice({ id: 'members-role', change: again }, [['', 'All roles']]);
  const order = choice({ id: 'members-order', change: again }, orders);
  const former = el('input', { type: 'checkbox', role: 'switch', id: 'members-former', change: again });
  const list = new List({
    desk, name: 'members', label: 'Members', noun: ['member', 'members'],
    empty: () => (search.value.trim() || role.value ? 'Nobody matches.' : 'There is nobody here.'),
    fetch: async (page) => {
      const sought = search.value.trim() || undefined;
      const { organization } = await desk.ask(query, {
        ...page, search: sought, role: role.value || undefined, orderBy: sought ? undefined : order.value, includeFormer: former.checked,
      });
      return organization.members;
    },
    row: (member) => row(desk, member),
  });
  const adding = addForm(desk);
  byId('panel-members').append(
    el(
      'div',
      { class: 'filters' },
      field('Search', search), field('Role', role), field('Order', order),
      el('label', { class: 'switch' }, former, el('span', {}, 'Former members, too')),
    ),
    list.element,
    adding.element,
  );
  return {
    clear() {
      list.clear();
      search.value = role.value = '';
      former.checked = false;
      adding.clear();
    },
    async show() {
      offer(role, [['', 'All roles'], ...roleOptions(desk.roles)]);
      // A search has an order of its own.
      order.disabled = Boolean(search.value.trim());
      adding.show();
      if (desk.viewer.readsMembers) await list.load();
    },
    missing: () => !desk.viewer.readsMembers && 'org:sys_memberships:read',
  };

  function debounced(work) {
    let timer;
    return () => {
      order.disabled = Boolean(search.value.trim());
      clearTimeout(timer);
      timer = setTimeout(work, 200);
    };
  }
}

function row(desk, member) {
  const { id, email, leftAt, viewerCan } = member;
  const name = member.name ?? 'Name unknown';
  const may = ({ allowed }) => allowed && !leftAt;
  const standing = ['banned', 'deprovisioned', 'locked'].filter((state) => member[state]);
  const known = email && desk.directory.withAddress(email);
  const isOwn = known && known.handle === desk.session.person;
  const chosen = choice(
    {
      'aria-label': `Role of ${name}`, 'data-key': `role ${id}`,
      change: (event) => {
        const { value } = event.target;
        desk.act(`Making ${name} ${value}`, async () => {
          await desk.ask(updateRole, { input: { memberId: id, role: value } });
          if (isOwn) desk.session.outdate();
          return `${name} is ${value} now.`;
        });
      },
    },
    roleOptions(withRole(desk.roles, member.role)),
    member.role,
  );
  return el(
    'li',
    { class: 'entry', 'data-email': email, 'data-role': member.role },
    known ? avatar(desk.directory, known.handle) : initials(name),
    el('p', { class: 'entry-main' }, el('b', {}, name, isOwn && ' (you)'), el('span', { class: 'quiet' }, [email ?? 'no address', ...standing].join(' · '))),
    el('p', { class: 'entry-when quiet' }, leftAt ? ['left ', day(leftAt)] : ['joined ', day(member.joinedAt)]),
    may(viewerCan.updateRole) ? el('span', { class: 'entry-role' }, chosen) : el('span', { class: 'entry-role' }, chip(member.role, 'role')),
    may(viewerCan.remove) &&
      askedTwice(
        'Remove', 'Yes, remove',
        () => desk.act(`Removing ${name}`, async () => {
          await desk.ask(remove, { input: { memberId: id } });
          if (isOwn) desk.session.outdate();
          return `${name} is a member no more.`;
        }),
        { 'data-key': `remove ${id}`, 'aria-label': `Remove ${name}` },
      ),
  );
}

/** The role that somebody has is offered even where the copy of Clerk lacks it. */
const withRole = (roles, key) => (roles.some((role) => role.key === key) ? roles : [...roles, { key }]);

/** Makes somebody a member without an invitation. */
function addForm(desk) {
  const people = el('datalist', { id: 'add-people' });
  const user = input({ id: 'add-user', list: 'add-people', placeholder: 'user_…' });
  const role = choice({ id: 'add-role' }, []);
  const { element, allow } = form(
    { class: 'panel-form', 'aria-labelledby': 'add-title', id: 'add' },
    async () => {
      const done = await desk.act('Adding', async () => {
        const { addMember } = await desk.ask(add, { input: { userId: user.value.trim(), role: role.value } });
        return `${addMember.member.name ?? 'The person'} is a member now, as ${addMember.member.role}.`;
      });
      if (done) user.value = '';
    },
    el('h3', { id: 'add-title' }, 'Add somebody by user id'),
    el('div', { class: 'fields' }, field('User id', user), field('Role', role), el('button', { class: 'button primary', id: 'add-do' }, 'Add')),
    people,
  );
  return {
    element,
    clear: () => (user.value = ''),
    show() {
      offer(role, roleOptions(desk.roles), role.value || 'org:member');
      people.replaceChildren(...desk.directory.people.map((person) => el('option', { value: person.id }, `${person.firstName} ${person.lastName}`)));
      allow(desk.viewer.managesMembers, 'Your role lacks org:sys_memberships:manage: you can look, not change.');
    },
  };
}

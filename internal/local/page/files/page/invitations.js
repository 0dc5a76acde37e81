// The invitations: what became of them, taking them back, and, on this machine,
// accepting them as the person who is invited.

import { acceptInvitation } from './clerk.js';
import { askedTwice } from './confirm.js';
import { byId, chip, el } from './dom.js';
import { button, choice, day, field } from './fields.js';
import { startInvite } from './invite.js';
import { List } from './list.js';

const query = `query Invitations($first: Int, $after: String, $status: InvitationStatus, $count: Boolean!) {
  organization {
    invitations(first: $first, after: $after, status: $status) {
      nodes { id email role status createdAt expiresAt }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $count)
      totalCountIsCapped @include(if: $count)
    }
  }
}`;
const revoke = 'mutation Revoke($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { invitation { id status } } }';

const statuses = [['PENDING', 'Pending'], ['ACCEPTED', 'Accepted'], ['REVOKED', 'Revoked'], ['EXPIRED', 'Expired'], ['', 'All']];
const colours = { PENDING: 'input', ACCEPTED: 'good', REVOKED: 'neutral', EXPIRED: 'refused' };

export function startInvitations(desk) {
  const status = choice({ id: 'invitations-status', change: () => list.load({ anew: true }) }, statuses);
  const list = new List({
    desk, name: 'invitations', label: 'Invitations', noun: ['invitation', 'invitations'],
    empty: () => (status.value === 'PENDING' ? 'Nobody is invited at the moment.' : 'There are none.'),
    fetch: async (page) => (await desk.ask(query, { ...page, status: status.value || null })).organization.invitations,
    row: (invitation) => row(desk, invitation),
  });
  const invite = startInvite(desk);
  byId('panel-invitations').append(invite.element, el('div', { class: 'filters' }, field('Status', status)), list.element);
  return {
    clear() {
      list.clear();
      status.value = 'PENDING';
      invite.clear();
    },
    async show() {
      invite.show();
      if (desk.viewer.managesMembers) await list.load();
    },
    missing: () => !desk.viewer.managesMembers && 'org:sys_memberships:manage',
  };
}

function row(desk, { id, email, role, status, createdAt, expiresAt }) {
  const pending = status === 'PENDING';
  const person = pending && desk.directory.withAddress(email);
  return el(
    'li',
    { class: 'entry invitation', 'data-email': email, 'data-status': status },
    el(
      'p',
      { class: 'entry-main' },
      el('b', {}, email ?? 'Address unknown'),
      el('span', { class: 'quiet' }, 'invited ', day(createdAt), pending && expiresAt && [', until ', day(expiresAt)]),
    ),
    el('p', { class: 'entry-chips' }, chip(role, 'role'), chip(status.toLowerCase(), colours[status] ?? 'neutral')),
    pending &&
      el(
        'div',
        { class: 'entry-acts' },
        person && button(`Accept as ${person.firstName}`, 'small', () => accept(desk, person), { 'data-key': `accept ${id}`, title: 'What the person does with the link in Clerk’s e-mail' }),
        askedTwice(
          'Revoke', 'Yes, revoke',
          () => desk.act(`Revoking the invitation of ${email}`, async () => {
            await desk.ask(revoke, { input: { id } });
            return `The invitation of ${email} is taken back.`;
          }),
          { 'data-key': `revoke ${id}`, 'aria-label': `Revoke the invitation of ${email}` },
        ),
      ),
  );
}

/** Clerk tells the server of it by webhook. */
const accept = (desk, person) =>
  desk.act(`Accepting as ${person.firstName}`, async () => {
    const { delivered, deliveryMs } = await acceptInvitation(desk.session.organization, person.handle);
    const told = delivered ? `The webhook was delivered in ${deliveryMs} ms.` : 'The webhook was not delivered yet; the local Clerk goes on trying.';
    return `${person.firstName} has accepted. ${told}`;
  });

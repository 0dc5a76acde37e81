// The audit log: who did what.

import { byId, chip, el } from './dom.js';
import { choice, day, field, offer } from './fields.js';
import { List } from './list.js';

const query = `query AuditLog($first: Int, $after: String, $action: String, $actor: ID, $count: Boolean!) {
  organization {
    auditLog(first: $first, after: $after, action: $action, actor: $actor) {
      nodes {
        id action outcome at targetType targetId actorId impersonatorId impersonatorType
        actor { name }
        changes { field before after }
        items { targetId outcome code }
      }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $count)
      totalCountIsCapped @include(if: $count)
    }
  }
}`;

const actions = [
  'document.create', 'document.update', 'document.delete', 'organization.create', 'organization.update', 'organization.delete',
  'invitation.create', 'invitation.revoke', 'member.add', 'member.update_role', 'member.remove', 'member.leave',
];
const colours = { APPLIED: 'good', REFUSED: 'refused', UNKNOWN: 'conflict' };

export function startAudit(desk) {
  const again = () => list.load({ anew: true });
  const action = choice({ id: 'audit-action', change: again }, [['', 'Everything'], ...actions.map((name) => [name, name])]);
  const actor = choice({ id: 'audit-actor', change: again }, [['', 'Anybody']]);
  const list = new List({
    desk, name: 'audit', label: 'Audit log', noun: ['entry', 'entries'],
    empty: () => (action.value || actor.value ? 'Nothing matches.' : 'Nothing has been done here yet.'),
    fetch: async (page) => {
      const filter = { action: action.value || undefined, actor: actor.value || undefined };
      return (await desk.ask(query, { ...page, ...filter })).organization.auditLog;
    },
    row,
  });
  byId('panel-audit').append(el('div', { class: 'filters' }, field('What', action), field('By', actor)), list.element);
  return {
    clear() {
      list.clear();
      action.value = actor.value = '';
    },
    async show() {
      offer(actor, [['', 'Anybody'], ...desk.directory.people.map(({ id, firstName, lastName }) => [id, `${firstName} ${lastName}`])]);
      if (desk.viewer.readsLog) await list.load();
    },
    missing: () => !desk.viewer.readsLog && 'org:audit_log:read',
  };
}

function row({ action, outcome, at, actor, actorId, impersonatorId, impersonatorType, targetType, targetId, changes, items }) {
  return el(
    'li',
    { class: 'entry audit', 'data-action': action, 'data-outcome': outcome },
    el(
      'p',
      { class: 'entry-main' },
      el('b', {}, action),
      el('span', { class: 'quiet' }, `${actor?.name ?? actorId ?? 'nobody'}${impersonatorId ? ` (really ${impersonatorType === 'AGENT' ? 'the agent ' : ''}${impersonatorId})` : ''}, `, day(at, true)),
    ),
    el('p', { class: 'entry-chips' }, chip(outcome.toLowerCase(), colours[outcome] ?? 'neutral')),
    el(
      'ul',
      { class: 'audit-details' },
      changes.map(({ field: name, before, after }) => el('li', {}, el('code', {}, name), ' ', before !== null && [el('s', {}, before), ' → '], after ?? 'gone')),
      items.map((item) => el('li', {}, el('code', {}, item.outcome.toLowerCase()), ' ', item.code ?? item.targetId ?? '')),
      el('li', { class: 'quiet' }, `${targetType} `, el('span', { class: 'id' }, targetId)),
    ),
  );
}

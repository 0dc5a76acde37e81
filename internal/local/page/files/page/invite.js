// Inviting one to ten people, each with an outcome beside the address.

import { explainReason, kindOf } from './codes.js';
import { chip, el } from './dom.js';
import { button, choice, form, input, offer, roleOptions } from './fields.js';

const mutation = `mutation Invite($input: InviteMembersInput!) {
  inviteMembers(input: $input) { results { email invitation { id } code } }
}`;

const most = 10;

export function startInvite(desk) {
  const lines = el('ol', { class: 'invitees', id: 'invitees' });
  const another = button('Another', 'small', () => { addLine().email.focus(); }, { id: 'invite-another' });
  const afresh = button('Start over', 'small', () => { clear(); all[0].email.focus(); }, { id: 'invite-afresh' });
  const problem = el('p', { class: 'problem', id: 'invite-problem', role: 'alert' });
  let all = [];

  const { element, allow } = form(
    { class: 'panel-form', 'aria-labelledby': 'invite-title', id: 'invite' },
    invite,
    el('h3', { id: 'invite-title' }, 'Invite people'),
    lines,
    el('div', { class: 'row' }, el('button', { class: 'button primary', id: 'invite-do' }, 'Invite'), another, afresh, problem),
  );

  function addLine() {
    const number = all.length + 1;
    const email = input({ inputmode: 'email', placeholder: 'name@example.com', 'aria-label': `Address ${number}` });
    const role = choice({ 'aria-label': `Role ${number}` }, roleOptions(desk.roles), 'org:member');
    const outcome = el('span', { class: 'invitee-outcome', role: 'status' });
    const line = { email, role, outcome, done: false, element: el('li', { class: 'invitee' }, email, role, outcome) };
    all.push(line);
    lines.append(line.element);
    another.disabled = all.length >= most;
    return line;
  }

  function clear() {
    all = [];
    lines.replaceChildren();
    problem.textContent = '';
    addLine();
  }

  async function invite() {
    // Who is invited already is not asked for a second time.
    const open = all.filter((line) => !line.done && line.email.value.trim());
    problem.textContent = open.length ? '' : 'Write an address first.';
    if (!open.length) return all.find((line) => !line.done)?.email.focus();
    await desk.act('Inviting', async () => {
      const invitations = open.map(({ email, role }) => ({ email: email.value.trim(), role: role.value }));
      const { results } = (await desk.ask(mutation, { input: { invitations } })).inviteMembers;
      results.forEach((result, i) => settle(open[i], result));
      const invited = results.filter(({ code }) => !code).length;
      return `${invited} of ${results.length} invited.`;
    });
  }

  function settle(line, { code }) {
    line.done = !code;
    line.email.readOnly = line.done;
    line.role.disabled = line.done;
    line.outcome.replaceChildren(...(code ? [chip(code, kindOf('CONFLICT')), el('span', {}, explainReason(code))] : [chip('invited', 'good')]));
  }

  return {
    element,
    clear,
    show() {
      if (!all.length) clear();
      for (const { role } of all) offer(role, roleOptions(desk.roles), role.value || 'org:member');
      allow(desk.viewer.managesMembers, 'Your role lacks org:sys_memberships:manage.');
    },
  };
}

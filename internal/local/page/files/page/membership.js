// Max in Acme: the membership that is taken away and given back.

import { addMember, removeMember, setRole, Refused } from './clerk.js';
import { byId } from './dom.js';

const organization = 'acme';
const user = 'max';

const state = byId('membership-state');
const roles = byId('membership-role');
const button = byId('membership-change');
const outcome = byId('membership-outcome');

/**
 * Lets the membership be changed. changed is called after each change that
 * Clerk made, and resolves to a sentence on what the last query says now.
 * Returns a function that shows a new directory.
 */
export function startMembership({ changed, gone }) {
  let membership;
  let busy = false;

  async function change(doing, call) {
    if (busy) return;
    busy = true;
    outcome.dataset.state = 'waiting';
    outcome.textContent = `${doing} …`;
    try {
      const { delivered, deliveryMs } = await call();
      const told = delivered
        ? `Webhook delivered in ${deliveryMs} ms.`
        : 'The webhook was not delivered yet; the local Clerk goes on trying.';
      outcome.dataset.state = delivered ? 'done' : 'problem';
      outcome.textContent = `${told} ${await changed()}`;
    } catch (error) {
      outcome.dataset.state = 'problem';
      outcome.textContent = error.message;
      if (!(error instanceof Refused)) gone();
    } finally {
      busy = false;
    }
  }

  button.addEventListener('click', () =>
    membership
      ? change('Removing Max', () => removeMember(organization, user))
      : change('Adding Max', () => addMember(organization, user, roles.value)),
  );
  roles.addEventListener('change', () => {
    if (membership) change(`Making Max ${roles.value}`, () => setRole(organization, user, roles.value));
  });

  return (directory) => {
    membership = directory.membership(organization, user);
    byId('membership').hidden = !directory.person(user) || !directory.organization(organization);
    state.dataset.state = membership ? 'member' : 'none';
    state.textContent = membership ? 'is a member' : 'is not a member';
    button.textContent = membership ? 'Remove Max' : 'Add Max again';
    button.classList.toggle('danger', Boolean(membership));
    const keys = directory.roles.map((role) => role.key);
    const chosen = membership?.role ?? (roles.value || 'org:member');
    if ([...roles.options].map((option) => option.value).join() !== keys.join()) {
      roles.replaceChildren(...keys.map((key) => new Option(key, key)));
    }
    roles.value = chosen;
  };
}

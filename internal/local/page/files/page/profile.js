// The organization itself: its name and slug, leaving it, deleting it.

import { confirmByName } from './confirm.js';
import { byId, el } from './dom.js';
import { button, field, form, input } from './fields.js';

const update = 'mutation Update($input: UpdateOrganizationInput!) { updateOrganization(input: $input) { organization { id name slug } } }';
const leave = 'mutation Leave($input: LeaveOrganizationInput!) { leaveOrganization(input: $input) { leftOrganizationId } }';
const destroy = 'mutation Delete($input: DeleteOrganizationInput!) { deleteOrganization(input: $input) { deletedOrganizationId } }';

export function startProfile(desk) {
  const name = input({ id: 'profile-name', maxlength: 256, input: offerSave });
  const slug = input({ id: 'profile-slug', input: offerSave });
  const saveIt = el('button', { class: 'button primary', id: 'profile-save', disabled: true }, 'Save');
  /** What the fields were filled with; what was typed over it is kept at a refresh. */
  let filled = { name: '', slug: '' };

  const { element, allow } = form(
    { class: 'panel-form', id: 'profile', 'aria-labelledby': 'profile-title' },
    save,
    el('h3', { id: 'profile-title' }, 'Name and slug'),
    el('div', { class: 'fields' }, field('Name', name), field('Slug', slug), saveIt),
  );
  const leaveIt = button('Leave …', 'danger', () => confirmByName(desk, leaving(desk)), { id: 'leave' });
  const deleteIt = button('Delete …', 'danger', () => confirmByName(desk, deleting(desk)), { id: 'delete' });
  const deleteHint = el('p', { class: 'quiet', id: 'delete-hint' });
  byId('panel-profile').append(
    element,
    el(
      'div',
      { class: 'ends' },
      el('div', {}, el('h3', {}, 'Leave'), el('p', { class: 'quiet' }, 'Ends your own membership. Your documents stay.')), leaveIt,
      el('div', {}, el('h3', {}, 'Delete'), deleteHint), deleteIt,
    ),
  );

  const changed = () => ({
    ...(name.value !== filled.name && { name: name.value }),
    ...(slug.value !== filled.slug && { slug: slug.value }),
  });

  function offerSave() {
    saveIt.disabled = Object.keys(changed()).length === 0;
  }

  function save() {
    return desk.act('Saving', async () => {
      const { organization } = (await desk.ask(update, { input: changed() })).updateOrganization;
      desk.session.renamed(organization.slug ?? organization.id);
      fill(organization);
      return `It is ${organization.name} (${organization.slug ?? 'no slug'}) now.`;
    });
  }

  function fill(organization) {
    filled = { name: organization.name, slug: organization.slug ?? '' };
    name.value = filled.name;
    slug.value = filled.slug;
    offerSave();
  }

  return {
    clear() {
      fill({ name: '', slug: '' });
      leaveIt.disabled = deleteIt.disabled = true;
    },
    show() {
      leaveIt.disabled = false;
      if (saveIt.disabled) fill(desk.viewer.organization);
      allow(desk.viewer.managesProfile, 'Your role lacks org:sys_profile:manage.');
      deleteIt.disabled = !desk.viewer.deletes;
      deleteHint.textContent = desk.viewer.deletes
        ? 'For good, for everybody. Asks you to prove once more who you are.'
        : 'Your role lacks org:sys_profile:delete.';
    },
    missing: () => false,
  };
}

const leaving = (desk) => ({
  title: 'Leave the organization',
  text: 'You lose access at once. Somebody has to invite you to come back.',
  action: 'Leave',
  work: async (expectedName) => {
    await desk.ask(leave, { input: { expectedName } });
    return gone(desk, `You have left ${expectedName}.`);
  },
});

const deleting = (desk) => ({
  title: 'Delete the organization',
  text: 'Everybody in it loses access at once. This cannot be undone.',
  action: 'Delete for good',
  work: async (expectedName) => {
    await desk.ask(destroy, { input: { expectedName } });
    return gone(desk, `${expectedName} is deleted.`);
  },
});

/** Nothing is active afterwards: the person chooses where to go on. */
function gone(desk, text) {
  desk.session.choose(desk.session.person, '');
  return text;
}

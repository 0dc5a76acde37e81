// The view of an organization: its panels, and what is shown in each.

import { startAudit } from './audit.js';
import { explain } from './codes.js';
import { Denied, Desk, Outdated } from './desk.js';
import { byId, el } from './dom.js';
import { startInvitations } from './invitations.js';
import { startMembers } from './members.js';
import { startOrganizations } from './organizations.js';
import { startProfile } from './profile.js';
import { startRoles } from './roles.js';
import { startTabs } from './tabs.js';

const untitled = 'No active organization';

/** Lets organizations be managed. Returns a function that shows everything anew. */
export function startSettings({ session, pulse }) {
  const desk = new Desk({ session, pulse });
  const organizations = startOrganizations(desk);
  const panels = {
    members: startMembers(desk), invitations: startInvitations(desk), audit: startAudit(desk), roles: startRoles(desk), profile: startProfile(desk),
  };
  const tabs = startTabs(byId('settings-tabs'), () => {
    desk.say();
    return showPanel();
  });
  let again = false;
  let running = null;

  session.addEventListener('change', () => {
    desk.clear();
    organizations.clear();
    clearPanels();
    byId('settings-title').textContent = session.organization ? desk.directory.organizationName(session.organization) : untitled;
    byId('confirm').close();
    desk.refresh();
  });

  function clearPanels() {
    for (const panel of Object.values(panels)) panel.clear();
  }

  /** One reading at a time; what is asked for meanwhile is read once afterwards. */
  desk.refresh = () => {
    again = true;
    running ??= (async () => {
      while (again) {
        again = false;
        await show();
      }
    })().finally(() => (running = null));
    return running;
  };

  async function show() {
    const view = byId('settings');
    if (view.checkVisibility() === false || !desk.directory) return;
    view.setAttribute('aria-busy', 'true');
    let words;
    try {
      await desk.load();
      await organizations.show();
    } catch (error) {
      if (error instanceof Outdated) return;
      desk.viewer = null;
      words = error instanceof Denied ? [explain(error.error)] : desk.words(error);
    }
    await showActive(words ?? (desk.ended && [desk.ended]));
    view.setAttribute('aria-busy', 'false');
  }

  async function showActive(words) {
    const active = desk.viewer?.organization;
    byId('settings-title').textContent = active?.name ?? untitled;
    byId('settings-active').hidden = !active;
    const nothing = byId('settings-nothing');
    nothing.hidden = Boolean(active);
    nothing.replaceChildren(...(words ?? [session.person ? 'Activate one of your organizations, or create one.' : 'Nobody is signed in. Choose a person.']));
    if (active) await showPanel();
    else clearPanels();
  }

  async function showPanel() {
    if (!desk.viewer?.organization) return;
    const panel = panels[tabs.chosen()];
    const missing = panel.missing();
    byId('settings-missing').hidden = !missing;
    byId('settings-missing').replaceChildren(...(missing ? ['Your role lacks ', el('code', {}, missing), ': an administrator can give you another one.'] : []));
    byId(`panel-${tabs.chosen()}`).classList.toggle('closed', Boolean(missing));
    await panel.show();
  }

  return () => desk.refresh();
}

// The last runs, to look at again.

import { chipsOf } from './answer.js';
import { byId, el } from './dom.js';

const most = 12;
const list = byId('history');

/** Notes a run; again is called when it is chosen later. */
export function remember(run, directory, again) {
  byId('history-empty').hidden = true;
  const button = el(
    'button',
    { type: 'button', class: 'past', click: () => again(run) },
    el('span', { class: 'past-time' }, run.at.toLocaleTimeString('en-GB')),
    el('span', { class: 'past-title' }, run.title, ' ', el('span', { class: 'quiet' }, directory.describe(run.person, run.organization))),
    el('span', { class: 'past-chips' }, chipsOf(run)),
  );
  list.prepend(el('li', {}, button));
  while (list.children.length > most) list.lastElementChild.remove();
}

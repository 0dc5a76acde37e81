// Who the server takes the person for, and what they may do.

import { explain } from './codes.js';
import { byId, chip, el, spoken } from './dom.js';
import { errorsOf } from './graphql.js';
import { run } from './run.js';
import { avatar } from './who.js';

const query = `query Viewer {
  viewer { user { id name } organization { id name slug } membership { role } permissions }
  organization { id }
}`;

let latest = 0;

/** Asks the server who is asking, and shows the answer. */
export async function showViewer(context) {
  const mine = ++latest;
  const card = byId('viewer');
  card.setAttribute('aria-busy', 'true');
  const answer = await run({ title: 'Viewer', query, variables: {} }, context);
  if (mine !== latest) return;
  byId('viewer-body').replaceChildren(...describe(answer, context.directory));
  card.setAttribute('aria-busy', 'false');
}

function describe(answer, directory) {
  const { person, trouble } = answer;
  if (trouble) return [head(directory, person, directory.nameOf(person), trouble.title), words(trouble.text)];
  const viewer = answer.body?.data?.viewer;
  const error = errorsOf(answer.body)[0];
  if (!person) return [head(directory, person, 'Nobody', 'not signed in'), words(withoutToken)];
  if (!viewer) {
    const text = error ? explain(error) : `The server answered with status ${answer.status}.`;
    return [head(directory, person, directory.nameOf(person), 'not accepted'), words(text)];
  }
  const name = viewer.user?.name ?? directory.nameOf(person);
  if (!viewer.organization) {
    return [head(directory, person, name, 'no active organization'), words(error ? explain(error) : 'No organization is active.')];
  }
  const role = viewer.membership?.role;
  return [
    head(directory, person, name, `in ${viewer.organization.name}`, role && chip(role, role === 'org:admin' ? 'role admin' : 'role')),
    ...permissions(viewer, directory),
  ];
}

const withoutToken = 'Without a token everything that is not public is null, with the code UNAUTHENTICATED.';

const words = (text) => el('p', { class: 'viewer-words' }, text);

const head = (directory, person, name, place, badge) =>
  el(
    'div',
    { class: 'viewer-head' },
    avatar(directory, person),
    el('p', { class: 'viewer-name' }, el('b', { id: 'viewer-name' }, name), el('span', { id: 'viewer-place' }, place)),
    badge && el('span', { id: 'viewer-role' }, badge),
  );

/** A row of chips for each feature; Clerk's own features fold away. */
function permissions(viewer, directory) {
  const granted = new Set(viewer.permissions);
  const features = Map.groupBy(new Set([...directory.permissions(), ...granted]), featureOf);
  const rows = (own) =>
    [...features].filter(([feature]) => feature.startsWith('sys_') !== own).map(([feature, keys]) => row(feature, keys, granted));
  const system = [...granted].filter((key) => featureOf(key).startsWith('sys_')).length;
  const all = [...features].filter(([feature]) => feature.startsWith('sys_')).flatMap(([, keys]) => keys).length;
  return [
    el('dl', { class: 'features', id: 'permissions' }, rows(true)),
    el('details', { class: 'system', open: unfolded() }, el('summary', {}, `Clerk’s own permissions: ${system} of ${all}`), el('dl', { class: 'features' }, rows(false))),
  ];
}

/** Whether the last viewer's were unfolded; they stay so. */
const unfolded = () => byId('viewer-body').querySelector('details')?.open;

const featureOf = (key) => key.split(':')[1] ?? key;

const row = (feature, keys, granted) => [
  el('dt', {}, feature.replace(/^sys_/, '')),
  el(
    'dd',
    {},
    keys.map((key) => {
      const held = granted.has(key);
      const name = key.split(':').slice(2).join(':') || key;
      const label = chip(name, held ? 'held' : 'lacking', key);
      label.dataset.permission = key;
      label.append(spoken(held ? ' granted' : ' not granted'));
      return label;
    }),
  ),
];

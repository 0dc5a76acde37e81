// The answer panel.

import { explain, kindOf } from './codes.js';
import { curlFor } from './curl.js';
import { byId, chip, el } from './dom.js';
import { errorsOf } from './graphql.js';
import { showJSON } from './json.js';

const copy = byId('copy-curl');
let shown;

/** Lets the run that is shown be copied as a curl line. */
export function startAnswer() {
  let reset;
  copy.addEventListener('click', async () => {
    const copied = await toClipboard(curlFor(shown));
    copy.textContent = copied ? 'Copied' : 'Not allowed to copy';
    clearTimeout(reset);
    reset = setTimeout(() => (copy.textContent = 'Copy as curl'), 1600);
  });
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Says that a run is under way, without taking the last answer away. */
export function showBusy(busy) {
  byId('answer').setAttribute('aria-busy', String(busy));
}

/** Shows a run. */
export function showAnswer(run, directory) {
  shown = run;
  copy.disabled = false;
  byId('guide').hidden = true;
  byId('summary').replaceChildren(
    el(
      'p',
      {},
      el('b', { id: 'answer-operation' }, run.title),
      el('span', { class: 'as', id: 'answer-person' }, `as ${directory.describe(run.person, run.organization)}`),
    ),
    el('p', { id: 'answer-chips' }, ...chipsOf(run), run.trouble ? null : duration(run)),
  );
  byId('explanations').replaceChildren(...explanationsOf(run));
  const json = byId('json');
  json.hidden = Boolean(run.trouble);
  if (run.body === undefined) json.textContent = run.text ?? '';
  else showJSON(json, run.body);
  json.scrollTop = 0;
}

const duration = ({ ms }) => el('span', { class: 'duration' }, ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** Status and codes of a run. */
export function chipsOf(run) {
  if (run.trouble) return [chip(run.trouble.title, 'bad status')];
  const kind = run.status >= 400 ? 'bad' : run.codes.length > 0 ? 'partly' : 'good';
  return [
    chip(String(run.status), `${kind} status`, 'HTTP status'),
    ...run.codes.map((code) => chip(code, `${kindOf(code)} code-chip`)),
  ];
}

/** Each code once in words, with the path of its first error, then the note. */
function explanationsOf(run) {
  if (run.trouble) return [el('p', {}, run.trouble.text)];
  const first = new Map();
  for (const error of errorsOf(run.body)) {
    const text = explain(error);
    if (!first.has(text)) first.set(text, error);
  }
  const lines = [...first].map(([text, error]) =>
    el('p', { class: kindOf(error.extensions?.code) }, error.path && el('code', {}, error.path.join('.')), text),
  );
  if (run.body === undefined) lines.push(el('p', {}, 'The answer is not JSON; it is shown as it came.'));
  if (run.note) lines.push(el('p', { class: 'note' }, run.note));
  return lines;
}

/** A run in a few words: "200", "200 FORBIDDEN", "no token". */
export function inShort(run) {
  if (run.trouble) return run.trouble.title;
  return [run.status, ...run.codes].join(' ');
}

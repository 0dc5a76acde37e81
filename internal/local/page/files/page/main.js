// Wires the page together.

import { inShort, showAnswer, showBusy, startAnswer } from './answer.js';
import { byId, el } from './dom.js';
import { fill, startEditor } from './editor.js';
import { endpoint } from './graphql.js';
import { remember } from './history.js';
import { startMembership } from './membership.js';
import { groups, observe, operations } from './operations.js';
import { Pulse } from './pulse.js';
import { startSettings } from './settings.js';
import { run as send, troubleOf } from './run.js';
import { Session } from './session.js';
import { showViewer } from './viewer.js';
import { startView } from './view.js';
import { startWho } from './who.js';

const session = new Session();
const pulse = new Pulse(directoryChanged);
const showWho = startWho(session);
const showSettings = startSettings({ session, pulse });
const showMembership = startMembership({ changed: membershipChanged, gone: () => pulse.gone() });

/** How the last run came about, so that it can be run again. */
let last = { operation: operations.get('first-page') };
/** Runs go one after the other, in the order of the clicks. */
let queue = Promise.resolve();

startAnswer();
startEditor((own) => ask({ own }));
startOperations();
startView(showSettings);
byId('endpoint').textContent = endpoint;
session.addEventListener('change', () => showViewer(context()));
pulse.beat();

/** What a run needs to know. With inHand it takes the token as it is. */
function context({ inHand = false } = {}) {
  return { session, directory: pulse.directory, token: () => session.token({ inHand }) };
}

function directoryChanged(directory) {
  const first = !session.person && !byId('people').children.length;
  showMembership(directory);
  if (first) {
    const person = directory.person('max') ?? directory.people[0];
    session.person = person.handle;
    session.organization = directory.membershipsOf(person.handle)[0]?.organization ?? '';
  }
  showWho(directory);
  showViewer(context({ inHand: true }));
  showSettings();
}

function startOperations() {
  byId('operations').append(
    ...groups.map(({ title, operations: members }) =>
      el(
        'div',
        { class: 'group', role: 'group', 'aria-label': title },
        el('p', { class: 'group-title', 'aria-hidden': 'true' }, title),
        el(
          'div',
          { class: 'group-buttons' },
          members.map((operation) =>
            el('button', { type: 'button', class: 'button', 'data-operation': operation.id, click: () => ask({ operation }) }, operation.title),
          ),
        ),
      ),
    ),
  );
  fill({ query: operations.get('viewer').prepare().query });
}

/** Asks for an operation, or for what somebody wrote, and shows what comes back. */
function ask(how, options) {
  const run = queue.then(() => perform(how, options));
  // A fault in one run must not keep the next from running.
  queue = run.catch(() => {});
  return run;
}

async function perform(how, options) {
  if (!pulse.directory) return undefined;
  last = how;
  showBusy(true);
  try {
    const result = await prepareAndRun(how, context(options));
    observe(result);
    showAnswer(result, pulse.directory);
    if (!options?.stay) bringAnswerIntoView();
    remember(result, pulse.directory, (past) => {
      fill(past);
      showAnswer(past, pulse.directory);
      bringAnswerIntoView();
    });
    if (result.trouble?.gone) pulse.gone();
    mark(how.operation?.id);
    return result;
  } finally {
    showBusy(false);
  }
}

async function prepareAndRun({ operation, own }, where) {
  if (own) return send({ title: 'Own query', ...own }, where);
  const { person, organization } = session;
  let prepared;
  try {
    prepared = await operation.prepare(where);
  } catch (error) {
    const asked = { title: operation.title, person, organization };
    return { ...asked, query: byId('query').value, variables: {}, at: new Date(), status: 0, codes: [], trouble: troubleOf(error, asked, pulse.directory) };
  }
  fill(prepared);
  return send({ title: operation.title, variables: {}, ...prepared }, where);
}

/** Where the panels stand below each other the answer would be out of sight. */
function bringAnswerIntoView() {
  if (!matchMedia('(max-width: 719px)').matches) return;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  byId('answer').scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' });
}

/** Marks the button of the operation that was run last. */
function mark(id) {
  for (const button of document.querySelectorAll('[data-operation]')) {
    button.toggleAttribute('data-last', button.dataset.operation === id);
  }
}

/**
 * After a change the last operation is run again with the token in hand: it
 * was signed before the change, and the answer is another one all the same.
 */
async function membershipChanged() {
  await pulse.beat();
  const result = await ask(last, { inHand: true, stay: true });
  session.outdate();
  return result ? `“${result.title}” now: ${inShort(result)}.` : '';
}

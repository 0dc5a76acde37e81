// The desk at which an organization is managed: who sits there, what they may
// do, and one way to ask, to change and to say what became of it.

import { codesIn, explain, kindOf } from './codes.js';
import { byId, chip, el } from './dom.js';
import { errorsOf, send } from './graphql.js';
import { troubleOf } from './run.js';

const who = `query Desk {
  viewer {
    user { id name }
    organization { id name slug }
    membership { role }
    readsMembers: can(permission: "org:sys_memberships:read")
    managesMembers: can(permission: "org:sys_memberships:manage")
    managesProfile: can(permission: "org:sys_profile:manage")
    deletes: can(permission: "org:sys_profile:delete")
    readsLog: can(permission: "org:audit_log:read")
  }
}`;

const whatRoles = '{ organization { roles { key name permissions } } }';

/** How long, in ms, it is told what was done. */
const spoken = 8000;

/** An answer with an error, or with none of what was asked for. */
export class Denied extends Error {
  constructor(error, status) {
    super(error?.message ?? `The server answered with status ${status}.`);
    this.error = error ?? { message: this.message };
  }

  /** Whether the person need only prove once more who they are. */
  get asksForProof() {
    return Boolean(this.error.extensions?.clerk_error);
  }
}

/** The person or the organization is another one by now: nobody waits for the answer. */
export class Outdated extends Error {}

export class Desk {
  viewer = null;
  roles = [];
  /** Why the organization that was chosen is not active, in words. */
  ended = null;
  #queue = Promise.resolve();
  #silence;

  constructor({ session, pulse }) {
    this.session = session;
    this.pulse = pulse;
    this.refresh = async () => {};
  }

  get directory() {
    return this.pulse.directory;
  }

  /** Forgets who sat here: at once, so that nobody sees what was another's. */
  clear() {
    this.viewer = null;
    this.roles = [];
    this.ended = null;
    this.say();
  }

  /** Reads who sits here. Throws as ask does. */
  async load() {
    this.viewer = this.session.person ? (await this.ask(who)).viewer : null;
    this.roles = [];
    this.ended = null;
    if (!this.viewer || !this.session.organization) return;
    try {
      this.roles = (await this.ask(whatRoles)).organization.roles ?? [];
    } catch (error) {
      // The viewer is there all the same, outside: the error says why.
      if (!(error instanceof Denied) || this.viewer.organization) throw error;
      this.ended = explain(error.error);
    }
  }

  /** Asks as the session's person and returns the data. Throws Denied, Outdated, or what a token throws. */
  async ask(query, variables = {}) {
    const { person, organization } = this.session;
    const answer = await send({ query, variables, token: await this.session.token() });
    if (person !== this.session.person || organization !== this.session.organization) throw new Outdated();
    const error = errorsOf(answer.body)[0];
    if (error || !answer.body?.data) throw new Denied(error, answer.status);
    return answer.body.data;
  }

  /**
   * Does a change, reads everything again, and says what work returned. Changes
   * go one after the other. Resolves to whether it was done.
   */
  act(doing, work) {
    const done = this.#queue.then(() => this.#act(doing, work));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #act(doing, work) {
    this.say('waiting', [`${doing} …`]);
    let outcome;
    try {
      outcome = ['done', [await work()]];
    } catch (error) {
      if (error instanceof Outdated) return false;
      outcome = ['problem', this.words(error)];
    }
    await this.changed();
    this.say(...outcome);
    return outcome[0] === 'done';
  }

  /** Reads the local Clerk and the server again. */
  async changed() {
    await this.pulse.beat();
    await this.refresh();
  }

  /** An error's codes and what they mean. */
  words(error) {
    if (error instanceof Denied) {
      return [codesIn(error.error).map((code) => chip(code, kindOf(error.error.extensions.code))), el('span', {}, explain(error.error))];
    }
    const trouble = troubleOf(error, this.session, this.directory);
    if (trouble.gone) this.pulse.gone();
    return [el('span', {}, trouble.text)];
  }

  /** Shows one line, or none. What was done is told for a while only. */
  say(state = '', children = []) {
    const notice = byId('settings-notice');
    notice.dataset.state = state;
    notice.replaceChildren(...children.flat());
    clearTimeout(this.#silence);
    if (state === 'done') this.#silence = setTimeout(() => this.say(), spoken);
  }
}

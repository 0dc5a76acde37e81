// Who asks, and the token that they ask with.

import { mintToken } from './clerk.js';

/** Minutes since everybody here signed in: some, so that proving once more is seen. */
const signedInAgo = 30;

/** Tokens live 60 s; one with less than this left is not begun with. */
const margin = 10;

/**
 * The session of one person in one organization. It dispatches "change" when
 * another person or organization was chosen, and "token" with each new token.
 */
export class Session extends EventTarget {
  person = '';
  organization = '';
  /** Go on with the token in hand as long as it lives, whatever happens. */
  keep = false;
  #token = null;
  #outdated = false;
  /** When each person last proved who they are, beyond having signed in. */
  #proved = new Map();

  choose(person, organization) {
    if (person === this.person && organization === this.organization) return;
    this.person = person;
    this.organization = organization;
    this.#put(null);
    this.dispatchEvent(new Event('change'));
  }

  /** The active organization has another slug by now; its token is as good as before. */
  renamed(organization) {
    this.organization = organization;
  }

  /** The person proves who they are, as they would in Clerk's dialog; the next token says so. */
  prove() {
    this.#proved.set(this.person, Date.now());
    this.#put(null);
  }

  /** The membership is another one now: the next token shall tell of it. */
  outdate() {
    this.#outdated = true;
    this.dispatchEvent(new Event('token'));
  }

  get outdated() {
    return this.#outdated && !this.keep;
  }

  /** Seconds that the token in hand still lives; null without one. */
  secondsLeft() {
    return this.#token && Math.max(0, (this.#token.expires - Date.now()) / 1000);
  }

  /**
   * The token to ask with; undefined for nobody. With inHand the present one
   * is taken as long as it lives. Throws what mintToken throws.
   */
  async token({ inHand = false } = {}) {
    if (!this.person) return undefined;
    const left = this.secondsLeft();
    const good = inHand || this.keep ? left > 0 : left > margin && !this.#outdated;
    if (good) return this.#token.text;

    const { person, organization } = this;
    const minted = await mintToken(person, organization, this.#provedMinutesAgo());
    if (person === this.person && organization === this.organization) {
      this.#put({ text: minted.token, expires: Date.parse(minted.expiresAt) });
    }
    return minted.token;
  }

  #provedMinutesAgo() {
    const at = this.#proved.get(this.person);
    return at === undefined ? signedInAgo : Math.min(signedInAgo, Math.floor((Date.now() - at) / 60000));
  }

  #put(token) {
    this.#token = token;
    this.#outdated = false;
    this.dispatchEvent(new Event('token'));
  }
}

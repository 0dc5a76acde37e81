// Whether the server is there, and what the local Clerk holds by now: its
// commands change it too.

import { readState, Unreachable } from './clerk.js';
import { byId } from './dom.js';
import { Directory } from './directory.js';

const every = 5000;
const whileGone = 2000;

/**
 * Reads the local Clerk's state now and then while the page is looked at.
 * changed is called with a new Directory whenever the state is another one.
 */
export class Pulse {
  #last = '';
  #timer;
  #changed;
  directory = null;

  constructor(changed) {
    this.#changed = changed;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.beat();
    });
  }

  /** Reads the state now. Resolves when it is shown, or known to be away. */
  async beat() {
    clearTimeout(this.#timer);
    let state;
    try {
      state = await readState();
    } catch (error) {
      this.gone();
      if (!(error instanceof Unreachable)) console.warn(error.message);
      return;
    }
    this.#show('here', 'Serving');
    this.#schedule(every);
    const { deliveries, ...lasting } = state;
    const text = JSON.stringify(lasting);
    if (text === this.#last) return;
    this.#last = text;
    this.directory = new Directory(state);
    this.#changed(this.directory);
  }

  /** The server did not answer somebody. */
  gone() {
    this.#show('gone', 'Not answering');
    this.#schedule(whileGone);
  }

  #show(state, text) {
    const pulse = byId('pulse');
    if (pulse.dataset.state === state) return;
    pulse.dataset.state = state;
    byId('pulse-text').textContent = text;
    byId('gone').hidden = state !== 'gone';
  }

  #schedule(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (document.hidden ? this.#schedule(wait) : this.beat()), wait);
  }
}

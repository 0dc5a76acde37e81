// A list that comes in pages.

import { Outdated } from './desk.js';
import { el } from './dom.js';
import { button } from './fields.js';

/** How much is asked for at once. */
export const pageSize = 25;

/**
 * A list with "More" below it. fetch is given { first, after, count } and
 * resolves to a connection; count asks for totalCount. row makes an element of
 * a node, empty is said where there is nothing, noun is its singular and plural.
 */
export class List {
  #latest = 0;
  #nodes = [];
  #pages = 1;
  #cursor = null;
  #total = 0;

  constructor({ desk, name, label, fetch, row, empty, noun }) {
    Object.assign(this, { desk, fetch, row, empty, noun });
    this.items = el('ul', { class: 'rows', id: name, 'aria-label': label });
    this.count = el('p', { class: 'quiet', id: `${name}-count`, role: 'status' });
    this.next = button('More', 'small', () => this.#more(), { id: `${name}-more`, hidden: true });
    this.element = el('div', { class: 'list' }, this.items, el('div', { class: 'row list-foot' }, this.next, this.count));
  }

  /** Shows nothing, and forgets how far one had read. */
  clear() {
    this.#latest++;
    // What stands below stays where it is until the next rows come.
    this.element.style.minHeight = `${this.element.offsetHeight}px`;
    this.#pages = 1;
    this.#nodes = [];
    this.items.replaceChildren();
    this.count.textContent = '';
    this.next.hidden = true;
  }

  /** Reads again as many pages as are shown, or one where other things are asked for. */
  load({ anew = false } = {}) {
    if (anew) this.#pages = 1;
    return this.#read(async (current) => {
      const nodes = [];
      let page;
      for (let i = 0; i < this.#pages && (!page || page.pageInfo.hasNextPage); i++) {
        page = await this.fetch({ first: pageSize, after: page?.pageInfo.endCursor, count: i === 0 });
        if (!current()) return;
        if (i === 0) this.#total = page.totalCountIsCapped ? `${page.totalCount}+` : page.totalCount;
        nodes.push(...page.nodes);
      }
      this.#show(nodes, page.pageInfo);
    });
  }

  #more() {
    return this.#read(async (current) => {
      const page = await this.fetch({ first: pageSize, after: this.#cursor, count: false });
      if (!current()) return;
      this.#pages++;
      const first = this.#nodes.length;
      this.#show([...this.#nodes, ...page.nodes], page.pageInfo);
      if (this.next.hidden) this.items.children[first]?.querySelector('button, select')?.focus();
    });
  }

  async #read(work) {
    const mine = ++this.#latest;
    const current = () => mine === this.#latest;
    this.element.setAttribute('aria-busy', 'true');
    try {
      await work(current);
    } catch (error) {
      if (!(error instanceof Outdated) && current()) this.desk.say('problem', this.desk.words(error));
    } finally {
      if (current()) this.element.setAttribute('aria-busy', 'false');
    }
  }

  #howMany(hasNextPage) {
    const [one, many] = this.noun;
    const all = `${this.#total} ${this.#total === 1 ? one : many}`;
    return hasNextPage ? `${this.#nodes.length} of ${all}` : all;
  }

  #show(nodes, { hasNextPage, endCursor }) {
    this.#nodes = nodes;
    this.#cursor = endCursor;
    const rows = nodes.length ? nodes.map((node) => this.row(node)) : [el('li', { class: 'nothing' }, this.empty())];
    replaceKeepingFocus(this.items, rows);
    this.element.style.minHeight = '';
    this.next.hidden = !hasNextPage;
    this.count.textContent = nodes.length ? this.#howMany(hasNextPage) : '';
  }
}

/** Puts new rows in; the control that had the focus has it again, found by data-key. */
export function replaceKeepingFocus(items, rows) {
  const { activeElement } = document;
  const key = items.contains(activeElement) && activeElement.dataset.key;
  items.replaceChildren(...rows);
  if (key) items.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

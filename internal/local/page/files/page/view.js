// Which of the two views is shown: the address says it, so that it can be kept.

import { byId } from './dom.js';

/** Shows the view that the address names, and calls changed after each change. */
export function startView(changed) {
  const main = document.querySelector('main');
  const show = () => {
    main.dataset.view = location.hash === '#manage' ? 'manage' : 'ask';
    for (const link of document.querySelectorAll('.views a')) {
      if (link.hash === `#${main.dataset.view}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('hashchange', () => {
    show();
    scrollTo(0, 0);
    byId(main.dataset.view === 'manage' ? 'settings' : 'ask').focus({ preventScroll: true });
    changed();
  });
  show();
}

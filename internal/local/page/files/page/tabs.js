// Tabs, as screen readers and keyboards expect them.

/**
 * Makes tabs of the buttons in list; each controls the panel that it names in
 * aria-controls. chosen is called after another one was chosen.
 */
export function startTabs(list, chosen) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const nameOf = (tab) => tab.getAttribute('aria-controls').replace('panel-', '');
  let current = tabs[0];

  function choose(tab) {
    current = tab;
    for (const each of tabs) {
      const is = each === tab;
      each.setAttribute('aria-selected', String(is));
      each.tabIndex = is ? 0 : -1;
      document.getElementById(each.getAttribute('aria-controls')).hidden = !is;
    }
  }

  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (!tab) return;
    choose(tab);
    chosen();
  });
  list.addEventListener('keydown', (event) => {
    const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.indexOf(current);
    const next = to ? tabs.at((at + to) % tabs.length) : { Home: tabs[0], End: tabs.at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    choose(next);
    next.focus();
    chosen();
  });
  choose(current);
  return { chosen: () => nameOf(current) };
}

// The query and its variables.

import { byId } from './dom.js';

const query = byId('query');
const variables = byId('variables');
const problem = byId('variables-problem');

/** Lets what stands in the editor be run: by the button, or with Ctrl and Enter. */
export function startEditor(runOwn) {
  const form = byId('editor');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const asked = read();
    if (asked) runOwn(asked);
  });
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  for (const area of [query, variables]) indentable(area);
  variables.addEventListener('input', () => complain(''));
}

/** Shows an operation, to be changed and run again. */
export function fill(asked) {
  query.value = asked.query;
  variables.value = JSON.stringify(asked.variables ?? {}, null, 2);
  complain('');
}

/** What stands in the editor; undefined, and a complaint, if it cannot be sent. */
function read() {
  const text = variables.value.trim();
  try {
    const value = text === '' ? {} : JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('they must be an object, like {"id": "…"}');
    if (query.value.trim() === '') throw new Error('there is no query');
    complain('');
    return { query: query.value, variables: value };
  } catch (error) {
    const json = error instanceof SyntaxError;
    complain(json ? `The variables are not JSON: ${error.message}.` : `Not sent: ${error.message}.`);
    (query.value.trim() === '' ? query : variables).focus();
    return undefined;
  }
}

function complain(text) {
  problem.textContent = text;
  variables.setAttribute('aria-invalid', text ? 'true' : 'false');
}

/**
 * Tab indents here. Esc gives the next Tab back to the page, so that the
 * keyboard is not caught.
 */
function indentable(area) {
  let leaving = false;
  area.addEventListener('beforeinput', keepIndent);
  area.addEventListener('blur', () => (leaving = false));
  area.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      leaving = true;
    } else if (event.key === 'Tab' && !event.shiftKey && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      insert(area, '  ');
    } else if (event.key.length === 1) {
      leaving = false;
    }
  });
}

/** A new line begins where the one before began, or further in after a bracket. */
function keepIndent(event) {
  if (event.inputType !== 'insertLineBreak') return;
  const area = event.target;
  const line = area.value.slice(0, area.selectionStart).split('\n').at(-1);
  const indent = line.match(/^ */)[0] + (/[{([]\s*$/.test(line) ? '  ' : '');
  event.preventDefault();
  insert(area, `\n${indent}`);
}

/** Types text; insertText, unlike setRangeText, can be undone by Ctrl+Z. */
function insert(area, text) {
  if (!document.execCommand('insertText', false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
}

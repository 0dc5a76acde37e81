// JSON with light colours.

/** Above this many characters colours would only slow the page down. */
const mostColoured = 200_000;

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;

/** Shows a value in element, indented and coloured. Everything goes in as text. */
export function showJSON(element, value) {
  const text = JSON.stringify(value, null, 2);
  if (text.length > mostColoured) {
    element.textContent = text;
    return;
  }
  element.replaceChildren(...text.split('\n').map(line));
}

/** One line; what does not fit goes on below its own beginning. */
function line(text) {
  const element = document.createElement('span');
  element.className = 'json-line';
  element.style.setProperty('--indent', `${text.search(/\S/) + 2}ch`);
  let from = 0;
  for (const match of text.matchAll(token)) {
    element.append(text.slice(from, match.index));
    const [whole, string, colon] = match;
    const span = document.createElement('span');
    span.className = colon ? 'json-key' : string ? 'json-string' : whole === 'null' ? 'json-null' : 'json-literal';
    span.textContent = colon ? string : whole;
    element.append(span, colon ?? '');
    from = match.index + whole.length;
  }
  element.append(text.slice(from), '\n');
  return element;
}

// The same request as a line for a terminal, which fetches its own token.

import { accepted, endpoint } from './graphql.js';

/** A shell's word for any text. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The curl line for a run. It holds no token, so it works at any time. */
export function curlFor({ query, variables, person, organization, forged }) {
  const line = [
    `curl -s ${quoted(endpoint)}`,
    `-H 'Content-Type: application/json'`,
    `-H 'Accept: ${accepted}'`,
  ];
  if (person) {
    const org = organization ? ` --org ${organization}` : '';
    line.push(`-H "Authorization: Bearer $(go run . token --as ${person}${org})${forged ? 'x' : ''}"`);
  } else if (forged) {
    line.push(`-H 'Authorization: Bearer forged'`);
  }
  const compact = query.replace(/\s+/g, ' ').trim();
  // Shorter without line ends, unless they carry meaning.
  const text = /["#]/.test(query) ? query : compact;
  line.push(`-d ${quoted(JSON.stringify({ query: text, variables }))}`);
  return line.join(' \\\n  ');
}

/** The token as a forger would send it. */
export const forge = (token) => (token ? `${token}x` : 'forged');

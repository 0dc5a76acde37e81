// Asking /graphql.

import { Unreachable } from './clerk.js';

export const endpoint = new URL('/graphql', location.href).href;

/** With this media type the status says what became of the whole request. */
export const accepted = 'application/graphql-response+json';

/**
 * Sends one operation. The answer has status, ms, text, and body, which is
 * undefined if the text is not JSON. Throws Unreachable without an answer.
 */
export async function send({ query, variables, token }) {
  const headers = { 'Content-Type': 'application/json', Accept: accepted };
  if (token) headers.Authorization = `Bearer ${token}`;
  const started = performance.now();
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(20000),
      headers,
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    return { status: response.status, ms: performance.now() - started, text, body: parsed(text) };
  } catch (cause) {
    throw new Unreachable('The server does not answer.', { cause });
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The errors of an answer, none if it has none. */
export const errorsOf = (body) => (Array.isArray(body?.errors) ? body.errors : []);

/** The codes of an answer, each once, in the order of the errors. */
export const codesOf = (body) => [...new Set(errorsOf(body).map((error) => error.extensions?.code ?? 'no code'))];

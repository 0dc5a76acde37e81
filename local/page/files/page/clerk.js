// The local Clerk's control API: what people do in Clerk's dashboard and
// components.

const base = '/__clerk/control/v1';

/** The local Clerk said no. Its message is for people. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The server did not answer, or not in a way that makes sense. */
export class Unreachable extends Error {}

async function call(method, path, body) {
  let response;
  let answer;
  try {
    response = await fetch(base + path, {
      method,
      cache: 'no-store',
      signal: AbortSignal.timeout(15000),
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
    answer = await response.json();
  } catch (cause) {
    throw new Unreachable('The local Clerk does not answer.', { cause });
  }
  if (response.ok) return answer;
  const problem = answer?.errors?.[0] ?? {};
  throw new Refused(response.status, problem.code ?? 'unknown', problem.long_message ?? problem.message ?? 'The local Clerk refused.');
}

/** People, organizations, roles and memberships. */
export const readState = () => call('GET', '/state');

/** A new session token; organization '' means none active. */
export const mintToken = (user, organization) => call('POST', '/tokens', { user, organization });

export const addMember = (organization, user, role) => call('POST', '/memberships', { organization, user, role });
export const setRole = (organization, user, role) => call('PATCH', '/memberships', { organization, user, role });
export const removeMember = (organization, user) => call('DELETE', '/memberships', { organization, user });

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

/**
 * A new session token; organization '' means none active. The person proved
 * who they are that many minutes ago, by signing in or once more since.
 */
export const mintToken = (user, organization, provedMinutesAgo = 0) => call('POST', '/tokens', { user, organization, provedMinutesAgo });

export const addMember = (organization, user, role) => call('POST', '/memberships', { organization, user, role });
export const setRole = (organization, user, role) => call('PATCH', '/memberships', { organization, user, role });
/** Accepts the pending invitation for a person's address, as they would with the link in the e-mail. */
export const acceptInvitation = (organization, user) => call('POST', '/invitations/accept', { organization, user });

export const removeMember = (organization, user) => call('DELETE', '/memberships', { organization, user });

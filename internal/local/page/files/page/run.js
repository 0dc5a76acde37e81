// One run: an operation, who asked, and what came back.

import { Refused, Unreachable } from './clerk.js';
import { forge } from './curl.js';
import { codesOf, send } from './graphql.js';

/**
 * Runs something as the session's person and returns what became of it, also
 * where nothing could be sent:
 *
 *   title, query, variables, note, forged   what was asked
 *   person, organization, at                who asked, and when
 *   status, ms, text, body, codes           the answer; status is 0 without one
 *   trouble                                 why there is none: title and text
 */
export async function run({ title, query, variables, note, forged, problem }, { session, directory, token }) {
  const { person, organization } = session;
  const asked = { title, query, variables, note, forged, person, organization, at: new Date(), status: 0, codes: [] };
  if (problem) return { ...asked, trouble: { title: 'not sent', text: problem } };
  try {
    const text = await token();
    const answer = await send({ query, variables, token: forged ? forge(text) : text });
    return { ...asked, ...answer, codes: codesOf(answer.body) };
  } catch (error) {
    return { ...asked, trouble: troubleOf(error, asked, directory) };
  }
}

/** Why nothing came back, in words. Other errors than the expected are thrown on. */
export function troubleOf(error, { person, organization }, directory) {
  if (error instanceof Unreachable) {
    return { title: 'no answer', text: 'The server does not answer. Is it still running?', gone: true };
  }
  if (!(error instanceof Refused)) throw error;
  if (error.code === 'not_a_member_in_organization') {
    const [name, place] = [directory.nameOf(person), directory.organizationName(organization)];
    return {
      title: 'no token',
      text: `Clerk signs no new token for ${name} in ${place}, who is not a member any more. Add ${name} again, or choose another organization. With “Keep this token” on, a token from before goes on being sent while it lives.`,
    };
  }
  return { title: 'no token', text: error.message };
}

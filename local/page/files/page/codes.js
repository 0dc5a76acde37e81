// The error codes in words.

const kinds = {
  UNAUTHENTICATED: 'bad',
  INTERNAL: 'bad',
  UNAVAILABLE: 'bad',
  TIMEOUT: 'bad',
  FORBIDDEN: 'refused',
  NO_ACTIVE_ORGANIZATION: 'refused',
  RATE_LIMITED: 'refused',
  CONFLICT: 'conflict',
  NOT_FOUND: 'neutral',
};

/** The colour of a code's chip. What is not named is a mistake in the request. */
export const kindOf = (code) => kinds[code] ?? 'input';

const reasons = {
  MEMBERSHIP_ENDED: 'The token still names the organization, but Clerk has told the server that the membership ended.',
  ORGANIZATION_DELETED: 'The token still names the organization, but Clerk has told the server that it was deleted.',
  SESSION_PENDING: 'The session is pending: something is left to do in Clerk before it counts.',
};

const texts = {
  UNAUTHENTICATED: (error) =>
    error.path
      ? 'Nobody is signed in: the request came without a token.'
      : 'The token was not accepted, so nothing was run.',
  NO_ACTIVE_ORGANIZATION: (error) =>
    reasons[error.extensions.reason] ?? 'The token names no organization, so nothing that belongs to one can be seen.',
  FORBIDDEN: ({ extensions }) => {
    if (extensions.permission) return `The role lacks ${extensions.permission}. This field is null; its siblings are not touched.`;
    if (extensions.role) return `Only the role ${extensions.role} may. This field is null; its siblings are not touched.`;
    return 'The viewer may not see this field. Its siblings are not touched.';
  },
  NOT_FOUND: () => 'The active organization has no such object. Whether another one has it cannot be told from here.',
  BAD_USER_INPUT: ({ extensions, message }) =>
    extensions.fields?.length
      ? extensions.fields.map(({ path, message: text }) => `${Array.isArray(path) ? path.join('.') : path}: ${text}`).join(' · ')
      : message,
  CONFLICT: ({ extensions }) =>
    `Somebody changed it since: it is at version ${extensions.currentVersion} now. Nothing was written.`,
  RATE_LIMITED: () => 'Too many requests. Wait a little.',
  UNAVAILABLE: () => 'The server cannot answer at the moment. Trying again is safe for queries.',
  TIMEOUT: () => 'The operation took too long and was stopped.',
  INTERNAL: ({ extensions }) => `A fault in the server. Its log has more, under the request id ${extensions.requestId}.`,
};

/** One sentence for an error of an answer. */
export function explain(error) {
  const extensions = error.extensions ?? {};
  const text = texts[extensions.code];
  return text ? text({ ...error, extensions }) : (error.message ?? 'An error without a message.');
}

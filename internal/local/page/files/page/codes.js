// The error codes in words.

const kinds = {
  UNAUTHENTICATED: 'bad',
  INTERNAL: 'bad',
  UNAVAILABLE: 'bad',
  OVERLOADED: 'bad',
  TIMEOUT: 'bad',
  FORBIDDEN: 'refused',
  NO_ACTIVE_ORGANIZATION: 'refused',
  RATE_LIMITED: 'refused',
  UPSTREAM_UNAVAILABLE: 'bad',
  UNKNOWN_OUTCOME: 'conflict',
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

/** Clerk's rules, and what to do where one stands in the way. */
const rules = {
  LAST_ADMIN: 'The organization would be left without an administrator. Make somebody else one first.',
  ALREADY_MEMBER: 'The person is a member already.',
  INVITATION_PENDING: 'The person is invited already. Revoke that invitation to send another one.',
  INVITATION_NOT_PENDING: 'The invitation was accepted, was revoked or has expired. Invite again.',
  MEMBERSHIP_QUOTA: 'The organization is full. Remove somebody, revoke an invitation, or raise the limit in Clerk.',
  ORGANIZATION_QUOTA: 'You have as many organizations as Clerk allows. Leave or delete one.',
  SLUG_TAKEN: 'Another organization has this slug. Choose another one.',
  SLUGS_DISABLED: 'Slugs are switched off in Clerk. Leave the slug empty.',
  ORGANIZATION_CREATION_DISABLED: 'Clerk’s settings do not let you create organizations.',
  ORGANIZATION_DELETION_DISABLED: 'Clerk’s settings do not let you delete this organization.',
  MANAGED_ELSEWHERE: 'A directory manages this membership. Change it there.',
  ROLES_MIGRATING: 'Clerk is changing its roles. Try again in some minutes.',
  PLAN: 'Clerk’s plan does not cover this.',
  CLERK_RIGHTS: 'Clerk does not let you.',
  OTHER: 'A rule of Clerk’s stands against it.',
  INVALID_EMAIL: 'This is no e-mail address. Correct it and invite again.',
  INVALID_ROLE: 'There is no such role. Choose another one.',
  UPSTREAM_UNAVAILABLE: 'Clerk cannot be reached. Nothing was changed; try again later.',
  UNKNOWN_OUTCOME: 'Clerk’s answer was lost. Look in some seconds, before you try again.',
};

/** What a rule means; the rule's name where it is a new one. */
export const explainReason = (reason) => rules[reason] ?? `It was refused: ${reason}.`;

/** What to call an error: its code, and the rule behind it where there is one. */
export function codesIn({ extensions = {} }) {
  const { code, reason, clerk_error: proof } = extensions;
  return [code ?? 'no code', reason, proof && 'REVERIFICATION'].filter(Boolean);
}

const texts = {
  UNAUTHENTICATED: (error) =>
    error.path
      ? 'Nobody is signed in: the request came without a token.'
      : 'The token was not accepted, so nothing was run.',
  NO_ACTIVE_ORGANIZATION: (error) =>
    reasons[error.extensions.reason] ?? 'The token names no organization, so nothing that belongs to one can be seen.',
  FORBIDDEN: ({ extensions }) => {
    if (extensions.clerk_error) return 'This needs proof that it is really you: the last one is too long ago. Prove once more who you are.';
    if (extensions.reason === 'IMPERSONATION') return 'Impersonators and agents may not do this.';
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
    extensions.reason
      ? explainReason(extensions.reason)
      : `Somebody changed it since: it is at version ${extensions.currentVersion} now. Nothing was written.`,
  UPSTREAM_UNAVAILABLE: ({ extensions }) =>
    `Clerk cannot be reached. Nothing was changed${extensions.retryAfter ? `; try again in ${extensions.retryAfter} s` : ''}.`,
  UNKNOWN_OUTCOME: () => rules.UNKNOWN_OUTCOME,
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

package mirror

import "fmt"

// check is one assumption about Clerk.
type check struct {
	name, assumption string
	// tenantry is what it does in either case.
	tenantry  string
	dangerous bool
	look      func(e *evidence) conclusion
}

// conclusion is what a check came to.
type conclusion struct {
	result           FindingResult
	lookedAt, reason string
}

func holds(lookedAt, format string, args ...any) conclusion {
	return conclusion{Holds, lookedAt, fmt.Sprintf(format, args...)}
}

func fails(lookedAt, format string, args ...any) conclusion {
	return conclusion{DoesNotHold, lookedAt, fmt.Sprintf(format, args...)}
}

func unknown(lookedAt, format string, args ...any) conclusion {
	return conclusion{NotChecked, lookedAt, fmt.Sprintf(format, args...)}
}

// checks are all of them, in the order in which they are shown.
var checks = []check{
	{
		"clock", "the Backend API's answers carry a Date within 5 s of our clock",
		"an answer without a Date is not used; where the clocks differ by more than 5 s, tokens are refused early or taken late: set this machine's clock",
		true, checkClock,
	},
	{
		"key-set", "the kid of the key set is the instance's id (ins_…), the same in the Backend API and at the issuer",
		"tokens are verified with the issuer's keys; a secret key of another instance is refused when comparing with Clerk",
		true, checkKeySet,
	},
	{
		"event-instance", "events name the kid of the key set as their instance_id",
		"events of another instance become dead letters",
		true, checkEventInstance,
	},
	{
		"users-bare", "GET /users answers with a bare array",
		"reads a bare array there and an envelope elsewhere; otherwise comparing with Clerk stops at the users",
		true, checkUsersBare,
	},
	{
		"limit-500", "lists take limit=500",
		"asks for 500 at a time; where that is refused, comparing with Clerk stops",
		true, checkLimit,
	},
	{
		"order", "lists honour order_by=+created_at",
		"pages with the oldest first; otherwise an object can be missed while others are made, until the next comparison",
		true, checkOrder,
	},
	{
		"total-count", "lists but that of users say total_count",
		"shows progress by it, and no more",
		false, checkTotal,
	},
	{
		"memberships-whole", "GET /organization_memberships lists the whole instance",
		"fills and compares the copy by it; what it leaves out would be missing until an event or a token tells of it",
		true, checkWhole,
	},
	{
		"rate-limit", "429 comes with Retry-After",
		"keeps to a fifth of Clerk's limit, waits as Retry-After says, else ever longer",
		false, checkRateLimit,
	},
	{
		"system-permissions", "roles show the system permissions (org:sys_…)",
		"takes system permissions from the roles; where they show none, nobody has any",
		false, checkSystemRoles,
	},
	{
		"schema-permissions", "the instance has every permission that the schema asks for",
		"refuses everybody what asks for one that Clerk does not know; `tenantry roles push` makes those of roles.yml",
		false, checkSchemaPermissions,
	},
	{
		"token-permissions", "session tokens never hold system permissions",
		"takes what a token holds, and system permissions from the roles besides",
		false, checkTokenPermissions,
	},
	{
		"token", "a session token lives 60 s, its claims are of version 1 or 2, and kid and issuer are the instance's",
		"judges each token by its own exp; a longer life is a longer time for which a lost webhook goes unnoticed",
		true, checkToken,
	},
	{
		"event-time", "the time of an event is in milliseconds",
		"takes what is below 1e11 for seconds; a deletion without a time is a dead letter",
		false, checkEventTime,
	},
	{
		"updated-organization", "renaming an organization raises updated_at",
		"two events of one time with different content are settled by a read; else the next comparison does it",
		false, checkRaised(aboutOrganization, "organization"),
	},
	{
		"updated-user", "renaming a user raises updated_at",
		"two events of one time with different content are settled by a read; else the next comparison does it",
		false, checkRaised(aboutUser, "user"),
	},
	{
		"updated-ban", "banning a user raises updated_at",
		"of two statements of one updated_at the one that bans counts, until a read that is later",
		false, checkRestricted(aboutBan),
	},
	{
		"updated-lock", "locking a user raises updated_at",
		"a lock is shown and takes no rights; where it does not raise updated_at, the next comparison shows it",
		false, checkRestricted(aboutLock),
	},
	{
		"updated-membership", "another role raises a membership's updated_at",
		"two events of one time with different content are settled by a read; else the old role can count until the next comparison or token",
		true, checkRaised(aboutMembership, "organizationMembership"),
	},
	{
		"updated-role", "another permission raises a role's updated_at",
		"two events of one time with different content are settled by a read; else the old permissions can count until the next comparison",
		true, checkRaised(aboutRole, "role"),
	},
	{
		"updated-invitation", "revoking an invitation raises updated_at",
		"of two events of one time the later counts; invitations give no access",
		false, checkRaised(aboutInvitation, "organizationInvitation"),
	},
	{
		"deleted-updated", "deleting does not raise updated_at",
		"never compares a deletion with updated_at, so either is right",
		false, checkDeletion,
	},
	{
		"rejoin", "who joins again has a new membership id",
		"either is right: an id that returns lives again by its later created_at",
		false, checkRejoin,
	},
	{
		"organization-cascade", "deleting an organization sends the deletions of its memberships",
		"either is right: a membership gives no access where its organization is dead",
		false, checkOrganizationCascade,
	},
	{
		"user-cascade", "deleting a user sends the deletions of their memberships",
		"either is right: a membership gives no access where its user is dead",
		false, checkUserCascade,
	},
	{
		"secret-rotation", "while a webhook secret is rotated, both sign",
		"takes several secrets, comma-separated: with both set it does not matter which signs",
		false, checkRotation,
	},
}

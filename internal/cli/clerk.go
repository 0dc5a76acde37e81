package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
)

// clerkCommand is `tenantry clerk`.
type clerkCommand struct {
	AddMember        addMemberCommand        `cmd:"" help:"Make a user a member of an organization."`
	SetRole          setRoleCommand          `cmd:"" help:"Change a member's role."`
	RemoveMember     removeMemberCommand     `cmd:"" help:"Take a member out of an organization."`
	AcceptInvitation acceptInvitationCommand `cmd:"" help:"Accept the invitation of a user to an organization."`
	Ban              banCommand              `cmd:"" help:"Ban a user, who then has no rights."`
	Unban            unbanCommand            `cmd:"" help:"End a user's ban."`
	Lock             lockCommand             `cmd:"" help:"Lock a user's sign-in, as wrong passwords do. It takes no rights."`
	Unlock           unlockCommand           `cmd:"" help:"End a user's lock."`
	Chaos            chaosCommand            `cmd:"" help:"Drop, repeat, shuffle or delay the webhooks."`
}

// memberFlags say which membership of which server.
type memberFlags struct {
	Org  string `required:"" help:"Slug or id of the organization: acme or globex." placeholder:"SLUG"`
	User string `required:"" help:"Who: ada, max, gus, nora, or a user id." placeholder:"NAME"`
	Dir  string `help:"The folder that the server runs in." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
}

type addMemberCommand struct {
	memberFlags
	Role string `help:"org:admin, org:member or org:guest." placeholder:"ROLE" unset:"org:member"`
}

// Run adds the member.
func (a *addMemberCommand) Run(ctx context.Context, c *console) error {
	return a.change(ctx, c, http.MethodPost, cmp.Or(a.Role, "org:member"), func(user, org, role string) string {
		return user + " added to " + org + " as " + role
	})
}

type setRoleCommand struct {
	memberFlags
	Role string `required:"" help:"org:admin, org:member or org:guest." placeholder:"ROLE"`
}

// Run changes the role.
func (s *setRoleCommand) Run(ctx context.Context, c *console) error {
	return s.change(ctx, c, http.MethodPatch, s.Role, func(user, org, role string) string {
		return user + " is now " + role + " of " + org
	})
}

type removeMemberCommand struct {
	memberFlags
}

// Run removes the member.
func (r *removeMemberCommand) Run(ctx context.Context, c *console) error {
	return r.change(ctx, c, http.MethodDelete, "", func(user, org, _ string) string {
		return user + " removed from " + org
	})
}

type acceptInvitationCommand struct {
	memberFlags
}

// Run accepts the pending invitation for the user's e-mail address.
func (a *acceptInvitationCommand) Run(ctx context.Context, c *console) error {
	return a.ask(ctx, c, http.MethodPost, "/invitations/accept", "", func(user, org, role string) string {
		return user + " accepted the invitation to " + org + " as " + role
	})
}

type membershipRequest struct {
	Organization string `json:"organization"`
	User         string `json:"user"`
	Role         string `json:"role,omitempty"`
}

type membershipAnswer struct {
	Membership struct {
		Organization string `json:"organization"` // slug
		User         string `json:"user"`         // handle
		Role         string `json:"role"`
	} `json:"membership"`
	delivery
}

// delivery is what became of a change's webhook.
type delivery struct {
	Delivered  bool  `json:"delivered"`
	DeliveryMS int64 `json:"deliveryMs"`
	Dropped    bool  `json:"dropped"`
}

func (d delivery) String() string {
	switch {
	case d.Delivered:
		return fmt.Sprintf("webhook delivered in %d ms", d.DeliveryMS)
	case d.Dropped:
		return "the webhook was dropped by `tenantry clerk chaos` and never comes"
	}
	return "the webhook is not delivered yet, it is being retried"
}

// change changes a membership.
func (m *memberFlags) change(ctx context.Context, c *console, method, role string, did func(user, org, role string) string) error {
	return m.ask(ctx, c, method, "/memberships", role, did)
}

// ask asks the local Clerk for it and says what came of it, in did's words.
func (m *memberFlags) ask(ctx context.Context, c *console, method, path, role string, did func(user, org, role string) string) error {
	if err := c.variables.problems.err(); err != nil {
		return err
	}
	server, err := connect(m.Dir, useDashboard)
	if err != nil {
		return err
	}
	request := membershipRequest{Organization: m.Org, User: m.User, Role: role}
	var answer membershipAnswer
	if err := server.call(ctx, method, path, request, &answer); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s; %s\n", did(answer.Membership.User, answer.Membership.Organization, answer.Membership.Role), answer.delivery)
	return err
}

package mirror

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Names of what the trial changes, by which checks find the outcome.
const (
	aboutOrganization = "organization"
	aboutUser         = "user"
	aboutBan          = "ban"
	aboutLock         = "lock"
	aboutMembership   = "membership"
	aboutRole         = "role"
	aboutInvitation   = "invitation"
	aboutRejoin       = "rejoin"
	aboutToken        = "token"
)

// try makes the trial and cleans up after it.
func (d *Doctor) try(ctx context.Context, t *trial, inbox *lens) {
	defer func() {
		d.config.Progress("removing what was made")
		t.cleanUp(ctx)
	}()
	d.config.Progress("making users, an organization and memberships named " + t.name)
	if !t.begin(ctx) {
		return
	}
	t.changeOrganization(ctx)
	t.changeUser(ctx)
	t.restrictUser(ctx)
	t.changeMembership(ctx)
	t.changeInvitation(ctx)
	t.changeRole(ctx)
	t.readToken(ctx)
	d.config.Progress("waiting for the events of that")
	d.await(ctx, t, inbox, time.Now().Add(d.config.Patience/2), t.expected()...)
	d.config.Progress("deleting a member and an organization")
	end := time.Now().Add(d.config.Patience / 2)
	t.end(ctx, "/users/", t.userB)
	// Apart from the organization's deletion, so that what comes along with the one is not taken for the other's.
	d.await(ctx, t, inbox, end, "user.deleted")
	t.end(ctx, "/organizations/", t.organization)
	d.await(ctx, t, inbox, end, "organization.deleted")
}

// await looks for events about the trial's objects until each of the kinds was there, or time is over.
func (d *Doctor) await(ctx context.Context, t *trial, inbox *lens, until time.Time, kinds ...string) {
	if inbox.store == nil {
		return
	}
	for ctx.Err() == nil && time.Now().Before(until) && t.missing(inbox, kinds) > 0 {
		pauseFor(ctx, d.poll)
		inbox.look(ctx)
	}
	if t.missing(inbox, kinds) < len(kinds) {
		pauseFor(ctx, 2*d.poll) // what comes along with them may be a little later
		inbox.look(ctx)
	}
}

// expected are kinds of events that the trial's changes should have caused.
func (t *trial) expected() []string {
	kinds := []string{"organization.created"}
	for about, kind := range map[string]string{
		aboutOrganization: "organization.updated", aboutUser: "user.updated", aboutMembership: "organizationMembership.updated",
		aboutRole: "role.updated",
	} {
		if _, changed := t.raised[about]; changed {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// missing counts the kinds of which no event about the trial's objects has come.
func (t *trial) missing(inbox *lens, kinds []string) (count int) {
	for _, kind := range kinds {
		seen := false
		for _, e := range inbox.events {
			seen = seen || e.kind == kind && (t.ids[e.id] || t.ids[e.organizationID] || t.ids[e.userID])
		}
		if !seen {
			count++
		}
	}
	return count
}

// begin makes two users and an organization that the first made.
func (t *trial) begin(ctx context.Context) bool {
	for i, id := range []*string{&t.userA, &t.userB} {
		user, _, err := t.create(ctx, "user", "/users", "/users/%s", body{
			"email_address":         []string{t.address([]string{"a", "b"}[i])},
			"skip_user_requirement": true, "skip_password_requirement": true, "skip_legal_checks": true,
		})
		if err != nil {
			t.failed(err, "a user could not be made", aboutOrganization, aboutUser, aboutBan, aboutLock, aboutMembership, aboutInvitation, aboutRole, aboutRejoin, aboutToken)
			return false
		}
		*id = string(user.ID)
	}
	organization, _, err := t.create(ctx, "organization", "/organizations", "/organizations/%s", body{"name": t.name, "created_by": t.userA})
	if err != nil {
		t.failed(err, "an organization could not be made", aboutOrganization, aboutUser, aboutBan, aboutLock, aboutMembership, aboutInvitation, aboutRole, aboutRejoin, aboutToken)
		return false
	}
	t.organization = string(organization.ID)
	return true
}

// address is one that nobody reads: Clerk sends nothing to +clerk_test.
func (t *trial) address(of string) string { return t.name + "-" + of + "+clerk_test@example.com" }

// failed notes why some things were not seen.
func (t *trial) failed(err error, what string, about ...string) {
	for _, a := range about {
		t.why[a] = what + ": " + err.Error()
	}
}

// change notes updated_at before and after a change of what is at path, as reads show it.
func (t *trial) change(ctx context.Context, about, path, method, at string, in body) {
	before, err := t.do(ctx, http.MethodGet, path, nil)
	if err == nil {
		_, err = t.do(ctx, method, at, in)
	}
	var after thing
	if err == nil {
		after, err = t.do(ctx, http.MethodGet, path, nil)
	}
	if err != nil {
		t.failed(err, "the change did not come about", about)
		return
	}
	t.raised[about] = times{before.UpdatedAt.ms, after.UpdatedAt.ms}
}

func (t *trial) changeOrganization(ctx context.Context) {
	at := "/organizations/" + t.organization
	t.change(ctx, aboutOrganization, at, http.MethodPatch, at, body{"name": t.name + " renamed"})
}

func (t *trial) changeUser(ctx context.Context) {
	at := "/users/" + t.userB
	t.change(ctx, aboutUser, at, http.MethodPatch, at, body{"first_name": t.name})
}

// restrictUser bans B and locks B's sign-in, each for a moment.
func (t *trial) restrictUser(ctx context.Context) {
	at := "/users/" + t.userB
	t.change(ctx, aboutBan, at, http.MethodPost, at+"/ban", nil)
	t.change(ctx, aboutLock, at, http.MethodPost, at+"/lock", nil)
	for _, end := range []string{"/unban", "/unlock"} {
		_, _ = t.do(ctx, http.MethodPost, at+end, nil) // the user is removed in the end in any case
	}
}

// changeMembership lets B join, become an admin, leave, and join again.
func (t *trial) changeMembership(ctx context.Context) {
	list := "/organizations/" + t.organization + "/memberships"
	join := body{"user_id": t.userB, "role": "org:member"}
	first, err := t.do(ctx, http.MethodPost, list, join)
	if err != nil {
		t.failed(err, "the membership could not be made", aboutMembership, aboutRejoin)
		return
	}
	changed, err := t.do(ctx, http.MethodPatch, list+"/"+t.userB, body{"role": "org:admin"})
	if err != nil {
		t.failed(err, "the role could not be changed", aboutMembership)
		changed = first
	} else {
		t.raised[aboutMembership] = times{first.UpdatedAt.ms, changed.UpdatedAt.ms}
	}
	left, err := t.do(ctx, http.MethodDelete, list+"/"+t.userB, nil)
	if err != nil {
		t.failed(err, "the membership could not be removed", aboutRejoin)
		return
	}
	t.deletion = times{changed.UpdatedAt.ms, left.UpdatedAt.ms}
	second, err := t.do(ctx, http.MethodPost, list, join)
	if err != nil {
		t.failed(err, "the membership could not be made again", aboutRejoin)
		return
	}
	t.memberships = [2]string{string(first.ID), string(second.ID)}
}

// changeInvitation invites without a letter, and revokes.
func (t *trial) changeInvitation(ctx context.Context) {
	list := "/organizations/" + t.organization + "/invitations"
	invitation, err := t.do(ctx, http.MethodPost, list, body{
		"email_address": t.address("c"), "role": "org:member", "inviter_user_id": t.userA, "notify": false,
	})
	if err != nil {
		t.failed(err, "the invitation could not be made", aboutInvitation)
		return
	}
	at, err := path(string(invitation.ID), list+"/%s")
	if err != nil {
		t.failed(err, "the invitation cannot be read", aboutInvitation)
		return
	}
	t.change(ctx, aboutInvitation, at, http.MethodPost, at+"/revoke", body{"requesting_user_id": t.userA})
}

// roleKey is the trial's name as a key may be written.
func (t *trial) roleKey() string { return "org:" + strings.ReplaceAll(t.name, "-", "_") }

// changeRole gives a role of its own a permission.
func (t *trial) changeRole(ctx context.Context) {
	if !pathID.MatchString(t.permissionID) {
		t.why[aboutRole] = "no role shows a permission that could be given to another"
		return
	}
	_, at, err := t.create(ctx, "role", "/organization_roles", "/organization_roles/%s", body{
		"name": t.name, "key": t.roleKey(), "description": "made by tenantry doctor, to be removed", "permissions": []string{},
	})
	if err != nil {
		t.failed(err, "the role could not be made", aboutRole)
		return
	}
	t.change(ctx, aboutRole, at, http.MethodPost, at+"/permissions/"+t.permissionID, nil)
}

// readToken takes a session token as an end-to-end test would. It is looked at and forgotten.
func (t *trial) readToken(ctx context.Context) {
	session, err := t.do(ctx, http.MethodPost, "/sessions", body{"user_id": t.userA, "active_organization_id": t.organization})
	if err != nil {
		t.failed(err, "the session could not be made", aboutToken)
		return
	}
	at, err := path(string(session.ID), "/sessions/%s/tokens")
	if err != nil {
		t.failed(err, "the session cannot be read", aboutToken)
		return
	}
	made, err := t.do(ctx, http.MethodPost, at, nil)
	if err == nil {
		t.token, err = readTokenSeen(string(made.JWT))
	}
	if err != nil {
		t.failed(err, "there is no token to look at", aboutToken)
	}
}

// end deletes what is at path.
func (t *trial) end(ctx context.Context, list, id string) {
	if _, err := t.do(ctx, http.MethodDelete, list+id, nil); err == nil {
		t.gone(list + id)
	}
}

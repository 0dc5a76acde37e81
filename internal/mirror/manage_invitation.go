package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organizationinvitation"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// InviteMembers invites people into an organization, one after the other, so that what becomes of one does not touch the
// others. It returns a result for each, in their order.
func (m *Manager) InviteMembers(ctx context.Context, actor models.Actor, organizationID string, people []models.InvitationInput) ([]models.InvitationResult, error) {
	if err := pathSegment(organizationID, actor.UserID); err != nil {
		return nil, err
	}
	ctx, cancel := m.bounded(ctx, actor, organizationID)
	defer cancel()
	results := make([]models.InvitationResult, len(people))
	var changes []change
	outcome := errNotReached
	for i, person := range people {
		made, err := m.invite(ctx, organizationID, actor.UserID, person)
		results[i] = models.InvitationResult{Email: person.Email, Reason: m.reasonOf(err)}
		if made != nil {
			results[i].Invitation = shownInvitation(*made)
			changes = append(changes, *made)
		}
		outcome = together(outcome, err)
	}
	if errors.Is(outcome, errNotReached) {
		return results, nil
	}
	err := m.conclude(ctx, Deed{
		Action: "inviteMembers", Actor: actor, OrganizationID: organizationID, Items: items(results), After: rolesOf(results),
	}, changes, outcome)
	if errors.Is(err, models.ErrUnavailable) {
		return nil, err
	}
	return results, nil
}

// errNotReached says that nothing was sent to Clerk.
var errNotReached = errors.New("mirror: nothing was sent to Clerk")

// together is the outcome of several: applied if one was, else unknown if one is, else refused.
func together(outcome, err error) error {
	switch {
	case outcome == nil || errors.Is(err, errInvalidEmail):
		return outcome
	case err == nil || errors.Is(outcome, errNotReached) || errors.Is(err, models.ErrUnknownOutcome):
		return err
	}
	return outcome
}

// items are the invitations for the record, which does not keep addresses.
func items(results []models.InvitationResult) []models.AuditItem {
	items := make([]models.AuditItem, len(results))
	for i, r := range results {
		if r.Invitation != nil {
			items[i] = models.AuditItem{TargetID: &r.Invitation.ID, Outcome: models.OutcomeApplied}
			continue
		}
		code := string(r.Reason)
		items[i] = models.AuditItem{Outcome: models.OutcomeRefused, Code: &code}
		if r.Reason == models.ReasonUnknownOutcome {
			items[i].Outcome = models.OutcomeUnknown
		}
	}
	return items
}

// rolesOf are the roles of the invitations that were made, named like the input's fields.
func rolesOf(results []models.InvitationResult) map[string]any {
	roles := map[string]any{}
	for i, r := range results {
		if r.Invitation != nil {
			roles[fmt.Sprintf("invitations.%d.role", i)] = r.Invitation.Role
		}
	}
	return roles
}

func (m *Manager) invite(ctx context.Context, organizationID, inviterID string, person models.InvitationInput) (*invitationChange, error) {
	if !models.ValidEmail(person.Email) {
		return nil, errInvalidEmail
	}
	if ctx.Err() != nil {
		return nil, unavailable(0)
	}
	if wait := m.breaker.refuses(); wait > 0 {
		return nil, unavailable(wait)
	}
	marker := uuid.NewString()
	path := "/organizations/" + organizationID + "/invitations"
	changes, err := m.settle(ctx, step{
		role: person.Role,
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			made, err := m.invitations.Create(ctx, &organizationinvitation.CreateParams{
				OrganizationID: organizationID, EmailAddress: &person.Email, Role: &person.Role, InviterUserID: &inviterID,
				PrivateMetadata: marked(marker),
			})
			return made.Response, err
		},
		look: func(ctx context.Context) (said, error) {
			return m.among(ctx, path, url.Values{"email_address": {person.Email}, "order_by": {"-created_at"}, "limit": {"50"}}, marker)
		},
		read: readInvitationOf(organizationID, ""),
	})
	if err != nil {
		return nil, err
	}
	made := changes[0].(invitationChange)
	return &made, nil
}

// readInvitationOf reads the answer about an invitation of an organization: of any where id is "".
func readInvitationOf(organizationID, id string) func(said) ([]change, error) {
	return func(s said) ([]change, error) {
		r, err := readInvitation(s.body, s.at)
		if err != nil {
			return nil, err
		}
		if c := r.change.(invitationChange); c.organizationID != organizationID || id != "" && c.id != id {
			return nil, permanent("the answer is about another invitation")
		}
		return []change{r.change}, nil
	}
}

var errInvalidEmail = models.Invalid("email", "must be an e-mail address")

// reasonOf is the reason for one of several.
func (m *Manager) reasonOf(err error) models.Reason {
	var refused *models.RefusedError
	var invalid *models.InvalidError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Reason
	case errors.As(err, &invalid) && invalid.Fields[0].Path == "role":
		return models.ReasonInvalidRole
	case errors.As(err, &invalid):
		return models.ReasonInvalidEmail
	case errors.Is(err, models.ErrUnknownOutcome):
		return models.ReasonUnknownOutcome
	case errors.Is(err, models.ErrNotFound): // the organization, or a role that the copy knows and Clerk does not
		return models.ReasonOther
	}
	m.mirror.config.Logger.Warn("mirror: somebody could not be invited", "error", err)
	return models.ReasonUnavailable
}

func shownInvitation(c invitationChange) *models.Invitation {
	shown := &models.Invitation{
		OrganizationID: c.organizationID, ID: c.id, Email: c.emailAddress, Role: c.role, Status: c.status, CreatedAt: moment(c.createdAt),
	}
	if c.expiresAt > 0 {
		at := moment(c.expiresAt)
		shown.ExpiresAt = &at
	}
	return shown
}

// RevokeInvitation takes an invitation back. One that the copy does not know as the organization's is
// models.ErrNotFound, without a call to Clerk.
func (m *Manager) RevokeInvitation(ctx context.Context, actor models.Actor, organizationID, invitationID string) (*models.Invitation, error) {
	if err := pathSegment(organizationID, invitationID, actor.UserID); err != nil {
		return nil, err
	}
	deed := Deed{
		Action: "revokeInvitation", Actor: actor, OrganizationID: organizationID, TargetID: invitationID,
		After: map[string]any{"status": "revoked"},
	}
	if err := m.owns(ctx, organizationID, invitationID); errors.Is(err, models.ErrNotFound) {
		return nil, m.conclude(ctx, deed, nil, err)
	} else if err != nil {
		return nil, err
	}
	path := "/organizations/" + organizationID + "/invitations/" + invitationID
	changes, err := m.carryOut(ctx, deed, step{
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			revoked, err := m.invitations.Revoke(ctx, &organizationinvitation.RevokeParams{
				OrganizationID: organizationID, ID: invitationID, RequestingUserID: &actor.UserID,
			})
			return revoked.Response, err
		},
		look: func(ctx context.Context) (said, error) {
			now, err := m.ask(ctx, path, nil)
			if err != nil {
				return said{}, err
			}
			var is struct {
				Status string `json:"status"`
			}
			switch err := json.Unmarshal(now.body, &is); {
			case err != nil:
				return said{}, ErrBackendUnavailable
			case is.Status == "revoked":
				return now, nil
			case settled(is.Status):
				return said{}, &models.RefusedError{Reason: models.ReasonInvitationNotPending}
			}
			return said{}, errAbsent
		},
		read: readInvitationOf(organizationID, invitationID),
	})
	if err != nil {
		return nil, err
	}
	return shownInvitation(changes[0].(invitationChange)), nil
}

func (m *Manager) owns(ctx context.Context, organizationID, invitationID string) error {
	return m.mirror.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		row, found, err := tx.Invitation(invitationID)
		if err == nil && (!found || row.OrganizationID != organizationID) {
			return models.ErrNotFound
		}
		return err
	})
}

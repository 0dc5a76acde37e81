package mirror

import (
	"context"
	"encoding/json"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organizationmembership"
	"github.com/tenantry/tenantry/models"
)

// AddMember makes a user a member of an organization.
func (m *Manager) AddMember(ctx context.Context, actor models.Actor, organizationID, userID, role string) error {
	return m.membership(ctx, "addMember", actor, couple{organizationID, userID}, role, &models.RefusedError{Reason: models.ReasonAlreadyMember}, errAbsent,
		func(ctx context.Context) (*clerk.OrganizationMembership, error) {
			return m.memberships.Create(ctx, &organizationmembership.CreateParams{OrganizationID: organizationID, UserID: &userID, Role: &role})
		})
}

// UpdateMemberRole gives a member of an organization another role.
func (m *Manager) UpdateMemberRole(ctx context.Context, actor models.Actor, organizationID, userID, role string) error {
	return m.membership(ctx, "updateMemberRole", actor, couple{organizationID, userID}, role, errAbsent, models.ErrNotFound,
		func(ctx context.Context) (*clerk.OrganizationMembership, error) {
			return m.memberships.Update(ctx, &organizationmembership.UpdateParams{OrganizationID: organizationID, UserID: userID, Role: &role})
		})
}

// membership makes a change after which the user is a member with a role. other and none say what it means if the answer
// is lost and the user is a member with another role, or none.
func (m *Manager) membership(ctx context.Context, action string, actor models.Actor, pair couple, role string, other, none error,
	send func(ctx context.Context) (*clerk.OrganizationMembership, error),
) error {
	if err := pathSegment(pair.organizationID, pair.userID); err != nil {
		return err
	}
	after := map[string]any{"role": role}
	if action == "addMember" {
		after["userId"] = pair.userID
	}
	_, err := m.carryOut(ctx, Deed{
		Action: action, Actor: actor, OrganizationID: pair.organizationID, TargetID: pair.userID, After: after,
	}, step{
		role: role,
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			changed, err := send(ctx)
			return changed.Response, err
		},
		look: func(ctx context.Context) (said, error) {
			now, found, err := m.lookAtMember(ctx, pair)
			switch {
			case err != nil:
				return said{}, err
			case found == nil:
				return said{}, none
			case found.role != role:
				return said{}, other
			}
			return now, nil
		},
		read: func(s said) ([]change, error) {
			r, err := readMembership(s.body, s.at)
			if err != nil {
				return nil, err
			}
			if c := r.change.(membershipChange); c.organizationID != pair.organizationID || c.userID != pair.userID {
				return nil, permanent("the answer is about another member")
			}
			return []change{r.change}, nil
		},
	})
	return err
}

// lookAtMember reads a membership: nil where there is none. An organization that is gone is models.ErrNotFound.
func (m *Manager) lookAtMember(ctx context.Context, pair couple) (said, *membershipChange, error) {
	list, err := m.ask(ctx, "/organizations/"+pair.organizationID+"/memberships", membershipsOf(pair.userID))
	if err != nil {
		return said{}, nil, err
	}
	var envelope struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(list.body, &envelope); err != nil || envelope.Data == nil {
		return said{}, nil, ErrBackendUnavailable
	}
	for _, raw := range envelope.Data {
		r, err := readMembership(raw, list.at)
		if err != nil {
			return said{}, nil, ErrBackendUnavailable
		}
		if c := r.change.(membershipChange); c.organizationID == pair.organizationID && c.userID == pair.userID {
			return said{raw, list.at}, &c, nil
		}
	}
	return said{at: list.at}, nil, nil
}

// RemoveMember takes a user out of an organization, also the actor.
func (m *Manager) RemoveMember(ctx context.Context, actor models.Actor, organizationID, userID string) error {
	if err := pathSegment(organizationID, userID); err != nil {
		return err
	}
	action := "removeMember"
	if actor.UserID == userID {
		action = "leaveOrganization"
	}
	pair := couple{organizationID, userID}
	_, err := m.carryOut(ctx, Deed{Action: action, Actor: actor, OrganizationID: organizationID, TargetID: userID}, step{
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			left, err := m.memberships.Delete(ctx, &organizationmembership.DeleteParams{OrganizationID: organizationID, UserID: userID})
			return left.Response, err
		},
		look: func(ctx context.Context) (said, error) {
			now, found, err := m.lookAtMember(ctx, pair)
			if err == nil && found != nil {
				err = errAbsent
			}
			return now, err
		},
		read: func(s said) ([]change, error) { return readDeparture(pair, s) },
	})
	return err
}

// readDeparture is the end of a membership, of which only the answer to its own deletion says which one it was.
func readDeparture(pair couple, s said) ([]change, error) {
	ended := departure{pair, endOf(s.at)}
	if s.body == nil {
		return []change{ended}, nil
	}
	c, err := decodeMembership(envelope{Data: s.body, Timestamp: millis{ms: endOf(s.at)}}, verbDeleted)
	if err != nil {
		return nil, err
	}
	left := c.(membershipChange)
	if left.organizationID != pair.organizationID || left.userID != pair.userID {
		return nil, permanent("the answer is about another member")
	}
	return []change{left}, nil
}

// departure is the end of whatever memberships a user has in an organization.
type departure struct {
	couple
	at int64
}

func (d departure) person() string { return d.userID }

func (d departure) apply(tx ledger) error {
	if _, err := tx.LockUser(d.userID); err != nil {
		return err
	}
	known, err := tx.Incarnations(d.organizationID, d.userID)
	if err != nil {
		return err
	}
	for _, incarnation := range known {
		if dead(incarnation.MirrorRow) {
			continue
		}
		ended := membershipChange{
			statement:      deleted(incarnation.ID, max(d.at, incarnation.CreatedAt)),
			organizationID: d.organizationID, userID: d.userID,
		}
		if err := ended.apply(tx); err != nil {
			return err
		}
	}
	if len(known) > 0 {
		return nil
	}
	return tx.RemoveProvisional(d.organizationID, d.userID)
}

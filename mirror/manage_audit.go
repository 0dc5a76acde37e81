package mirror

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// auditActions are what the audit log calls the mutations: a noun, a dot and a verb.
var auditActions = map[string]string{
	"createOrganization": "organization.create", "updateOrganization": "organization.update", "deleteOrganization": "organization.delete",
	"addMember": "member.add", "updateMemberRole": "member.update_role", "removeMember": "member.remove", "leaveOrganization": "member.leave",
	"inviteMembers": "invitation.create", "revokeInvitation": "invitation.revoke",
}

// inAuditLog writes a deed into the audit log of its organization. One that was to make an organization and did not
// belongs to none.
func inAuditLog(_ context.Context, deed Deed) Recorder {
	if deed.OrganizationID == "" {
		return nil
	}
	return func(tx *store.MirrorTx, outcome string) error {
		entry := store.AuditEntry{
			Actor: deed.Actor, Action: auditActions[deed.Action], Outcome: models.AuditOutcome(outcome), Items: deed.Items,
		}
		entry.TargetType, entry.TargetID = deed.target()
		if outcome == OutcomeApplied {
			entry.Changes = deed.changes()
		}
		return tx.WriteAudit(deed.OrganizationID, entry)
	}
}

// target is what the deed is done to, as clients know it.
func (d Deed) target() (typeName, id string) {
	switch d.Action {
	case "addMember", "updateMemberRole", "removeMember", "leaveOrganization":
		return "Member", models.GlobalID(models.KindMember, memberID(d.OrganizationID, d.TargetID))
	case "revokeInvitation":
		return "Invitation", d.TargetID
	}
	return "Organization", d.OrganizationID
}

// before reads from the copy what the fields were that a deed changes.
func (d Deed) before(tx ledger) (map[string]string, error) {
	switch d.Action {
	case "updateMemberRole":
		incarnations, err := tx.Incarnations(d.OrganizationID, d.TargetID)
		if err != nil || len(incarnations) == 0 {
			return nil, err
		}
		return map[string]string{"role": effective(incarnations).Role}, nil
	case "updateOrganization":
		o, found, err := tx.Organization(d.OrganizationID)
		if err != nil || !found {
			return nil, err
		}
		before := map[string]string{"name": o.Name}
		if o.Slug != nil {
			before["slug"] = *o.Slug
		}
		return before, nil
	}
	return nil, nil
}

// changes are the fields as they were wanted, with what the copy had of them.
func (d Deed) changes() []models.AuditChange {
	changes := []models.AuditChange{}
	for _, field := range slices.Sorted(maps.Keys(d.After)) {
		after, text := d.After[field], ""
		if is, ok := after.(string); ok {
			text = is
		} else if raw, err := json.Marshal(after); err == nil {
			text = string(raw)
		}
		change := models.AuditChange{Field: field, After: &text}
		if before, known := d.Before[field]; known {
			change.Before = &before
		}
		changes = append(changes, change.Bounded())
	}
	return changes
}

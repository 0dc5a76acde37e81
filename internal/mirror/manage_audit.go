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

// before reads from the copy what the fields are that a deed is about to change. It is read before Clerk is asked, as the
// event about the change can be faster than the answer.
func (d Deed) before(tx ledger) (map[string]string, error) {
	switch d.Action {
	case "updateMemberRole", "removeMember", "leaveOrganization":
		incarnations, err := tx.Incarnations(d.OrganizationID, d.TargetID)
		if err != nil || len(incarnations) == 0 || dead(effective(incarnations).MirrorRow) {
			return nil, err
		}
		return map[string]string{"role": effective(incarnations).Role}, nil
	case "updateOrganization", "deleteOrganization":
		o, found, err := tx.Organization(d.OrganizationID)
		if err != nil || !found {
			return nil, err
		}
		return d.ofOrganization(o), nil
	case "revokeInvitation":
		i, found, err := tx.Invitation(d.TargetID)
		if err != nil || !found {
			return nil, err
		}
		return map[string]string{"status": i.Status}, nil
	}
	return nil, nil
}

// ofOrganization are the fields of an organization that a deed changes: all that there are where it deletes it.
func (d Deed) ofOrganization(o store.MirrorOrganization) map[string]string {
	before := map[string]string{"name": o.Name}
	if o.Slug != nil {
		before["slug"] = *o.Slug
	}
	maps.DeleteFunc(before, func(field, _ string) bool {
		_, wanted := d.After[field]
		return d.After != nil && !wanted
	})
	return before
}

// changes are the fields as they were wanted, with what they were before; of what is gone only that. What is the same on
// both sides is left out.
func (d Deed) changes() []models.AuditChange {
	fields := map[string]models.AuditChange{}
	for field, before := range d.Before {
		fields[field] = models.AuditChange{Field: field, Before: &before}
	}
	for field, value := range d.After {
		after := auditText(value)
		fields[field] = models.AuditChange{Field: field, Before: fields[field].Before, After: &after}
	}
	changes := []models.AuditChange{}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if c := fields[field]; c.Before == nil || c.After == nil || *c.Before != *c.After {
			changes = append(changes, c.Bounded())
		}
	}
	return changes
}

// auditText is a text as it is, and anything else as JSON.
func auditText(value any) string {
	if text, is := value.(string); is {
		return text
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(raw)
}

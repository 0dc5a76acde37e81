package graph

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/models"
)

type (
	auditEntryResolver           struct{ *Resolver }
	auditEntryConnectionResolver struct{ *Resolver }
)

// AuditEntry answers the fields of AuditEntry.
func (r *Resolver) AuditEntry() AuditEntryResolver { return auditEntryResolver{r} }

// AuditEntryConnection answers the fields of AuditEntryConnection.
func (r *Resolver) AuditEntryConnection() AuditEntryConnectionResolver {
	return auditEntryConnectionResolver{r}
}

func (r organizationResolver) AuditLog(ctx context.Context, _ *models.Organization, first *int32, after *string, last *int32, before, action, actor, targetID *string, since, until *time.Time) (*AuditEntryConnection, error) {
	list := list{organizationID: organizationID(ctx), name: "auditLog"}
	page, err := list.page(first, after, last, before)
	if err != nil {
		return nil, err
	}
	filter := models.AuditFilter{Action: action, ActorID: actor, TargetID: targetID, Since: since, Until: until}
	if err := filter.Check(); err != nil {
		return nil, err
	}
	if filter.ActorID, err = r.actorID(ctx, actor); err != nil {
		return nil, err
	}
	slice, err := r.org(ctx).AuditLog(ctx, filter, page)
	if err != nil {
		return nil, err
	}
	connection := &AuditEntryConnection{
		Edges:    make([]*AuditEntryEdge, len(slice.Items)),
		Nodes:    make([]*models.AuditEntry, len(slice.Items)),
		PageInfo: pageInfo(list, slice),
		Count:    newCounter(func() (int64, error) { return r.org(ctx).CountAuditEntries(ctx, filter) }),
	}
	for i := range slice.Items {
		entry := &slice.Items[i]
		connection.Nodes[i] = entry
		connection.Edges[i] = &AuditEntryEdge{Cursor: list.cursor(entry.Position()), Node: entry}
		if entry.ActorID != nil {
			expectMember(ctx, entry.OrganizationID, *entry.ActorID)
		}
	}
	return connection, nil
}

// actorID returns the user whom entries name as their actor: of a member's id the member's, and
// anything else as it is. The id of a member whom the organization does not have is no actor's.
func (r *Resolver) actorID(ctx context.Context, given *string) (*string, error) {
	if given == nil {
		return nil, nil
	}
	id, err := models.ParseUUID(models.KindMember, *given)
	if err != nil {
		return given, nil
	}
	member, err := r.org(ctx).Member(ctx, id)
	switch {
	case isNotFound(err):
		return given, nil
	case err != nil:
		return nil, err
	}
	return &member.UserID, nil
}

func (r auditEntryConnectionResolver) TotalCount(_ context.Context, connection *AuditEntryConnection) (*int32, error) {
	return connection.Count.total()
}

func (r auditEntryConnectionResolver) TotalCountIsCapped(_ context.Context, connection *AuditEntryConnection) (*bool, error) {
	return connection.Count.isCapped()
}

func (r auditEntryResolver) Actor(ctx context.Context, entry *models.AuditEntry) (*models.Member, error) {
	if entry.ActorID == nil {
		return nil, nil
	}
	return loadMember(ctx, entry.OrganizationID, *entry.ActorID)
}

package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
)

// Member returns a member, former ones included, by the uuid of its global id, or ErrNotFound.
func (o Org) Member(ctx context.Context, id uuid.UUID) (*models.Member, error) {
	return o.member(ctx, "id = ?", id)
}

// MemberByUser returns a user's membership, a former one included, or ErrNotFound.
func (o Org) MemberByUser(ctx context.Context, userID string) (*models.Member, error) {
	return o.member(ctx, "user_id = ?", userID)
}

func (o Org) member(ctx context.Context, condition string, value any) (*models.Member, error) {
	var member models.Member
	err := o.read(ctx, func(tx scoped) (err error) {
		member, err = owned[models.Member](tx).Where(condition, value).Take(tx.ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &member, nil
}

// MembersByID returns those of the members that the organization has or had, in no order.
func (o Org) MembersByID(ctx context.Context, ids []uuid.UUID) ([]models.Member, error) {
	return o.members(ctx, "id IN ?", ids)
}

// MembersByUser returns the memberships of those users that are or were in the organization, in no order.
func (o Org) MembersByUser(ctx context.Context, userIDs []string) ([]models.Member, error) {
	return o.members(ctx, "user_id IN ?", userIDs)
}

// shownMember are the columns of a member but those that lists are searched and ordered by.
const shownMember = "organization_id, user_id, id, role, name, email, image_url, joined_at, left_at, provisional, banned, deprovisioned, locked"

func (o Org) members(ctx context.Context, condition string, values any) (members []models.Member, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		members, err = owned[models.Member](tx).Select(shownMember).Where(condition, values).Find(tx.ctx)
		return err
	})
	return members, err
}

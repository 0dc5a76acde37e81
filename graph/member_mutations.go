package graph

import (
	"context"

	"github.com/tenantry/tenantry/models"
)

func (r mutationResolver) AddMember(ctx context.Context, input AddMemberInput) (*AddMemberPayload, error) {
	if err := models.CheckRole("role", input.Role); err != nil {
		return nil, err
	}
	if !clerkID.MatchString(input.UserID) {
		return nil, models.ErrNotFound
	}
	if err := r.manager.AddMember(ctx, actor(ctx), organizationID(ctx), input.UserID, input.Role); err != nil {
		return nil, err
	}
	member, err := r.org(ctx).MemberByUser(ctx, input.UserID)
	if err != nil {
		return nil, err
	}
	return &AddMemberPayload{Member: member}, nil
}

func (r mutationResolver) UpdateMemberRole(ctx context.Context, input UpdateMemberRoleInput) (*UpdateMemberRolePayload, error) {
	if err := models.CheckRole("role", input.Role); err != nil {
		return nil, err
	}
	member, err := r.presentMember(ctx, input.MemberID)
	if err != nil {
		return nil, err
	}
	if err := r.manager.UpdateMemberRole(ctx, actor(ctx), organizationID(ctx), member.UserID, input.Role); err != nil {
		return nil, err
	}
	if member, err = r.org(ctx).Member(ctx, member.ID); err != nil {
		return nil, err
	}
	return &UpdateMemberRolePayload{Member: member}, nil
}

func (r mutationResolver) RemoveMember(ctx context.Context, input RemoveMemberInput) (*RemoveMemberPayload, error) {
	member, err := r.presentMember(ctx, input.MemberID)
	if err != nil {
		return nil, err
	}
	if err := r.manager.RemoveMember(ctx, actor(ctx), organizationID(ctx), member.UserID); err != nil {
		return nil, err
	}
	return &RemoveMemberPayload{RemovedMemberID: &input.MemberID}, nil
}

// presentMember is a member of the active organization by their id: not another one's, and nobody who has left.
func (r *Resolver) presentMember(ctx context.Context, id string) (*models.Member, error) {
	key, err := models.ParseUUID(models.KindMember, id)
	if err != nil {
		return nil, err
	}
	member, err := r.org(ctx).Member(ctx, key)
	if err == nil && member.LeftAt != nil {
		return nil, models.ErrNotFound
	}
	return member, err
}

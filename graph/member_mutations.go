package graph

import (
	"context"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
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
	member, err := r.presentMember(ctx, "member.update_role", input.MemberID)
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
	member, err := r.presentMember(ctx, "member.remove", input.MemberID)
	if err != nil {
		return nil, err
	}
	if err := r.manager.RemoveMember(ctx, actor(ctx), organizationID(ctx), member.UserID); err != nil {
		return nil, err
	}
	return &RemoveMemberPayload{RemovedMemberID: &input.MemberID}, nil
}

// presentMember is a member of the active organization by their id, for a mutation that the audit log calls action: not
// another one's, and nobody who has left, which is in the log.
func (r *Resolver) presentMember(ctx context.Context, action, id string) (*models.Member, error) {
	key, err := models.ParseUUID(models.KindMember, id)
	if err != nil {
		return nil, err
	}
	member, err := r.org(ctx).Member(ctx, key)
	if err == nil && member.LeftAt == nil {
		return member, nil
	}
	if err == nil || isNotFound(err) {
		err = r.org(ctx).RecordRefused(ctx, store.AuditEntry{
			Actor: actor(ctx), Action: action, TargetType: "Member", TargetID: models.GlobalID(models.KindMember, key),
		})
		if err == nil {
			err = models.ErrNotFound
		}
	}
	return nil, err
}

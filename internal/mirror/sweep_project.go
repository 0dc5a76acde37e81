package mirror

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// KindMembers is what requests read of memberships, in a Report.
const KindMembers = "members"

// project compares what requests read of members and invitations with what the copy makes of them, and writes what is not so.
func (s *sweep) project(ctx context.Context) error {
	if s.changes && !s.Projection {
		return nil
	}
	s.Progress(KindMembers, 0, 0)
	const organizations = 500
	for behind := ""; ; {
		var ids []string
		err := s.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
			ids, err = tx.OrganizationIDs(behind, organizations)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := s.projectOrganization(ctx, id); err != nil {
				return err
			}
			if err := s.projectInvitations(ctx, id); err != nil {
				return err
			}
		}
		behind = ids[len(ids)-1]
		s.Progress(KindMembers, s.of(KindMembers).Listed, 0)
	}
}

func (s *sweep) projectOrganization(ctx context.Context, organizationID string) error {
	for behind := ""; ; {
		var pairs []*store.MirrorPair
		err := s.store.Mirror(ctx, func(tx *store.MirrorTx) error {
			if err := tx.Still(); err != nil {
				return err
			}
			return tx.InOrganization(organizationID, func() (err error) {
				pairs, err = tx.Pairs(organizationID, behind, pageSize)
				return err
			})
		})
		if err != nil || len(pairs) == 0 {
			return err
		}
		for _, p := range pairs {
			if err := s.projectPair(ctx, organizationID, p); err != nil {
				return err
			}
		}
		behind = pairs[len(pairs)-1].User.ID
	}
}

func (s *sweep) projectPair(ctx context.Context, organizationID string, p *store.MirrorPair) error {
	report := s.of(KindMembers)
	report.Listed++
	switch {
	case len(p.Incarnations) == 0:
		// Requests see somebody of whom there never was a membership. It cannot come from an event, and is left to a person.
		report.Extra++
		report.Refused++
		return nil
	case p.Member == nil:
		report.Missing++
	case !equalMembers(*p.Member, projectMember(p.Incarnations, p.User)):
		report.Differing++
	default:
		return nil
	}
	if !s.changes {
		return nil
	}
	// What was read is old by now: it is computed again under the lock.
	err := s.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		user, err := tx.LockUser(p.User.ID)
		if err != nil {
			return err
		}
		return refreshPair(tx, organizationID, user)
	})
	if err == nil {
		report.Changed++
	}
	return err
}

func equalMembers(a, b models.Member) bool {
	return a.ID == b.ID && a.Role == b.Role && a.Provisional == b.Provisional &&
		a.Banned == b.Banned && a.Deprovisioned == b.Deprovisioned && a.Locked == b.Locked &&
		equal(a.Name, b.Name) && equal(a.Email, b.Email) && equal(a.ImageURL, b.ImageURL) &&
		a.JoinedAt.Equal(b.JoinedAt) && equalTimes(a.LeftAt, b.LeftAt)
}

func equal(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func equalTimes(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

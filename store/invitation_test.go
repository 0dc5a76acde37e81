package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// Pages of any size, in both directions, are the list, for each status as it is now; a pending one expires without being
// told.
func TestInvitationLists(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	config.Now = func() time.Time { return now }
	s := dbtest.OpenWith(t, config)
	past, future := now, now.Add(time.Microsecond)
	var all []models.Invitation
	for i := range 40 {
		invitation := models.Invitation{
			OrganizationID: acme, ID: fmt.Sprintf("orginv_%c%d", "aBcD"[i%4], i), CreatedAt: now.Add(-time.Duration(i/3) * time.Hour),
			Status: []string{"pending", "accepted", "pending", "revoked", "expired"}[i%5], ExpiresAt: []*time.Time{nil, &past, &future}[i%3],
		}
		all = append(all, dbtest.Invitation(t, dbtest.OwnerURL(config), invitation))
		invitation.OrganizationID = globex
		dbtest.Invitation(t, dbtest.OwnerURL(config), invitation)
	}
	slices.SortFunc(all, func(a, b models.Invitation) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	for _, status := range []string{"", models.InvitationPending, models.InvitationAccepted, models.InvitationRevoked, models.InvitationExpired} {
		want := []string{}
		for _, i := range all {
			if status == "" || i.StatusAt(now) == status {
				want = append(want, i.ID)
			}
		}
		if count, err := s.Org(acme).CountInvitations(t.Context(), status); err != nil || int(count) != len(want) || len(want) < 4 {
			t.Errorf("%q: counts %d, want %d, %v", status, count, len(want), err)
		}
		for _, limit := range []int{1, 4, 100} {
			for _, backwards := range []bool{false, true} {
				if diff := gocmp.Diff(want, walkInvitations(t, s.Org(acme), status, models.Page{Limit: limit, Backwards: backwards})); diff != "" {
					t.Fatalf("%q in pages of %d, backwards %v (-want +got)\n%s", status, limit, backwards, diff)
				}
			}
		}
	}
	if elsewhere, err := s.Org("org_stranger").InvitationsByID(t.Context(), []string{all[0].ID}); len(elsewhere) > 0 || err != nil {
		t.Errorf("another organization: %v, %v", elsewhere, err)
	}
}

func walkInvitations(t *testing.T, org store.Org, status string, page models.Page) []string {
	t.Helper()
	walked := []string{}
	for range 200 {
		slice, err := org.Invitations(t.Context(), status, page)
		if err != nil {
			t.Fatal(err)
		}
		ids := []string{}
		for _, i := range slice.Items {
			ids = append(ids, i.ID)
		}
		if page.Backwards {
			walked = append(ids, walked...)
		} else {
			walked = append(walked, ids...)
		}
		if page.Backwards && !slice.HasPrevious || !page.Backwards && !slice.HasNext {
			return walked
		}
		first, last := slice.Items[0].Position(), slice.Items[len(slice.Items)-1].Position()
		if page.Backwards {
			page.Before = &first
		} else {
			page.After = &last
		}
	}
	t.Fatalf("%q: the walk does not end", status)
	return nil
}

package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// manyMembers gives an organization people with all sorts of names, some of whom joined at the same time, left, or are
// provisional.
func manyMembers(t *testing.T, ownerURL, organizationID string) (members []models.Member) {
	t.Helper()
	names := []string{"Ada Lovelace", "ada king", "Adam", "Zoë Adams", "ÉMILE Zola", "Émile de Ada", "X%_\\", "Gus", "Gus", "", "O'Neil Ann", "Ann An"}
	left := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 * len(names) {
		name := names[i%len(names)]
		email := fmt.Sprintf("Mail%d.%s@example.com", i, strings.ToLower(strings.ReplaceAll(name, " ", ".")))
		if i%5 == 0 {
			email = "ada" + email
		}
		m := models.Member{
			OrganizationID: organizationID, UserID: fmt.Sprintf("user_%02d", i), Name: &name, Email: &email,
			JoinedAt: time.Date(2026, 1, 1+i/4, 0, 0, 0, 0, time.UTC), Role: []string{"org:member", "org:admin"}[i%3/2],
		}
		if i%4 == 3 {
			m.LeftAt, m.Email = &left, nil
		}
		m.Provisional = i%11 == 7
		members = append(members, dbtest.Member(t, ownerURL, m))
	}
	return members
}

// wantedMembers is what the filter wants of them, in its order, computed without the database.
func wantedMembers(members []models.Member, f store.MemberFilter) []models.Member {
	part := func(m models.Member) (int, string) {
		begins := func(text string) bool { return strings.HasPrefix(text, strings.ToLower(f.Search)) }
		name := strings.ToLower(*m.Name)
		if f.Search == "" || begins(name) {
			return 0, name
		}
		if words := strings.Fields(name); len(words) > 1 && begins(words[len(words)-1]) {
			return 1, words[len(words)-1]
		}
		if m.Email != nil && begins(strings.ToLower(*m.Email)) {
			return 2, strings.ToLower(*m.Email)
		}
		return 3, ""
	}
	var wanted []models.Member
	for _, m := range members {
		found, _ := part(m)
		if found < 3 && !m.Provisional && (f.Former || m.LeftAt == nil) && (f.Role == "" || f.Role == m.Role) {
			wanted = append(wanted, m)
		}
	}
	slices.SortFunc(wanted, func(a, b models.Member) int {
		partA, keyA := part(a)
		partB, keyB := part(b)
		order := cmp.Or(a.JoinedAt.Compare(b.JoinedAt), cmp.Compare(a.ID.String(), b.ID.String()))
		if f.ByName || f.Search != "" {
			order = cmp.Or(cmp.Compare(partA, partB), cmp.Compare(keyA, keyB), cmp.Compare(a.ID.String(), b.ID.String()))
		}
		if f.Descending {
			return -order
		}
		return order
	})
	return wanted
}

// Whatever is asked for, the pages of any size, walked in either direction, are what a look at all members gives, and so is
// the count. Another organization with the same people changes nothing.
func TestMemberLists(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	members := manyMembers(t, dbtest.OwnerURL(config), acme)
	manyMembers(t, dbtest.OwnerURL(config), globex)
	for _, f := range memberFilters() {
		wanted := userIDs(wantedMembers(members, f))
		count, err := s.Org(acme).CountMembers(t.Context(), f)
		if err != nil || int(count) != len(wanted) {
			t.Errorf("%+v: counts %d, want %d, %v", f, count, len(wanted), err)
		}
		for _, limit := range []int{1, 3, 100} {
			for _, backwards := range []bool{false, true} {
				if diff := gocmp.Diff(wanted, walkMembers(t, s.Org(acme), f, models.Page{Limit: limit, Backwards: backwards})); diff != "" {
					t.Fatalf("%+v in pages of %d, backwards %v (-want +got)\n%s", f, limit, backwards, diff)
				}
			}
		}
	}
	if found := wantedMembers(members, store.MemberFilter{Search: "ada"}); len(found) < 6 {
		t.Errorf("only %d members are found: too few to prove anything", len(found))
	}
	stranger, err := s.Org("org_stranger").Members(t.Context(), store.MemberFilter{Search: "ada", Former: true}, models.Page{Limit: 100})
	if err != nil || len(stranger.Items) != 0 {
		t.Errorf("another organization finds %d, %v", len(stranger.Items), err)
	}
}

func memberFilters() (filters []store.MemberFilter) {
	for _, role := range []string{"", "org:admin", "org:nobody"} {
		for _, former := range []bool{false, true} {
			for _, search := range []string{"ada", "ADA L", "an", "émi", "É", "x%", "x%_\\", "%", "o'", "mail1", "nobody", " "} {
				filters = append(filters, store.MemberFilter{Search: search, Role: role, Former: former})
			}
			for _, byName := range []bool{false, true} {
				for _, descending := range []bool{false, true} {
					filters = append(filters, store.MemberFilter{Role: role, Former: former, ByName: byName, Descending: descending})
				}
			}
		}
	}
	return filters
}

func walkMembers(t *testing.T, org store.Org, f store.MemberFilter, page models.Page) []string {
	t.Helper()
	walked := []string{}
	for range 200 {
		slice, err := org.Members(t.Context(), f, page)
		if err != nil {
			t.Fatal(err)
		}
		ids := []string{}
		for _, item := range slice.Items {
			ids = append(ids, item.UserID)
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
	t.Fatalf("%+v: the walk does not end", f)
	return nil
}

func userIDs(members []models.Member) []string {
	ids := []string{}
	for _, m := range members {
		ids = append(ids, m.UserID)
	}
	return ids
}

// A name or an address of any length is stored, and found by how it begins.
func TestLongNamesAreFound(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	random := make([]byte, 0, 20_000)
	for i := range 4000 {
		random = fmt.Appendf(random, "%x", i*i*7919)
	}
	name, email := "Long "+string(random), "l"+string(random)+"@example.com"
	dbtest.Member(t, dbtest.OwnerURL(config), models.Member{OrganizationID: acme, UserID: "user_long", Name: &name, Email: &email})
	for _, search := range []string{"long", name[:100], email[:100], string(random[:50])} {
		if got := walkMembers(t, s.Org(acme), store.MemberFilter{Search: search}, models.Page{Limit: 5}); len(got) != 1 {
			t.Errorf("%q finds %v", search, got)
		}
	}
}

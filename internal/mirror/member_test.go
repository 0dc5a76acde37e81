package mirror

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

func incarnation(id string, created, tomb int64) store.MirrorMembership {
	return store.MirrorMembership{
		ID: id, OrganizationID: "org_1", UserID: "user_1", Role: "org:admin", MirrorRow: store.MirrorRow{CreatedAt: created, TombAt: tomb},
		FirstName: textOf("Ada"), LastName: textOf("Lovelace"), ImageURL: textOf("then"), Identifier: textOf("then@acme.example"),
	}
}

func TestEffectiveIsTheNewest(t *testing.T) {
	t.Parallel()
	for name, ranked := range map[string][]store.MirrorMembership{
		"newest alive":                 {incarnation("a", 20, 0), incarnation("b", 10, 15)},
		"newest dead":                  {incarnation("a", 20, 30), incarnation("b", 10, 0)},
		"as old, one alive":            {incarnation("a", 20, 0), incarnation("b", 20, 20)},
		"as old, both alive":           {incarnation("b", 20, 0), incarnation("B", 20, 0)},
		"known by its deletion only":   {incarnation("a", 20, 0), incarnation("b", 0, 30)},
		"alive again under its own id": {incarnation("a", 20, 15), incarnation("b", 10, 12)},
	} {
		for range 5 {
			shuffled := append([]store.MirrorMembership{}, ranked...)
			rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := effective(shuffled); got.ID != ranked[0].ID {
				t.Errorf("%s: %s, want %s", name, got.ID, ranked[0].ID)
			}
		}
	}
}

func TestProjectMember(t *testing.T) {
	t.Parallel()
	known := store.MirrorUser{
		ID: "user_1", MirrorRow: store.MirrorRow{MirrorVersion: store.MirrorVersion{UpdatedAt: 5, Digest: "d"}},
		FirstName: textOf("Ada"), LastName: textOf("King"), ImageURL: textOf("now"), Email: textOf("now@acme.example"),
	}
	nameless := store.MirrorUser{ID: "user_1", MirrorRow: known.MirrorRow, Username: textOf("ada")}
	gone := store.MirrorUser{ID: "user_1", MirrorRow: store.MirrorRow{TombAt: 40}}
	phone := incarnation("a", 20, 0)
	phone.Identifier, phone.FirstName = textOf("+49301234"), nil
	left := func(ms int64) *time.Time { at := moment(ms); return &at }
	for name, test := range map[string]struct {
		incarnations       []store.MirrorMembership
		user               store.MirrorUser
		name, image, email *string
		joined             int64
		left               *time.Time
	}{
		"live":                          {[]store.MirrorMembership{incarnation("a", 20, 0)}, known, textOf("Ada King"), textOf("now"), textOf("now@acme.example"), 20, nil},
		"live, user unknown":            {[]store.MirrorMembership{incarnation("a", 20, 0)}, store.MirrorUser{}, textOf("Ada Lovelace"), textOf("then"), textOf("then@acme.example"), 20, nil},
		"live, known by phone":          {[]store.MirrorMembership{phone}, store.MirrorUser{}, textOf("Lovelace"), textOf("then"), nil, 20, nil},
		"live, with a username":         {[]store.MirrorMembership{incarnation("a", 20, 0)}, nameless, textOf("ada"), nil, nil, 20, nil},
		"left":                          {[]store.MirrorMembership{incarnation("a", 20, 30)}, known, textOf("Ada Lovelace"), textOf("then"), nil, 20, left(30)},
		"left, user unknown":            {[]store.MirrorMembership{incarnation("a", 20, 30)}, store.MirrorUser{}, textOf("Ada Lovelace"), textOf("then"), nil, 20, left(30)},
		"joined again":                  {[]store.MirrorMembership{incarnation("a", 20, 30), incarnation("b", 35, 0)}, known, textOf("Ada King"), textOf("now"), textOf("now@acme.example"), 35, nil},
		"user deleted":                  {[]store.MirrorMembership{incarnation("a", 20, 0)}, gone, nil, nil, nil, 20, left(40)},
		"left, then user deleted":       {[]store.MirrorMembership{incarnation("a", 20, 30)}, gone, nil, nil, nil, 20, left(30)},
		"user deleted, then membership": {[]store.MirrorMembership{incarnation("a", 20, 50)}, gone, nil, nil, nil, 20, left(40)},
	} {
		want := models.Member{
			OrganizationID: "org_1", UserID: "user_1", ID: memberID("org_1", "user_1"), Role: "org:admin",
			Name: test.name, ImageURL: test.image, Email: test.email, JoinedAt: moment(test.joined), LeftAt: test.left,
		}
		if diff := cmp.Diff(want, projectMember(test.incarnations, test.user)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestMemberIDsStay: clients keep them, so no release may change them.
func TestMemberIDsStay(t *testing.T) {
	t.Parallel()
	if got := memberID("org_1", "user_1").String(); got != "c981be0a-5f11-509f-82bf-8df2a00bc926" {
		t.Errorf("the id of user_1 in org_1 is %s now", got)
	}
	if memberID("org_1", "user_12") == memberID("org_11", "user_2") || memberID("org_1", "user_1") == memberID("org_2", "user_1") {
		t.Error("two members share an id")
	}
}

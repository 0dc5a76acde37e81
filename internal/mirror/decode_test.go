package mirror

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tenantry/tenantry/store"
)

var unexported = cmp.AllowUnexported(event{}, organizationChange{}, userChange{}, userProfile{}, membershipChange{},
	snapshot{}, roleChange{}, invitationChange{}, domainChange{}, permissionChange{}, statement{})

func textOf(s string) *string { return &s }

func TestDecodeReadsWhatTheMirrorKeeps(t *testing.T) {
	t.Parallel()
	image := textOf("https://img.clerk.com/eyJ0eXBlIjoiZGVmYXVsdCJ9")
	version := func(updated, env int64, rank int16) store.MirrorVersion {
		return store.MirrorVersion{UpdatedAt: updated, EnvTS: env, Rank: rank}
	}
	acmeLabs := organizationChange{
		statement{id: acme, createdAt: 1782900060000, fields: true, version: version(1782900060000, 0, rankEmbedded)},
		"Acme Labs", textOf("acme-labs"), image,
	}
	own := acmeLabs
	own.version = version(1782900060000, 1782900060003, rankCreated)
	withoutSlug := own
	withoutSlug.slug = nil
	bobsMembership := membershipChange{
		statement{id: "orgmem_3AbSc4LnZxQ6wTdUyV8mCgF2rHp", createdAt: 1782900700000, fields: true, version: version(1782901300000, 1782901300005, rankEvent)},
		&acmeLabs, acme, bob, "org:admin",
		snapshot{firstName: textOf("Bob"), imageURL: image, identifier: textOf("bob@acme.example")},
	}
	bobLeft := bobsMembership
	bobLeft.tombAt, bobLeft.version = 1782908900000, version(1782901300000, 1782908900000, rankDeletion)
	for name, want := range map[string]change{
		"organization.created":                                own,
		"organization.created.slugs-disabled-backend-created": withoutSlug,
		"organization.deleted":                                organizationChange{statement: statement{id: acme, tombAt: 1782909500000}},
		"organizationMembership.updated":                      bobsMembership,
		"organizationMembership.deleted":                      bobLeft,
		"user.updated": userChange{
			statement{id: ada, createdAt: 1782900000000, fields: true, version: version(1782900900000, 1782900900020, rankEvent)},
			userProfile{firstName: textOf("Ada"), lastName: textOf("King"), imageURL: image, email: textOf("ada@acme.example")},
		},
		"user.deleted": userChange{statement: statement{id: bob, tombAt: 1782909000000}},
		"role.created": roleChange{
			statement{id: "role_3AbUe1PrCaT5zZhAbB4qFkJ8uLs", createdAt: 1782902600000, fields: true, version: version(1782902600000, 1782902600004, rankCreated)},
			"org:editor", "Editor",
			[]string{"org:documents:read", "org:sys_memberships:read"},
		},
		"role.deleted":    roleChange{statement: statement{id: "role_3AbUe1PrCaT5zZhAbB4qFkJ8uLs", tombAt: 1782902800000}},
		"session.created": nil,
	} {
		got, err := decode(sample(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got.change, unexported, cmpopts.IgnoreFields(store.MirrorVersion{}, "Digest")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if got.instance != "ins_3AbQm7rTz0XkW1nYvP5cLdE9uHs" || !strings.HasPrefix(name, got.kind) {
			t.Errorf("%s: type %s of instance %s", name, got.kind, got.instance)
		}
	}
}

// TestEmbeddedOrganizationLooksLikeItsOwnEvent: where the digests differed, every membership would ask for a read.
func TestEmbeddedOrganizationLooksLikeItsOwnEvent(t *testing.T) {
	t.Parallel()
	own, err := decode(sample(t, "organization.created"))
	if err != nil {
		t.Fatal(err)
	}
	member, err := decode(sample(t, "organizationMembership.created"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := own.change.(organizationChange).version.Digest, member.change.(membershipChange).organization.version.Digest; a != b {
		t.Errorf("digests %s and %s", a, b)
	}
}

func TestDecodeIsTolerant(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want change
	}{
		"nulls, unknown fields, seconds": {
			`{"type": "organization.updated", "timestamp": 1782900060, "new": [], "data": {"id": "org_1", "name": "Acme", "slug": null,
			"image_url": null, "created_at": 1782900050000, "updated_at": 1782900055000, "private_metadata": {"a": [1, {}]}}}`,
			organizationChange{statement{
				id: "org_1", createdAt: 1782900050000, fields: true,
				version: store.MirrorVersion{UpdatedAt: 1782900055000, EnvTS: 1782900060000, Rank: rankEvent},
			}, "Acme", nil, nil},
		},
		"deletion in seconds": {
			`{"type": "user.deleted", "timestamp": 1782900060, "data": {"id": "user_1"}}`,
			userChange{statement: statement{id: "user_1", tombAt: 1782900060999}},
		},
		"deletion in seconds with a fraction": {
			`{"type": "user.deleted", "timestamp": 1782900060.25, "data": {"id": "user_1"}}`,
			userChange{statement: statement{id: "user_1", tombAt: 1782900060999}},
		},
		"times as text": {
			`{"type": "user.deleted", "timestamp": "1782900060003", "data": {"id": "user_1"}}`,
			userChange{statement: statement{id: "user_1", tombAt: 1782900060003}},
		},
		"no times but the envelope's": {
			`{"type": "user.updated", "timestamp": 1782900060003, "data": {"id": "user_1", "username": "ada"}}`,
			userChange{
				statement{id: "user_1", fields: true, version: store.MirrorVersion{EnvTS: 1782900060003, Rank: rankEvent}},
				userProfile{username: textOf("ada")},
			},
		},
		"NUL bytes and broken text": {
			`{"type": "user.updated", "timestamp": 1782900060003, "data": {"id": "user_1", "first_name": "A\u0000d\ud800a"}}`,
			userChange{
				statement{id: "user_1", fields: true, version: store.MirrorVersion{EnvTS: 1782900060003, Rank: rankEvent}},
				userProfile{firstName: textOf("Ad\uFFFDa")},
			},
		},
		"role and permissions without org:, twice, empty": {
			`{"type": "role.updated", "timestamp": 1782900060003, "data": {"id": "role_1", "key": "org:org:editor", "created_at": 1782900000000,
			"permissions": [{"key": "documents:read"}, {"key": "org:documents:read"}, {"key": null}, {}]}}`,
			roleChange{statement{
				id: "role_1", createdAt: 1782900000000, fields: true,
				version: store.MirrorVersion{UpdatedAt: 1782900000000, EnvTS: 1782900060003, Rank: rankEvent},
			}, "org:editor", "", []string{"org:documents:read"}},
		},
		"membership without anything optional": {
			`{"type": "organizationMembership.created", "timestamp": 1782900060003, "data": {"id": "orgmem_1", "role": "member",
			"created_at": 1782900060000, "organization": {"id": "org_1"}, "public_user_data": {"user_id": "user_1", "identifier": null}}}`,
			membershipChange{
				statement{
					id: "orgmem_1", createdAt: 1782900060000, fields: true,
					version: store.MirrorVersion{UpdatedAt: 1782900060000, EnvTS: 1782900060003, Rank: rankCreated},
				},
				&organizationChange{statement: statement{id: "org_1", fields: true}}, "org_1", "user_1", "org:member",
				snapshot{},
			},
		},
		"membership's deletion with its id only": {
			`{"type": "organizationMembership.deleted", "timestamp": 1782900060003, "data": {"id": "orgmem_1", "deleted": true}}`,
			membershipChange{statement: statement{id: "orgmem_1", tombAt: 1782900060003}},
		},
		"membership's deletion before its creation": {
			`{"type": "organizationMembership.deleted", "timestamp": 1782900060003, "data": {"id": "orgmem_1", "role": "org:member",
			"created_at": 1782900060010, "organization": {"id": "org_1"}, "public_user_data": {"user_id": "user_1"}}}`,
			membershipChange{
				statement{
					id: "orgmem_1", createdAt: 1782900060010, tombAt: 1782900060010, fields: true,
					version: store.MirrorVersion{UpdatedAt: 1782900060010, EnvTS: 1782900060003, Rank: rankDeletion},
				},
				&organizationChange{statement: statement{id: "org_1", fields: true}}, "org_1", "user_1", "org:member",
				snapshot{},
			},
		},
		"a type of a noun that is kept, yet unknown": {`{"type": "user.frozen", "data": 7}`, nil},
		"data of a type that is not kept":            {`{"type": "waitlistEntry.created", "data": "x"}`, nil},
	} {
		got, err := decode([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.change, unexported, cmpopts.IgnoreFields(store.MirrorVersion{}, "Digest")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestDecodeRefusesWhatIsUnusable(t *testing.T) {
	t.Parallel()
	wrap := func(kind, data string) string {
		return `{"type": "` + kind + `", "timestamp": 1782900060003, "data": ` + data + `}`
	}
	for name, body := range map[string]string{
		"nothing":                  ``,
		"cut off":                  `{"type": "user.created"`,
		"a list":                   `[]`,
		"null":                     `null`,
		"no type":                  `{"data": {"id": "user_1"}}`,
		"a type that is a number":  `{"type": 7}`,
		"an endless type":          `{"type": "` + strings.Repeat("x", 101) + `"}`,
		"no data":                  `{"type": "user.created"}`,
		"null data":                wrap("user.created", "null"),
		"data that is a list":      wrap("user.created", "[]"),
		"no id":                    wrap("user.created", `{"first_name": "Secret"}`),
		"null id":                  wrap("organization.created", `{"id": null}`),
		"an id with a quote":       wrap("organization.created", `{"id": "org_1'; DROP"}`),
		"an id with a space":       wrap("role.created", `{"id": "role 1"}`),
		"an endless id":            wrap("user.created", `{"id": "`+strings.Repeat("x", 129)+`"}`),
		"an id that is a number":   wrap("user.created", `{"id": 42424242}`),
		"a time that is none":      wrap("user.created", `{"id": "user_1", "created_at": "yesterday"}`),
		"a time before 1970":       wrap("user.created", `{"id": "user_1", "created_at": -1}`),
		"a time in microseconds":   wrap("user.created", `{"id": "user_1", "created_at": 1782900060003000}`),
		"a time that is no number": wrap("user.created", `{"id": "user_1", "created_at": "NaN"}`),
		"deletion without a time":  `{"type": "user.deleted", "data": {"id": "user_1"}}`,
		"role without a key":       wrap("role.created", `{"id": "role_1", "key": "org:"}`),
		"membership of nobody":     wrap("organizationMembership.created", `{"id": "orgmem_1", "role": "org:admin", "created_at": 1, "organization": {"id": "org_1"}}`),
		"membership in nothing":    wrap("organizationMembership.created", `{"id": "orgmem_1", "role": "org:admin", "created_at": 1, "public_user_data": {"user_id": "user_1"}}`),
		"membership without role":  wrap("organizationMembership.created", `{"id": "orgmem_1", "created_at": 1, "organization": {"id": "org_1"}, "public_user_data": {"user_id": "user_1"}}`),
		"membership without age":   wrap("organizationMembership.updated", `{"id": "orgmem_1", "role": "org:admin", "organization": {"id": "org_1"}, "public_user_data": {"user_id": "user_1"}}`),
		"deletion of nothing":      wrap("organizationMembership.deleted", `{"deleted": true}`),
	} {
		_, err := decode([]byte(body))
		if !isPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
			continue
		}
		for _, quoted := range []string{"Secret", "42424242", "DROP", "yesterday"} {
			if strings.Contains(err.Error(), quoted) {
				t.Errorf("%s: the error quotes the body: %v", name, err)
			}
		}
	}
}

// FuzzDecode: whoever signs, nothing that arrives makes the mirror panic or keep what it cannot store.
func FuzzDecode(f *testing.F) {
	samples, err := filepath.Glob("testdata/*.json")
	if err != nil || len(samples) == 0 {
		f.Fatal(samples, err)
	}
	for _, name := range samples {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded, err := decode(body)
		if err != nil {
			if !isPermanent(err) {
				t.Fatalf("not permanent: %v", err)
			}
			return
		}
		if decoded.change == nil {
			return
		}
		if !json.Valid(body) {
			t.Fatal("a change from what is no JSON")
		}
		m := newModel()
		for range 2 {
			if err := decoded.change.apply(m); err != nil {
				t.Fatal(err)
			}
		}
		for p := range m.publicMembers {
			if !clerkID.MatchString(p.organization) || !clerkID.MatchString(p.user) {
				t.Fatalf("a member under %q, %q", p.organization, p.user)
			}
		}
	})
}

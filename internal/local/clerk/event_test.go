package clerk

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shape reduces JSON to its keys and types: a list to the shape of its first
// element, so samples of lists must agree in being empty or not.
func shape(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = shape(item)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shape(v[0])}
	case nil:
		return "null"
	default:
		return fmt.Sprintf("%T", v)
	}
}

func shapeOf(t *testing.T, data []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return shape(value)
}

func sample(t *testing.T, eventType string) any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "events", eventType+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return shapeOf(t, data)
}

func TestEventsHaveClerksShape(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	var ignored object
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "max", "role": "org:admin"}, &ignored)
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &ignored)

	checked := map[string]bool{}
	for _, m := range c.current.Load().Queue {
		if checked[m.Type] {
			continue
		}
		checked[m.Type] = true
		if diff := cmp.Diff(sample(t, m.Type), shapeOf(t, []byte(m.Body))); diff != "" {
			t.Errorf("%s (-Clerk +ours):\n%s", m.Type, diff)
		}
	}
	if len(checked) != 7 {
		t.Errorf("checked %v, want 7 types", checked)
	}
}

func TestSeedTellsOfItself(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_790_000_000_123)
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	type member struct{ Organization, User, Role string }
	var (
		types   = map[string]int{}
		users   = map[string]string{}
		orgs    = map[string]string{}
		members []member
		roles   = map[string][]string{}
		ids     = map[string]bool{}
		last    int64
	)
	for _, m := range c.current.Load().Queue {
		var event struct {
			Type       string `json:"type"`
			InstanceID string `json:"instance_id"`
			Timestamp  int64  `json:"timestamp"`
			Data       struct {
				ID             string                `json:"id"`
				Slug           string                `json:"slug"`
				Key            string                `json:"key"`
				EmailAddresses []struct{ ID string } `json:"email_addresses"`
				PrimaryEmail   string                `json:"primary_email_address_id"`
				Permissions    json.RawMessage       `json:"permissions"`
				Role           string                `json:"role"`
				UpdatedAt      int64                 `json:"updated_at"`
				CreatedAt      int64                 `json:"created_at"`
				FirstName      string                `json:"first_name"`
				Organization   struct{ ID string }   `json:"organization"`
				PublicUserData struct {
					UserID string `json:"user_id"`
				} `json:"public_user_data"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(m.Body), &event); err != nil {
			t.Fatal(err)
		}
		d := event.Data
		if event.Type != m.Type || event.InstanceID != c.InstanceID() || ids[m.ID] {
			t.Errorf("message %s: type %s in %s, instance %s", m.ID, event.Type, m.Type, event.InstanceID)
		}
		if event.Timestamp <= last || d.UpdatedAt >= event.Timestamp || d.CreatedAt != d.UpdatedAt || event.Timestamp > now.UnixMilli() {
			t.Errorf("%s: created %d, updated %d, told %d after %d", m.Type, d.CreatedAt, d.UpdatedAt, event.Timestamp, last)
		}
		last, ids[m.ID] = event.Timestamp, true
		types[m.Type]++
		switch m.Type {
		case "user.created":
			users[d.FirstName] = d.ID
			if len(d.EmailAddresses) != 1 || d.EmailAddresses[0].ID != d.PrimaryEmail {
				t.Errorf("%s has no primary e-mail address", d.ID)
			}
		case "organization.created":
			orgs[d.Slug] = d.ID
		case "organizationMembership.created":
			members = append(members, member{d.Organization.ID, d.PublicUserData.UserID, d.Role})
			var snapshot []string
			if err := json.Unmarshal(d.Permissions, &snapshot); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(roles[d.Role], snapshot); diff != "" {
				t.Errorf("%s: permissions other than its role's:\n%s", d.ID, diff)
			}
		case "role.created":
			var permissions []struct{ Key, Type string }
			if err := json.Unmarshal(d.Permissions, &permissions); err != nil {
				t.Fatal(err)
			}
			roles[d.Key] = []string{}
			for _, p := range permissions {
				roles[d.Key] = append(roles[d.Key], p.Key)
				if wantType := map[bool]string{true: "system", false: "user"}[p.Key[:8] == "org:sys_"]; p.Type != wantType {
					t.Errorf("%s is a %s permission", p.Key, p.Type)
				}
			}
		}
	}
	const (
		ada, planck   = "user_2LocalAda0000000000000000000", "user_2LocalMax0000000000000000000"
		gus, nora     = "user_2LocalGus0000000000000000000", "user_2LocalNora000000000000000000"
		acme, globex  = "org_2LocalAcme000000000000000000", "org_2LocalGlobex0000000000000000"
		admin, joined = "org:admin", "org:member"
	)
	for _, diff := range []string{
		cmp.Diff(map[string]int{"permission.created": 14, "role.created": 3, "user.created": 4, "organization.created": 2, "organizationMembership.created": 4}, types),
		cmp.Diff(map[string]string{"Ada": ada, "Max": planck, "Gus": gus, "Nora": nora}, users),
		cmp.Diff(map[string]string{"acme": acme, "globex": globex}, orgs),
		cmp.Diff([]member{{acme, ada, admin}, {acme, planck, joined}, {globex, gus, admin}, {globex, ada, joined}}, members),
		cmp.Diff(map[string][]string{
			"org:admin": {
				"org:sys_profile:manage", "org:sys_profile:delete", "org:sys_memberships:read", "org:sys_memberships:manage",
				"org:sys_domains:read", "org:sys_domains:manage", "org:sys_billing:read", "org:sys_billing:manage", "org:sys_entconns:manage",
				"org:documents:read", "org:documents:create", "org:documents:update", "org:documents:delete", "org:audit_log:read",
			},
			"org:member": {
				"org:sys_memberships:read", "org:sys_billing:read",
				"org:documents:read", "org:documents:create", "org:documents:update",
			},
			"org:guest": {},
		}, roles),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
}

// A deletion and the joining after it may fall into one millisecond of the
// machine's clock; on Clerk's they must not.
func TestNoTwoFactsShareAMoment(t *testing.T) {
	t.Parallel()
	frozen := time.UnixMilli(1_790_000_000_000)
	s, err := seed(ours(t), frozen)
	if err != nil {
		t.Fatal(err)
	}
	acme, _ := s.organization("acme")
	planck, _ := s.user("max")
	var last int64
	for range 3 {
		removed, _, err := s.removeMembership(acme, planck, frozen)
		if err != nil {
			t.Fatal(err)
		}
		tombstone := delivery{body: []byte(s.Queue[len(s.Queue)-1].Body)}.event(t).Timestamp
		again, _, err := s.addMembership(acme, planck, membership{Role: "org:member"}, frozen)
		if err != nil {
			t.Fatal(err)
		}
		if removed.CreatedAt >= tombstone || again.CreatedAt <= tombstone || again.ID == removed.ID || tombstone <= last {
			t.Errorf("%+v, removed at %d, then %+v", removed, tombstone, again)
		}
		last = tombstone
	}
}

package store_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// Each is named, keeps the store shut if it is dangerous, and is mended by the SQL that it comes with.
func TestBreachesAreNamedAndMended(t *testing.T) {
	t.Parallel()
	for name, test := range breaches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Config(t)
			owner := dbtest.OwnerURL(config)
			asOwner(t, owner, test.statements...)
			found := namedIn(t, config, test)
			s, err := store.Open(t.Context(), config)
			if err == nil {
				s.Close()
			}
			if found.Severity == store.Danger && (err == nil || !strings.Contains(err.Error(), found.Violations[0].Mend[:20])) {
				t.Errorf("it is dangerous, but opening says %v", err)
			}
			if found.Severity == store.Warning && err != nil {
				t.Errorf("it is no danger, but opening says %v", err)
			}
			mendAll(t, config)
		})
	}
}

// Each check has been seen to fail: here, or in a test of its own.
func TestEveryCheckIsBroken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"scope": true, "version": true, "effective-role": true, "role-powers": true, "membership": true}
	for _, test := range breaches {
		seen[test.check] = true
	}
	for _, checked := range examine(t, dbtest.Config(t)) {
		if checked.Name != "version" && checked.Result() != "ok" {
			t.Errorf("after the migrations alone: %+v", checked)
		}
		if !seen[checked.Name] {
			t.Errorf("nothing breaks the check %s", checked.Name)
		}
		delete(seen, checked.Name)
	}
	for name := range seen {
		t.Errorf("there is no check %s", name)
	}
}

func examine(t testing.TB, config store.Config) store.Examination {
	t.Helper()
	examination, err := store.Examine(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return examination
}

// namedIn returns the check that names the breach.
func namedIn(t *testing.T, config store.Config, test breach) store.Checked {
	t.Helper()
	for _, checked := range examine(t, config) {
		for _, violation := range checked.Violations {
			if checked.Name == test.check && strings.HasPrefix(violation.Where, test.where) && strings.Contains(violation.What, test.what) {
				return checked
			}
		}
	}
	t.Fatalf("%s does not name %s %q: %+v", test.check, test.where, test.what, examine(t, config))
	return store.Checked{}
}

// mendAll runs what every violation comes with, in their order, and expects none to be left.
func mendAll(t *testing.T, config store.Config) {
	t.Helper()
	for _, checked := range examine(t, config) {
		for _, violation := range checked.Violations {
			if checked.Name != "version" {
				asOwner(t, dbtest.OwnerURL(config), violation.Mend)
			}
		}
	}
	for _, checked := range examine(t, config) {
		if checked.Name != "version" && checked.Result() != "ok" {
			t.Errorf("left after mending: %+v", checked)
		}
	}
	s, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// Powers and memberships of a role. In a database of its own: roles belong to the cluster, and the clones of one template
// share theirs.
func TestRolesThatMayTooMuch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]breach{
		"superuser":  {"role-powers", []string{"ALTER ROLE {request} SUPERUSER"}, "role ", "is superuser"},
		"bypass":     {"role-powers", []string{"ALTER ROLE {request} BYPASSRLS"}, "role ", "has BYPASSRLS"},
		"mirror":     {"role-powers", []string{"ALTER ROLE {mirror} BYPASSRLS"}, "role ", "has BYPASSRLS"},
		"createrole": {"role-powers", []string{"ALTER ROLE {request} CREATEROLE"}, "role ", "has CREATEROLE"},
		"a member":   {"membership", []string{"GRANT {mirror} TO {request}"}, "role ", "is a member of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			empty := dbtest.Empty(t)
			if _, err := store.Migrate(t.Context(), empty); err != nil {
				t.Fatal(err)
			}
			config := store.Config{URL: empty}
			asOwner(t, empty, test.statements...)
			namedIn(t, config, test)
			if s, err := store.Open(t.Context(), config); err == nil {
				s.Close()
				t.Error("it opens")
			}
			mendAll(t, config)
		})
	}
}

// A role that is not the login's, and one that is nobody's.
func TestDoorsThatAreShut(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	asOwner(t, dbtest.OwnerURL(config), "UPDATE tenantry.instance SET request_role = 'nobody_has_this'")
	namedIn(t, config, breach{"effective-role", nil, `role "nobody_has_this"`, "does not exist"})
	if s, err := store.Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), `CREATE ROLE "nobody_has_this"`) {
		t.Errorf("%v %v", s, err)
	}

	empty := dbtest.Empty(t)
	if _, err := store.Migrate(t.Context(), empty); err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(empty)
	if err != nil {
		t.Fatal(err)
	}
	login := strings.TrimPrefix(parsed.Path, "/") + "_login"
	asOwner(t, empty, "CREATE ROLE "+login+" LOGIN", "GRANT {mirror} TO "+login)
	parsed.User = url.User(login)
	config = store.Config{URL: parsed.String(), MigrateURL: empty, Scope: store.ScopeTransaction}
	namedIn(t, config, breach{"effective-role", nil, "role ", "cannot be acted as"})
	mendAll(t, config)
}

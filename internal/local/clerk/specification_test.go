package clerk

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/spectest"
)

var readSpecification = sync.OnceValues(func() (*spectest.Specification, error) { return spectest.Open(served) })

// served tells whether the local Clerk has a path of the specification.
func served(path string) bool {
	for route := range endpoints {
		if spectest.SameRoute(route, path) {
			return true
		}
	}
	for _, w := range writes {
		if spectest.SameRoute(w.path, path) {
			return true
		}
	}
	return path == "/jwks"
}

func openSpecification(t *testing.T) *specification {
	t.Helper()
	if os.Getenv(spectest.Variable) == "" {
		t.Skipf("%s is not set: it names the folder with Clerk's backend-api.yml", spectest.Variable)
	}
	s, err := readSpecification()
	if err != nil {
		t.Fatal(err)
	}
	return &specification{s}
}

// specification is Clerk's of the Backend API.
type specification struct{ *spectest.Specification }

// problems holds an answer to a GET against the specification.
func (s *specification) problems(t *testing.T, route, target string, response *http.Response, body []byte) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.clerk.com/v1"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sk_test_specification")
	return s.problemsOf(request, route, response, body)
}

func (s *specification) problemsOf(request *http.Request, route string, response *http.Response, body []byte) []string {
	return s.AnswerProblems(request, route, response.StatusCode, response.Header, body)
}

func (s *specification) check(t *testing.T, route, target string, response *http.Response, body []byte) {
	t.Helper()
	for _, problem := range s.problems(t, route, target, response, body) {
		t.Error(problem)
	}
}

func TestBackendAnswersFollowTheSpecification(t *testing.T) {
	t.Parallel()
	s := openSpecification(t)
	c := openUnlimited(t)
	b := serveBackend(t, c)
	const (
		lists   = "?limit=2 ?limit=500&offset=1 ?offset=1000 ?limit=0 ?limit=501 ?limit=ten ?limit= ?offset=-1 ?other=1"
		ordered = lists + " ?order_by=created_at ?order_by=-created_at ?order_by=%2Bcreated_at ?order_by=shoe_size"
	)
	for _, test := range []struct{ route, target, queries string }{
		{"/organizations", "", ordered + " ?include_members_count=true&order_by=-members_count ?include_members_count=maybe ?query=ac ?user_id=" + SeededAda + " ?organization_id=-" + SeededAcme},
		{"/organizations/{id}", SeededAcme, "?include_members_count=true ?limit=1"},
		{"/organizations/{id}", "acme", ""},
		{"/organizations/{id}", "initech", ""},
		{"/organizations/{id}/memberships", SeededAcme, lists + " ?order_by=-last_name ?order_by=shoe_size ?user_id=" + SeededAda + " ?user_id=user_none ?role=org:admin&role=org:guest ?query=planck ?email_address=max@acme.example"},
		{"/organizations/{id}/memberships", "acme", ""},
		{"/organizations/{id}/memberships", "org_none", ""},
		{"/organizations/{id}/invitations", SeededAcme, ordered + " ?status=pending ?status=lost ?email_address=a@b.example"},
		{"/organizations/{id}/invitations", "org_none", ""},
		{"/organizations/{id}/domains", SeededAcme, lists + " ?verified=true ?enrollment_mode=-enterprise_sso ?enrollment_mode=x"},
		{"/organizations/{id}/domains", "org_none", ""},
		{"/organization_domains", "", ordered + " ?order_by=-name ?verified=true ?enrollment_mode=-enterprise_sso ?enrollment_mode=x" +
			" ?query=acme ?organization_id=" + SeededAcme},
		{"/organizations/{id}/invitations/{invitation}", "org_none", ""},
		{"/organization_memberships", "", ordered},
		{"/organization_invitations", "", ordered + " ?status=pending ?status=lost ?query=acme"},
		{"/organization_roles", "", ordered + " ?query=adm"},
		{"/organization_roles/{id}", seededID("role", "Guest"), ""},
		{"/organization_roles/{id}", "role_none", ""},
		{"/organization_permissions", "", lists + " ?order_by=key ?query=documents"},
		{"/organization_permissions/{id}", seededID("perm", "SysProfileManage"), ""},
		{"/organization_permissions/{id}", "perm_none", ""},
		{"/users", "", ordered + " ?user_id=" + SeededAda + "&user_id=" + SeededGus + " ?email_address=nora@example.com ?query=lovelace" +
			" ?starting_after=" + SeededGus + " ?starting_after=user_none ?starting_after=" + SeededAda + "&offset=1 ?organization_id=" + SeededAcme},
		{"/users/count", "", "?user_id=" + SeededAda + " ?limit=1"},
		{"/users/{id}", SeededAda, "?limit=1"},
		{"/users/{id}", "user_none", ""},
		{"/users/{id}/organization_memberships", SeededAda, lists},
		{"/users/{id}/organization_memberships", "user_none", ""},
		{"/jwks", "", ""},
	} {
		path := strings.Replace(test.route, "{id}", test.target, 1)
		covered := map[int]bool{}
		for _, query := range append([]string{""}, strings.Fields(test.queries)...) {
			response, body := b.send(b.get(path + query))
			covered[response.StatusCode] = true
			s.check(t, test.route, path+query, response, body)
		}
		if !covered[http.StatusOK] && !covered[http.StatusNotFound] {
			t.Errorf("%s was never answered", path)
		}
		for _, key := range []string{"", "Bearer sk_test_wrong"} {
			r := b.get(path)
			r.Header.Set("Authorization", key)
			response, body := b.send(r)
			if response.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with the key %q: %d", path, key, response.StatusCode)
			}
			s.check(t, test.route, path, response, body)
		}
		c.limiter.allow(0)
		response, body := b.send(b.get(path))
		c.limiter.allow(-1)
		if limited := response.StatusCode == http.StatusTooManyRequests; limited == (test.route == "/jwks") {
			t.Errorf("%s above the limit: %d", path, response.StatusCode)
		}
		s.check(t, test.route, path, response, body)
		b.seen[test.route] = true
	}
	for route := range endpoints {
		if !b.seen[route] {
			t.Errorf("%s is not held against the specification", route)
		}
	}
}

// What the specification does not allow must be seen, or the test above proves
// nothing.
func TestTheSpecificationIsHeldAgainst(t *testing.T) {
	t.Parallel()
	s := openSpecification(t)
	b := serveBackend(t, openUnlimited(t))
	for _, test := range []struct{ route, target, from, to string }{
		{"/users", "/users", `"locked":false`, `"locked":"no"`},
		{"/users", "/users", `"locked":false,`, ``},
		{"/users", "/users", `"object":"user"`, `"object":"user","handle":"ada"`},
		{"/users", "/users", `"object":"user"`, `"object":"person"`},
		{"/users", "/users", `[`, `{"data":[`},
		{"/organizations", "/organizations", `"total_count":2`, `"total_count":2,"has_more":false`},
		{"/organizations", "/organizations", `"total_count":2`, `"total_count":"2"`},
		{"/organizations/{id}/memberships", "/organizations/" + SeededAcme + "/memberships", `"role":"org:admin",`, ``},
		{"/organization_roles", "/organization_roles", `"is_creator_eligible":true`, `"is_creator_eligible":null`},
		{"/users", "/users?limit=501", `"errors"`, `"error"`},
		{"/users", "/users?limit=501", `"code":"form_param_value_invalid",`, ``},
	} {
		response, body := b.send(b.get(test.target))
		if found := s.problems(t, test.route, test.target, response, body); len(found) > 0 {
			t.Errorf("%s as it is: %s", test.target, found)
		}
		changed := strings.ReplaceAll(string(body), test.from, test.to)
		if len(s.problems(t, test.route, test.target, response, []byte(changed))) == 0 {
			t.Errorf("%s with %s for %s passes", test.target, test.to, test.from)
		}
	}
	response, body := b.send(b.get("/users"))
	for name, found := range map[string][]string{
		"a query that Clerk refuses": s.problems(t, "/users", "/users?limit=501", response, body),
		"another media type": s.problems(t, "/users", "/users", &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}},
		}, body),
		"a status that nothing has": s.problems(t, "/users", "/users", &http.Response{StatusCode: http.StatusTeapot}, body),
	} {
		if len(found) == 0 {
			t.Errorf("%s passes", name)
		}
	}
}

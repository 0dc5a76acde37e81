package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asked is one request to the control API.
type asked struct {
	Method, Path, ContentType string
	Body                      map[string]any
}

// project is a folder in which a server runs that gives one answer and notes what it was asked.
func project(t *testing.T, status int, answer string) (dir string, requests *[]asked) {
	t.Helper()
	requests = &[]asked{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		request := asked{Method: r.Method, Path: r.URL.Path, ContentType: r.Header.Get("Content-Type")}
		if err := json.Unmarshal(body, &request.Body); err != nil {
			t.Errorf("body %q: %v", body, err)
		}
		*requests = append(*requests, request)
		w.WriteHeader(status)
		if _, err := io.WriteString(w, answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	dir = t.TempDir()
	state := filepath.Join(dir, ".tenantry")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Announce(state, Running{URL: server.URL}); err != nil {
		t.Fatal(err)
	}
	return dir, requests
}

func membershipJSON(user, org, role string, delivered bool) string {
	answer, err := json.Marshal(map[string]any{
		"membership": map[string]any{"id": "orgmem_1", "user": user, "organization": org, "role": role},
		"delivered":  delivered, "deliveryMs": 12,
	})
	if err != nil {
		panic(err)
	}
	return string(answer)
}

func TestCommandsAskTheControlAPI(t *testing.T) {
	t.Parallel()
	const token = `{"token":"eyJ.eyJ.c2ln","expiresAt":"2026-11-22T10:00:00Z"}`
	const tokens, memberships = "/__clerk/control/v1/tokens", "/__clerk/control/v1/memberships"
	for name, test := range map[string]struct {
		args         []string
		answer       string
		method, path string
		body         map[string]any
		stdout       string
	}{
		"token": {
			[]string{"token", "--as", "max", "--org", "acme"},
			token, "POST", tokens,
			map[string]any{"user": "max", "organization": "acme", "version": 2.0},
			"eyJ.eyJ.c2ln\n",
		},
		"token of an agent": {
			[]string{"token", "--as", "max", "--org", "acme", "--actor", "agent"},
			token, "POST", tokens,
			map[string]any{"user": "max", "organization": "acme", "version": 2.0, "actor": "agent"},
			"eyJ.eyJ.c2ln\n",
		},
		"token without an organization, old claims": {
			[]string{"token", "--as=max", "--v1"},
			token, "POST", tokens,
			map[string]any{"user": "max", "organization": "", "version": 1.0},
			"eyJ.eyJ.c2ln\n",
		},
		"add-member": {
			[]string{"clerk", "add-member", "--org", "acme", "--user", "nora"},
			membershipJSON("nora", "acme", "org:member", true), "POST", memberships,
			map[string]any{"user": "nora", "organization": "acme", "role": "org:member"},
			"nora added to acme as org:member; webhook delivered in 12 ms\n",
		},
		"add-member with a role": {
			[]string{"clerk", "add-member", "--org", "acme", "--user", "nora", "--role", "admin"},
			membershipJSON("nora", "acme", "org:admin", true), "POST", memberships,
			map[string]any{"user": "nora", "organization": "acme", "role": "admin"},
			"nora added to acme as org:admin; webhook delivered in 12 ms\n",
		},
		"set-role": {
			[]string{"clerk", "set-role", "--org", "acme", "--user", "max", "--role", "org:admin"},
			membershipJSON("max", "acme", "org:admin", true), "PATCH", memberships,
			map[string]any{"user": "max", "organization": "acme", "role": "org:admin"},
			"max is now org:admin of acme; webhook delivered in 12 ms\n",
		},
		"remove-member": {
			[]string{"clerk", "remove-member", "--org", "acme", "--user", "max"},
			membershipJSON("max", "acme", "org:member", true), "DELETE", memberships,
			map[string]any{"user": "max", "organization": "acme"},
			"max removed from acme; webhook delivered in 12 ms\n",
		},
		"accept-invitation": {
			[]string{"clerk", "accept-invitation", "--org", "acme", "--user", "nora"},
			membershipJSON("nora", "acme", "org:admin", true), "POST", "/__clerk/control/v1/invitations/accept",
			map[string]any{"user": "nora", "organization": "acme"},
			"nora accepted the invitation to acme as org:admin; webhook delivered in 12 ms\n",
		},
		"ban": {
			[]string{"clerk", "ban", "--user", "max"},
			`{"user": "max", "banned": true, "locked": false, "delivered": true, "deliveryMs": 12}`, "PATCH", "/__clerk/control/v1/users",
			map[string]any{"user": "max", "banned": true},
			"max is banned; webhook delivered in 12 ms\n",
		},
		"unlock": {
			[]string{"clerk", "unlock", "--user", "max"},
			`{"user": "max", "banned": false, "locked": false, "delivered": false, "dropped": true}`, "PATCH", "/__clerk/control/v1/users",
			map[string]any{"user": "max", "locked": false},
			"max is not locked any more; the webhook was dropped by `tenantry clerk chaos` and never comes\n",
		},
		"remove-member, not delivered": {
			[]string{"clerk", "remove-member", "--org", "acme", "--user", "max"},
			membershipJSON("max", "acme", "org:member", false), "DELETE", memberships,
			map[string]any{"user": "max", "organization": "acme"},
			"max removed from acme; the webhook is not delivered yet, it is being retried\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, requests := project(t, http.StatusOK, test.answer)
			o := run(t, environment{"TENANTRY_DIR": dir}, test.args...)
			if o.code != 0 || o.stdout != test.stdout || o.stderr != "" || o.config != nil {
				t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
			}
			want := []asked{{test.method, test.path, "application/json", test.body}}
			if diff := cmp.Diff(want, *requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheControlAPIRefusesIsOneLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status       int
		answer, want string
	}{
		"long message":      {404, `{"errors":[{"code":"resource_not_found","message":"not found","long_message":"There is no user \"mx\" here.\nKnown: ada, max."}]}`, `There is no user "mx" here. Known: ada, max.`},
		"message":           {422, `{"errors":[{"code":"form_param_nil","message":"is missing"}]}`, "is missing"},
		"no local Clerk":    {404, "404 page not found\n", "the running server has no local Clerk"},
		"another program":   {200, "<!doctype html>", "the running server has no local Clerk"},
		"redirected":        {302, "", "the server answered 302 Found"},
		"failed":            {500, "", "the server answered 500 Internal Server Error"},
		"nothing in errors": {400, `{"errors":[]}`, "the server answered 400 Bad Request"},
		"no token":          {200, `{}`, "the server answered without a token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := project(t, test.status, test.answer)
			o := run(t, nil, "token", "--as", "mx", "--dir", dir)
			if o.code != 1 || o.stdout != "" || !strings.HasPrefix(o.stderr, "tenantry: "+test.want) || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
			}
		})
	}
}

func TestCommandsWithoutAServerSayHowToStartIt(t *testing.T) {
	t.Parallel()
	stopped := t.TempDir()
	state := filepath.Join(stopped, ".tenantry")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	if _, err := Announce(state, Running{URL: server.URL}); err != nil {
		t.Fatal(err)
	}
	server.Close()
	for _, test := range []struct{ dir, want string }{
		{t.TempDir(), "no server runs here"},
		{t.TempDir(), "with your own Clerk, use its dashboard"},
		{filepath.Join(t.TempDir(), "absent"), "no server runs here"},
		{stopped, "has stopped"},
		{state, "has stopped"},
	} {
		for _, args := range [][]string{{"token", "--as", "max"}, {"clerk", "remove-member", "--org", "acme", "--user", "max"}} {
			o := run(t, nil, append(args, "--dir", test.dir)...)
			if o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, test.want) || !strings.Contains(o.stderr, "`go run .`") {
				t.Errorf("%q in %s: exit %d, stdout %q, stderr %q", args, test.dir, o.code, o.stdout, o.stderr)
			}
		}
	}
}

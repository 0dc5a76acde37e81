package cli

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const chaosPath = "/__clerk/control/v1/chaos"

func TestChaosAsksTheControlAPI(t *testing.T) {
	t.Parallel()
	const on = `{"on":true,"drop":0.1,"dropped":0,"duplicated":0}`
	for name, test := range map[string]struct {
		args           []string
		answer, method string
		body           map[string]any
		stdout         string
	}{
		"everything": {
			[]string{"--drop", "10%", "--duplicate", "20%", "--reorder", "--delay", "5s"},
			on, "POST",
			map[string]any{"drop": 0.1, "duplicate": 0.2, "reorder": true, "delayMs": 5000.0},
			"webhooks go wrong from now on: 10% dropped, 20% sent again, in any order, up to 5s late; --off ends it\n",
		},
		"one thing, the others off": {
			[]string{"--drop=2.5%"},
			on, "POST",
			map[string]any{"drop": 0.025, "duplicate": 0.0, "reorder": false, "delayMs": 0.0},
			"webhooks go wrong from now on: 2.5% dropped; --off ends it\n",
		},
		"all of them": {
			[]string{"--duplicate=100%", "--drop", "0%"},
			on, "POST",
			map[string]any{"drop": 0.0, "duplicate": 1.0, "reorder": false, "delayMs": 0.0},
			"webhooks go wrong from now on: 100% sent again; --off ends it\n",
		},
		"delay": {
			[]string{"--delay", "1m30s"},
			on, "POST",
			map[string]any{"drop": 0.0, "duplicate": 0.0, "reorder": false, "delayMs": 90000.0},
			"webhooks go wrong from now on: up to 1m30s late; --off ends it\n",
		},
		"off": {
			[]string{"--off"},
			`{"on":false,"dropped":3,"duplicated":5}`, "DELETE", nil,
			"webhooks are delivered as they should be; since the server's start 3 were dropped and 5 sent again\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, requests := project(t, http.StatusOK, test.answer)
			o := run(t, environment{"TENANTRY_DIR": dir}, append([]string{"clerk", "chaos"}, test.args...)...)
			if o.code != 0 || o.stdout != test.stdout || o.stderr != "" || o.config != nil {
				t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
			}
			want := []asked{{test.method, chaosPath, "application/json", test.body}}
			if diff := cmp.Diff(want, *requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChaosThatMakesNoSenseIsNotAskedFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"", "say what is to go wrong"},
		{"--drop 0%", "say what is to go wrong"},
		{"--off --reorder", "--off goes with no other flag"},
		{"--off --drop 1%", "--off goes with no other flag"},
		{"--drop 0.1", "must be a percentage"},
		{"--drop 10", "must be a percentage"},
		{"--drop %", "must be a percentage"},
		{"--drop 101%", "must be a percentage"},
		{"--duplicate NaN%", "must be a percentage"},
		{"--duplicate=-1%", "must be a percentage"},
		{"--delay 5", "delay"},
		{"--delay=-5s", "--delay must be 1ms or more"},
		{"--delay 10us", "--delay must be 1ms or more"},
	} {
		dir, requests := project(t, http.StatusOK, `{"on":true}`)
		o := run(t, environment{"TENANTRY_DIR": dir}, append([]string{"clerk", "chaos"}, strings.Fields(test.args)...)...)
		if o.code != 2 || o.stdout != "" || !strings.Contains(o.stderr, test.want) || len(*requests) != 0 {
			t.Errorf("%q: exit %d, stdout %q, stderr %q, %d requests", test.args, o.code, o.stdout, o.stderr, len(*requests))
		}
	}
}

func TestChaosThatCannotBeHad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status       int
		answer, want string
	}{
		"refused":        {422, `{"errors":[{"long_message":"delayMs must be between 0 and an hour."}]}`, "delayMs must be between 0 and an hour."},
		"not in force":   {200, `{"on":false}`, "nothing is disturbed"},
		"no local Clerk": {404, "404 page not found", "no local Clerk"},
	} {
		dir, _ := project(t, test.status, test.answer)
		o := run(t, nil, "clerk", "chaos", "--delay", "2h", "--dir", dir)
		if o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", name, o.code, o.stdout, o.stderr)
		}
	}
	o := run(t, nil, "clerk", "chaos", "--off", "--dir", t.TempDir())
	if o.code != 1 || !strings.Contains(o.stderr, "no server runs here") {
		t.Errorf("exit %d, stderr %q", o.code, o.stderr)
	}
}

func TestADroppedWebhookIsSaidToBe(t *testing.T) {
	t.Parallel()
	dir, _ := project(t, http.StatusOK, `{"membership":{"user":"max","organization":"acme","role":"org:member"},"delivered":false,"dropped":true}`)
	o := run(t, nil, "clerk", "remove-member", "--org", "acme", "--user", "max", "--dir", dir)
	want := "max removed from acme; the webhook was dropped by `tenantry clerk chaos` and never comes\n"
	if o.code != 0 || o.stdout != want {
		t.Errorf("exit %d, stdout %q", o.code, o.stdout)
	}
}

package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/graph"
)

// Settings that are right by themselves.
const (
	secretTest  = "sk_test_AbCdEf0123456789"
	secretLive  = "sk_live_AbCdEf0123456789"
	webhookOne  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	webhookTwo  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	databaseOwn = "postgres://app:pa55word@db.example.com:5432/app"
	databaseDir = "postgres://owner:pa55word@direct.example.com:5432/app"
)

func publishable(kind, host string) string {
	return "pk_" + kind + "_" + base64.RawStdEncoding.EncodeToString([]byte(host+"$"))
}

// environment stands in for os.LookupEnv.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	value, set := e[name]
	return value, set
}

func (e environment) with(name, value string) environment {
	merged := environment{name: value}
	for n, v := range e {
		if n != name {
			merged[n] = v
		}
	}
	return merged
}

func (e environment) without(names ...string) environment {
	merged := environment{}
	for n, v := range e {
		merged[n] = v
	}
	for _, n := range names {
		delete(merged, n)
	}
	return merged
}

func development() environment {
	return environment{
		"CLERK_SECRET_KEY":      secretTest,
		"CLERK_PUBLISHABLE_KEY": publishable("test", "quiet-owl-7.clerk.accounts.dev"),
	}
}

func production() environment {
	return environment{
		"CLERK_SECRET_KEY":             secretLive,
		"CLERK_PUBLISHABLE_KEY":        publishable("live", "clerk.example.com"),
		"CLERK_WEBHOOK_SIGNING_SECRET": webhookOne,
		"CLERK_AUTHORIZED_PARTIES":     "https://app.example.com",
		"DATABASE_URL":                 databaseOwn,
	}
}

// outcome is what one run of the program did.
type outcome struct {
	code           int
	stdout, stderr string
	config         *Config // nil: it did not come to serving
}

const builtIn = "permissions:\n  org:notes:read: {name: Read notes}\nroles:\n  org:admin: {name: Admin, permissions: all}\n"

// run calls Main with a Serve that only notes its Config.
func run(t testing.TB, env environment, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	var o outcome
	o.code = Main(t.Context(), args, &stdout, &stderr, env.lookup, func(_ context.Context, c Config, _, _ io.Writer) error {
		o.config = &c
		return nil
	}, Roles{File: []byte(builtIn), Asked: func() []string { return []string{"org:sys_memberships:read", "org:notes:read", "org:notes:print"} }}, nil, graph.DescribedSchema)
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o
}

func TestTheProgramWithoutACommandServes(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"serve"}, {"--reset"}, {"serve", "--reset"}} {
		o := run(t, nil, args...)
		if o.code != 0 || o.config == nil {
			t.Errorf("%q: exit %d, stderr %q", args, o.code, o.stderr)
			continue
		}
		if want := len(args) > 0 && args[len(args)-1] == "--reset"; o.config.Reset != want {
			t.Errorf("%q: Reset = %v", args, o.config.Reset)
		}
	}
}

func TestAFailedServeIsExit1WithItsError(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := Main(t.Context(), nil, &stdout, &stderr, environment{}.lookup, func(context.Context, Config, io.Writer, io.Writer) error {
		return errors.New("the port is taken")
	}, Roles{}, nil, nil)
	if code != 1 || stderr.String() != "tenantry: the port is taken\n" || stdout.Len() != 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

func TestUsageErrorsAreExit2AndServeNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"srve"}, "srve"},
		{[]string{"--scop", "connection"}, `did you mean "--scope"`},
		{[]string{"token"}, "--as"},
		{[]string{"token", "max"}, "max"},
		{[]string{"clerk"}, "add-member"},
		{[]string{"clerk", "add-member", "--org", "acme"}, "--user"},
		{[]string{"clerk", "set-role", "--org", "acme", "--user", "max"}, "--role"},
		{[]string{"clerk", "remove-member", "--org", "acme", "--user", "max", "--role", "org:admin"}, "--role"},
		{[]string{"--scope", "session"}, "must be connection or transaction"},
	} {
		o := run(t, nil, test.args...)
		if o.code != 2 || o.config != nil || o.stdout != "" || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", test.args, o.code, o.stdout, o.stderr)
		}
	}
}

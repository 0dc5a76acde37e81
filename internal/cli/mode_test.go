package cli

import (
	"strings"
	"testing"
)

func TestClerkVariablesAloneChooseTheMode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  environment
		want Mode
	}{
		"nothing":               {nil, ModeLocal},
		"a database only":       {environment{"DATABASE_URL": databaseOwn}, ModeLocal},
		"an origin only":        {environment{"CLERK_AUTHORIZED_PARTIES": "http://localhost:3000"}, ModeLocal},
		"a hosting port only":   {environment{"PORT": "3000"}, ModeLocal},
		"test keys":             {development(), ModeDevelopment},
		"test keys, everything": {development().with("DATABASE_URL", databaseOwn).with("CLERK_WEBHOOK_SECRET", webhookOne), ModeDevelopment},
		"live keys":             {production(), ModeProduction},
	} {
		o := run(t, test.env)
		if o.config == nil || o.config.Mode != test.want {
			t.Errorf("%s: exit %d, stderr %q, config %v", name, o.code, o.stderr, o.config)
		}
	}
}

func TestWhatIsMissingIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	const (
		apiKeys  = "Clerk's dashboard, Configure → API keys"
		webhooks = "Clerk's dashboard, Configure → Webhooks → your endpoint → Signing Secret"
	)
	for name, test := range map[string]struct {
		env  environment
		want []string // one line each, and no other problem
	}{
		"development without a publishable key": {
			development().without("CLERK_PUBLISHABLE_KEY"),
			[]string{"CLERK_PUBLISHABLE_KEY is missing since CLERK_SECRET_KEY is set: found in " + apiKeys + " → Publishable key"},
		},
		"development without a secret key": {
			development().without("CLERK_SECRET_KEY"),
			[]string{"CLERK_SECRET_KEY is missing since CLERK_PUBLISHABLE_KEY is set: found in " + apiKeys + " → Secret keys"},
		},
		"a webhook secret without keys": {
			environment{"CLERK_WEBHOOK_SIGNING_SECRET": webhookOne},
			[]string{"CLERK_SECRET_KEY is missing since CLERK_WEBHOOK_SIGNING_SECRET is set", "CLERK_PUBLISHABLE_KEY is missing"},
		},
		"an issuer without keys": {
			environment{"CLERK_ISSUER": "https://clerk.example.com"},
			[]string{"CLERK_SECRET_KEY is missing since CLERK_ISSUER is set", "CLERK_PUBLISHABLE_KEY is missing"},
		},
		"live without a webhook secret": {
			production().without("CLERK_WEBHOOK_SIGNING_SECRET"),
			[]string{"CLERK_WEBHOOK_SIGNING_SECRET is missing with live keys: found in " + webhooks},
		},
		"live without a database": {
			production().without("DATABASE_URL"),
			[]string{"DATABASE_URL is missing with live keys: found in your PostgreSQL provider's console"},
		},
		"live with the secret key alone": {
			environment{"CLERK_SECRET_KEY": secretLive},
			[]string{
				"CLERK_PUBLISHABLE_KEY is missing since CLERK_SECRET_KEY is set: found in " + apiKeys,
				"CLERK_WEBHOOK_SIGNING_SECRET is missing with live keys: found in " + webhooks,
				"DATABASE_URL is missing with live keys",
			},
		},
		"live with the publishable key alone, behind a pooler": {
			production().without("CLERK_SECRET_KEY", "CLERK_WEBHOOK_SIGNING_SECRET").with("TENANTRY_SCOPE", "transaction"),
			[]string{
				"CLERK_SECRET_KEY is missing since CLERK_PUBLISHABLE_KEY is set: found in " + apiKeys,
				"CLERK_WEBHOOK_SIGNING_SECRET is missing with live keys: found in " + webhooks,
				"DATABASE_MIGRATE_URL is missing since TENANTRY_SCOPE is transaction",
			},
		},
		"a pooler without the direct login": {
			environment{"DATABASE_URL": databaseOwn, "TENANTRY_SCOPE": "transaction"},
			[]string{"DATABASE_MIGRATE_URL is missing since TENANTRY_SCOPE is transaction"},
		},
		"a migration login alone": {
			environment{"DATABASE_MIGRATE_URL": databaseDir},
			[]string{"DATABASE_URL is missing since DATABASE_MIGRATE_URL is set"},
		},
		"keys of two kinds": {
			production().with("CLERK_SECRET_KEY", secretTest),
			[]string{"CLERK_PUBLISHABLE_KEY is a live key and CLERK_SECRET_KEY a test key: both must be of the same instance"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectProblems(t, run(t, test.env), test.want...)
		})
	}
}

// expectProblems wants exactly these problems, each beginning as given, in any order.
func expectProblems(t *testing.T, o outcome, want ...string) {
	t.Helper()
	if o.code != 2 || o.config != nil || o.stdout != "" {
		t.Errorf("exit %d, stdout %q, config %v", o.code, o.stdout, o.config)
	}
	lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(o.stderr, "tenantry: "), "\n"), "\n")
	if len(want) > 1 {
		lines = lines[1:] // the heading
	}
	if len(lines) != len(want) {
		t.Errorf("got %d problems, want %d:\n%s", len(lines), len(want), o.stderr)
	}
	for _, text := range want {
		found := false
		for _, line := range lines {
			found = found || strings.HasPrefix(strings.TrimSpace(line), text)
		}
		if !found {
			t.Errorf("no problem begins with %q in:\n%s", text, o.stderr)
		}
	}
}

func TestSetButEmptyIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET", "CLERK_JWT_KEY", "CLERK_AUTHORIZED_PARTIES", "CLERK_ISSUER",
		"CLERK_API_URL", "CLERK_ALLOW_MISSING_AZP", "CLERK_SECRET_KEY", "CLERK_PUBLISHABLE_KEY", "DATABASE_URL",
		"DATABASE_MIGRATE_URL", "TENANTRY_ADDR", "TENANTRY_DIR", "TENANTRY_SCOPE", "TENANTRY_INTROSPECTION",
		"TENANTRY_LOG_LEVEL", "TENANTRY_LOG_FORMAT",
	} {
		for _, blank := range []string{"", " \n"} {
			expectProblems(t, run(t, production().with(name, blank)), name+" is set but empty: give it a value or unset it")
		}
	}
	// Without keys an empty one must not mean the local Clerk.
	if o := run(t, environment{"CLERK_SECRET_KEY": "", "CLERK_PUBLISHABLE_KEY": ""}); o.code != 2 || o.config != nil {
		t.Errorf("exit %d, config %v", o.code, o.config)
	}
	// A command has variables too.
	expectProblems(t, run(t, environment{"TENANTRY_DIR": ""}, "token", "--as", "max"), "TENANTRY_DIR is set but empty")
}

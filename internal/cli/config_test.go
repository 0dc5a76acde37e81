package cli

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigOfEachMode(t *testing.T) {
	t.Parallel()
	testKey, liveKey := publishable("test", "quiet-owl-7.clerk.accounts.dev"), publishable("live", "clerk.example.com")
	for name, test := range map[string]struct {
		env  environment
		want Config
	}{
		"local": {nil, Config{
			Mode: ModeLocal, Addr: "127.0.0.1:8080", MetricsAddr: "127.0.0.1:9464", MetricsIfFree: true, Dir: ".tenantry", Scope: ScopeConnection, Introspection: true, LogFormat: LogJSON,
		}},
		"local with a database of one's own": {environment{"DATABASE_URL": databaseOwn}, Config{
			Mode: ModeLocal, Addr: "127.0.0.1:8080", MetricsAddr: "127.0.0.1:9464", MetricsIfFree: true, Dir: ".tenantry", Scope: ScopeConnection, Introspection: true, LogFormat: LogJSON,
			DatabaseURL: databaseOwn,
		}},
		"development": {development().with("CLERK_AUTHORIZED_PARTIES", "http://localhost:3000").with("CLERK_WEBHOOK_SECRET", webhookOne), Config{
			Mode: ModeDevelopment, Addr: "127.0.0.1:8080", MetricsAddr: "127.0.0.1:9464", MetricsIfFree: true, Dir: ".tenantry", Scope: ScopeConnection, Introspection: true, LogFormat: LogJSON,
			SecretKey: secretTest, PublishableKey: testKey,
			Issuer:  "https://quiet-owl-7.clerk.accounts.dev",
			JWKSURL: "https://quiet-owl-7.clerk.accounts.dev/.well-known/jwks.json",
			APIURL:  "https://api.clerk.com/v1", AuthorizedParties: []string{"http://localhost:3000"}, WebhookSecrets: []string{webhookOne},
		}},
		"production": {production(), Config{
			Mode: ModeProduction, Addr: ":8080", MetricsAddr: "127.0.0.1:9464", MetricsIfFree: true, Dir: ".tenantry", Scope: ScopeConnection, LogFormat: LogJSON,
			SecretKey: secretLive, PublishableKey: liveKey, DatabaseURL: databaseOwn,
			Issuer: "https://clerk.example.com", JWKSURL: "https://clerk.example.com/.well-known/jwks.json",
			APIURL: "https://api.clerk.com/v1", AuthorizedParties: []string{"https://app.example.com"}, WebhookSecrets: []string{webhookOne},
		}},
	} {
		o := run(t, test.env)
		if o.config == nil {
			t.Errorf("%s: exit %d, stderr %q", name, o.code, o.stderr)
			continue
		}
		if diff := cmp.Diff(fields(test.want), fields(*o.config)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// fields hides Config's methods, which cmp would use to print it, and with which it shows no secret.
func fields(c Config) any {
	type bare Config
	return bare(c)
}

func TestSettingsThatAreTaken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  environment
		args []string
		ok   func(Config) bool
	}{
		"the hosting platform's port":     {production().with("PORT", "3000"), nil, func(c Config) bool { return c.Addr == ":3000" }},
		"an address before that port":     {production().with("PORT", "3000").with("TENANTRY_ADDR", "10.0.0.7:80"), nil, func(c Config) bool { return c.Addr == "10.0.0.7:80" }},
		"PORT counts with live keys only": {development().with("PORT", "3000"), nil, func(c Config) bool { return c.Addr == "127.0.0.1:8080" }},
		"metrics elsewhere":               {environment{"TENANTRY_METRICS_ADDR": ":9999"}, nil, func(c Config) bool { return c.MetricsAddr == ":9999" && !c.MetricsIfFree }},
		"a larger answer":                 {environment{"TENANTRY_MAX_ANSWER": "16777216"}, nil, func(c Config) bool { return c.MaxAnswer == 16<<20 }},
		"fewer requests at once":          {environment{"TENANTRY_MAX_IN_FLIGHT": "9"}, []string{"--max-in-flight=7"}, func(c Config) bool { return c.MaxInFlight == 7 }},
		"no metrics":                      {environment{"TENANTRY_METRICS_ADDR": "off"}, nil, func(c Config) bool { return c.MetricsAddr == "" && !c.MetricsIfFree }},
		"port 0":                          {environment{"TENANTRY_ADDR": "127.0.0.1:0"}, nil, func(c Config) bool { return c.Addr == "127.0.0.1:0" }},
		"no host is loopback when local":  {environment{"TENANTRY_ADDR": ":9000"}, nil, func(c Config) bool { return c.Addr == "127.0.0.1:9000" }},
		"no host is every one otherwise":  {development().with("TENANTRY_ADDR", ":9000"), nil, func(c Config) bool { return c.Addr == ":9000" }},
		"IPv6 loopback":                   {environment{"TENANTRY_ADDR": "[::1]:9000"}, nil, func(c Config) bool { return c.Addr == "[::1]:9000" }},
		"a flag before its variable":      {environment{"TENANTRY_ADDR": ":9000"}, []string{"--addr", "localhost:9001"}, func(c Config) bool { return c.Addr == "localhost:9001" }},
		"another folder":                  {nil, []string{"--dir", "elsewhere"}, func(c Config) bool { return c.Dir == filepath.Join("elsewhere", ".tenantry") }},
		"the state folder itself":         {environment{"TENANTRY_DIR": "elsewhere/.tenantry"}, nil, func(c Config) bool { return c.Dir == "elsewhere/.tenantry" }},
		"introspection on with live keys": {production().with("TENANTRY_INTROSPECTION", "true"), nil, func(c Config) bool { return c.Introspection }},
		"introspection off":               {nil, []string{"--no-introspection"}, func(c Config) bool { return !c.Introspection }},
		"missing azp":                     {production().with("CLERK_ALLOW_MISSING_AZP", "1"), nil, func(c Config) bool { return c.AllowMissingAZP }},
		"missing azp refused":             {production().with("CLERK_ALLOW_MISSING_AZP", "no"), nil, func(c Config) bool { return !c.AllowMissingAZP }},
		"log level and format":            {environment{"TENANTRY_LOG_LEVEL": "Warn", "TENANTRY_LOG_FORMAT": "text"}, nil, func(c Config) bool { return c.LogLevel == slog.LevelWarn && c.LogFormat == LogText }},
		"nothing on disk with live keys":  {production(), nil, func(c Config) bool { return !c.KeepsLocalState() }},
		"nothing on disk with both given": {development().with("DATABASE_URL", databaseOwn), nil, func(c Config) bool { return !c.KeepsLocalState() }},
		"a private PostgreSQL on disk":    {development(), nil, Config.KeepsLocalState},
		"a local Clerk on disk":           {environment{"DATABASE_URL": databaseOwn}, nil, Config.KeepsLocalState},
		"a pooler with the direct login":  {production().with("TENANTRY_SCOPE", "transaction").with("DATABASE_MIGRATE_URL", databaseDir), nil, func(c Config) bool { return c.Scope == ScopeTransaction && c.DatabaseMigrateURL == databaseDir }},
		"transaction scope when private":  {environment{"TENANTRY_SCOPE": "transaction"}, nil, func(c Config) bool { return c.Scope == ScopeTransaction && c.DatabaseURL == "" }},
		"a pool of another size":          {environment{"TENANTRY_POOL_SIZE": "40"}, nil, func(c Config) bool { return c.PoolSize == 40 }},
		"a socket as the host":            {environment{"DATABASE_URL": "postgresql:///app?host=/run/postgresql"}, nil, func(c Config) bool { return c.DatabaseURL != "" }},
		"an issuer of one's own": {development().with("CLERK_ISSUER", "https://app.example.com/__clerk/"), nil, func(c Config) bool {
			return c.Issuer == "https://app.example.com/__clerk" && c.JWKSURL == c.Issuer+"/.well-known/jwks.json"
		}},
		"an issuer on this machine":     {development().with("CLERK_ISSUER", "http://127.0.0.1:4000"), nil, func(c Config) bool { return c.Issuer == "http://127.0.0.1:4000" }},
		"another API URL":               {development().with("CLERK_API_URL", "http://localhost:4000/v1/"), nil, func(c Config) bool { return c.APIURL == "http://localhost:4000/v1" }},
		"a padded publishable key":      {development().with("CLERK_PUBLISHABLE_KEY", "pk_test_YS5iLmMk="), nil, func(c Config) bool { return c.Issuer == "https://a.b.c" }},
		"space around a key":            {development().with("CLERK_SECRET_KEY", secretTest+"\n"), nil, func(c Config) bool { return c.SecretKey == secretTest }},
		"two webhook secrets":           {production().with("CLERK_WEBHOOK_SIGNING_SECRET", webhookOne+", "+webhookTwo), nil, func(c Config) bool { return cmp.Equal(c.WebhookSecrets, []string{webhookOne, webhookTwo}) }},
		"webhook secrets of both names": {production().with("CLERK_WEBHOOK_SECRET", webhookTwo+","+webhookOne), nil, func(c Config) bool { return cmp.Equal(c.WebhookSecrets, []string{webhookOne, webhookTwo}) }},
		"the other name with live keys": {production().without("CLERK_WEBHOOK_SIGNING_SECRET").with("CLERK_WEBHOOK_SECRET", webhookTwo), nil, func(c Config) bool { return cmp.Equal(c.WebhookSecrets, []string{webhookTwo}) }},
		"several origins": {development().with("CLERK_AUTHORIZED_PARTIES", "https://App.example.com, http://localhost:3000"), nil, func(c Config) bool {
			return cmp.Equal(c.AuthorizedParties, []string{"https://app.example.com", "http://localhost:3000"})
		}},
		"warnings end when they are heard": {production(), nil, func(c Config) bool { return len(c.Warnings) == 0 }},
	} {
		o := run(t, test.env, test.args...)
		if o.config == nil || !test.ok(*o.config) {
			t.Errorf("%s: exit %d, stderr %q, config %v", name, o.code, o.stderr, o.config)
		}
	}
}

func TestWarningsNameTheRemedy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  environment
		want []string
	}{
		"local":                       {nil, nil},
		"development":                 {development(), []string{"CLERK_AUTHORIZED_PARTIES", "CLERK_WEBHOOK_SIGNING_SECRET"}},
		"production without parties":  {production().without("CLERK_AUTHORIZED_PARTIES"), []string{"CLERK_AUTHORIZED_PARTIES"}},
		"production with parties set": {production(), nil},
	} {
		o := run(t, test.env)
		if o.config == nil || len(o.config.Warnings) != len(test.want) {
			t.Errorf("%s: exit %d, stderr %q, config %+v", name, o.code, o.stderr, o.config)
			continue
		}
		for i, variable := range test.want {
			if w := o.config.Warnings[i]; !strings.HasPrefix(w, variable+" is not set") || !strings.Contains(w, ": set it to ") {
				t.Errorf("%s: warning %q", name, w)
			}
		}
	}
}

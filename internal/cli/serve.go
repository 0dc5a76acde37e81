package cli

import "context"

// serveCommand holds the flags of `tenantry serve`. Secrets are not among them: see secrets.
type serveCommand struct {
	Addr  string `help:"Where to listen. Port 0 takes a free one; with the local Clerk it must be loopback." variable:"TENANTRY_ADDR" placeholder:"HOST:PORT" unset:"127.0.0.1:8080; with live keys :8080, or :$PORT"`
	Dir   string `help:"The folder whose .tenantry/ holds the local state." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
	Reset bool   `help:"Empty the local state before starting. It has no variable, so that it cannot stay on." unset:"false"`
	Scope string `help:"How a query gets its organization: connection, or transaction behind a pooler in transaction mode." variable:"TENANTRY_SCOPE" placeholder:"SCOPE" unset:"connection"`

	PoolSize string `help:"How many connections to PostgreSQL requests may use together. The server opens up to 13 more." variable:"TENANTRY_POOL_SIZE" placeholder:"N" unset:"pool_max_conns in DATABASE_URL, else 16, or 4 for each core up to 64"`

	clerkFlags
	ClerkJWTKey            string `help:"Public key (PEM) that tokens are checked with, so that no JWKS is fetched." variable:"CLERK_JWT_KEY" placeholder:"PEM" unset:"the issuer's JWKS"`
	ClerkAuthorizedParties string `help:"Origins of your frontends, comma-separated: whose tokens are taken and who may call from a browser." variable:"CLERK_AUTHORIZED_PARTIES" placeholder:"ORIGINS" unset:"tokens for any origin, with a warning"`
	ClerkAllowMissingAZP   bool   `name:"clerk-allow-missing-azp" help:"Take tokens that name no origin too, as native apps have them." variable:"CLERK_ALLOW_MISSING_AZP" unset:"false"`

	Introspection *bool  `negatable:"" help:"Answer introspection queries." variable:"TENANTRY_INTROSPECTION" unset:"true; with live keys false"`
	MaxAnswer     string `help:"The largest answer to a GraphQL request; a larger one is refused with RESPONSE_TOO_LARGE." variable:"TENANTRY_MAX_ANSWER" placeholder:"BYTES" unset:"8388608 (8 MiB)"`
	MaxInFlight   string `help:"How many GraphQL requests run at once; others are refused with OVERLOADED." variable:"TENANTRY_MAX_IN_FLIGHT" placeholder:"NUMBER" unset:"4 for each CPU and each connection of the requests' pool"`
	MetricsAddr   string `help:"Where /metrics listens, for Prometheus, apart from everything else; off for nowhere." variable:"TENANTRY_METRICS_ADDR" placeholder:"HOST:PORT" unset:"127.0.0.1:9464 where it is free"`
	LogLevel      string `help:"debug, info, warn or error." variable:"TENANTRY_LOG_LEVEL" placeholder:"LEVEL" unset:"info"`
	LogFormat     string `help:"text or json." variable:"TENANTRY_LOG_FORMAT" placeholder:"FORMAT" unset:"text on a terminal, else json"`
}

// clerkFlags say which Clerk instance is meant, together with CLERK_SECRET_KEY.
type clerkFlags struct {
	ClerkPublishableKey string `help:"The publishable key of your Clerk instance; it goes with CLERK_SECRET_KEY." variable:"CLERK_PUBLISHABLE_KEY" placeholder:"PK" unset:"none, the local Clerk"`
	ClerkIssuer         string `help:"Who must have issued the session tokens." variable:"CLERK_ISSUER" placeholder:"URL" unset:"https:// and the host in the publishable key"`
	ClerkAPIURL         string `name:"clerk-api-url" help:"Clerk's Backend API." variable:"CLERK_API_URL" placeholder:"URL" unset:"https://api.clerk.com/v1"`
}

// secret is a variable without a flag.
type secret struct {
	variable, help, unset string
}

// secrets are the variables that hold or may hold a password or a key.
var secrets = []secret{
	{varSecretKey, "The secret key of your Clerk instance; it goes with CLERK_PUBLISHABLE_KEY.", "none, the local Clerk"},
	{varWebhookSecret, "Signing secrets of your Clerk webhook endpoint, comma-separated while rotating; also read: " + varWebhookSecretToo + ".", "none, no webhooks; required with live keys"},
	{varDatabaseURL, "Your PostgreSQL: postgres://user:password@host:5432/database.", "a private PostgreSQL; required with live keys"},
	{varDatabaseMigrateURL, "A direct login: it runs the migrations, if it owns the tables, and holds the locks.", "DATABASE_URL; required with TENANTRY_SCOPE=transaction"},
}

// Run reads the settings and serves.
func (s *serveCommand) Run(ctx context.Context, c *console) error {
	config, err := s.config(c.variables, isTerminal(c.stderr))
	if err != nil {
		return err
	}
	return c.serve(ctx, config, c.stdout, c.stderr)
}

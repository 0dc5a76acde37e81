package cli

import (
	"fmt"
	"log/slog"
	"strings"
)

// Scopes: how a query gets its organization, see package store.
const (
	ScopeConnection  = "connection"
	ScopeTransaction = "transaction"
)

// Log formats.
const (
	LogText = "text"
	LogJSON = "json"
)

// Config is what the server runs with: resolved from flags, variables and defaults, and checked. Printing or logging
// it shows no secret.
type Config struct {
	Mode Mode
	Addr string // host:port; port 0 means a free one
	// MetricsAddr is where /metrics listens, "" for nowhere. With MetricsIfFree it is the default, and left out where
	// another program listens there.
	MetricsAddr   string
	MetricsIfFree bool
	Dir           string // the .tenantry folder itself
	Reset         bool   // empty Dir first

	DatabaseURL        string `json:"-"` // "": the private PostgreSQL
	DatabaseMigrateURL string `json:"-"` // "": DatabaseURL migrates
	Scope              string // ScopeConnection or ScopeTransaction
	PoolSize           int32  // connections for requests; 0: the store's default

	// Of your Clerk; all empty in ModeLocal, where the local Clerk brings its own.
	Issuer         string
	JWKSURL        string // "" when JWTKey is there
	JWTKey         string // PEM
	SecretKey      string `json:"-"`
	PublishableKey string
	WebhookSecrets []string `json:"-"` // empty only in ModeLocal and ModeDevelopment
	APIURL         string

	AuthorizedParties []string // origins, as browsers write them; empty: any
	AllowMissingAZP   bool

	Introspection bool
	MaxAnswer     int64 // bytes; 0 means the default
	MaxInFlight   int   // 0 means the default
	LogLevel      slog.Level
	LogFormat     string // LogText or LogJSON

	Warnings []string // what works and should not stay so, each with its remedy
}

// KeepsLocalState reports whether the server writes to Dir: if the local Clerk or the private PostgreSQL
// runs with it. With Clerk keys and DATABASE_URL it writes nothing to disk.
func (c Config) KeepsLocalState() bool { return c.Mode == ModeLocal || c.DatabaseURL == "" }

// LogValue is the configuration without its secrets: of those it says only whether they are there.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("mode", string(c.Mode)),
		slog.String("addr", c.Addr), slog.String("metrics_addr", c.MetricsAddr),
		slog.String("dir", c.Dir),
		slog.Bool("own_database", c.DatabaseURL != ""),
		slog.Bool("own_migration_login", c.DatabaseMigrateURL != ""),
		slog.String("scope", c.Scope), slog.Int("pool_size", int(c.PoolSize)),
		slog.String("issuer", c.Issuer),
		slog.Bool("jwt_key", c.JWTKey != ""),
		slog.Int("webhook_secrets", len(c.WebhookSecrets)),
		slog.String("api_url", c.APIURL),
		slog.String("authorized_parties", strings.Join(c.AuthorizedParties, ",")),
		slog.Bool("allow_missing_azp", c.AllowMissingAZP),
		slog.Bool("introspection", c.Introspection),
		slog.Int64("max_answer", c.MaxAnswer), slog.Int("max_in_flight", c.MaxInFlight),
	)
}

// String is LogValue as text.
func (c Config) String() string { return fmt.Sprint(c.LogValue()) }

// GoString keeps %#v from showing the fields.
func (c Config) GoString() string { return c.String() }

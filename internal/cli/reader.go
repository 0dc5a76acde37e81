package cli

import (
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strconv"
)

// Names of the variables that errors speak of.
const (
	varAddr               = "TENANTRY_ADDR"
	varMetricsAddr        = "TENANTRY_METRICS_ADDR"
	varScope              = "TENANTRY_SCOPE"
	varMaxAnswer          = "TENANTRY_MAX_ANSWER"
	varMaxInFlight        = "TENANTRY_MAX_IN_FLIGHT"
	varPoolSize           = "TENANTRY_POOL_SIZE"
	varLogLevel           = "TENANTRY_LOG_LEVEL"
	varLogFormat          = "TENANTRY_LOG_FORMAT"
	varPort               = "PORT"
	varDatabaseURL        = "DATABASE_URL"
	varDatabaseMigrateURL = "DATABASE_MIGRATE_URL"
	varSecretKey          = "CLERK_SECRET_KEY"
	varPublishableKey     = "CLERK_PUBLISHABLE_KEY"
	varWebhookSecret      = "CLERK_WEBHOOK_SIGNING_SECRET"
	varWebhookSecretToo   = "CLERK_WEBHOOK_SECRET"
	varIssuer             = "CLERK_ISSUER"
	varJWTKey             = "CLERK_JWT_KEY"
	varAuthorizedParties  = "CLERK_AUTHORIZED_PARTIES"
	varAPIURL             = "CLERK_API_URL"
)

// leastMaxAnswer is a page of 25 documents without their contents, many times over.
const leastMaxAnswer = 64 << 10

const defaultAPIURL = "https://api.clerk.com/v1"

// reader makes a Config from the flags and the secret variables, collecting everything that is wrong.
type reader struct {
	flags    *serveCommand
	problems *problems
	port     string

	secretKey, publishableKey       clerkKey
	webhookSecret, webhookSecretToo string
	databaseURL, databaseMigrateURL string
}

// newReader takes the secrets from their variables, and reads the keys, which decide about the rest.
func newReader(flags *serveCommand, v *variables) *reader {
	port, _ := v.lookup(varPort)
	r := &reader{
		flags: flags, problems: &v.problems, port: port,
		webhookSecret: v.get(varWebhookSecret), webhookSecretToo: v.get(varWebhookSecretToo),
		databaseURL: v.get(varDatabaseURL), databaseMigrateURL: v.get(varDatabaseMigrateURL),
	}
	r.secretKey = r.readSecretKey(v.get(varSecretKey))
	r.publishableKey = r.readPublishableKey(flags.ClerkPublishableKey)
	return r
}

// config resolves and checks the settings. terminal says whether logs go to one. Returns a *SettingsError that names
// everything missing or wrong.
func (s *serveCommand) config(v *variables, terminal bool) (Config, error) {
	r := newReader(s, v)
	c := Config{Mode: r.chooseMode(), Dir: stateDir(s.Dir), Reset: s.Reset}
	if c.Mode == ModeProduction {
		r.requireAll()
	}
	c.Addr = r.readAddr(c.Mode)
	c.MetricsAddr, c.MetricsIfFree = r.readMetricsAddr()
	r.readDatabase(&c)
	if c.Reset && !c.KeepsLocalState() {
		r.problems.add("--reset", "is for local state, and with Clerk keys and "+varDatabaseURL+" there is none")
	}
	if c.Mode != ModeLocal {
		r.readClerk(&c)
	}
	c.AuthorizedParties = r.readAuthorizedParties()
	c.AllowMissingAZP = s.ClerkAllowMissingAZP
	c.Introspection = c.Mode != ModeProduction
	if s.Introspection != nil {
		c.Introspection = *s.Introspection
	}
	c.MaxAnswer = r.readNumber(varMaxAnswer, s.MaxAnswer, leastMaxAnswer)
	c.MaxInFlight = int(r.readNumber(varMaxInFlight, s.MaxInFlight, 1))
	c.LogLevel = r.readLogLevel()
	c.LogFormat = r.readLogFormat(terminal)
	c.Warnings = warnings(c)
	if err := r.problems.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// stateDir is the folder of the local state for --dir, which may also name that folder itself.
func stateDir(dir string) string {
	const name = ".tenantry"
	if filepath.Base(dir) == name {
		return dir
	}
	return filepath.Join(dir, name)
}

// readNumber reads a whole number that must not be less than least. It returns 0 if none is given.
func (r *reader) readNumber(variable, value string, least int64) int64 {
	if value == "" {
		return 0
	}
	number, err := strconv.ParseInt(value, 10, 32)
	if err != nil || number < least {
		r.problems.add(variable, fmt.Sprintf("must be a whole number from %d to %d", least, math.MaxInt32))
	}
	return number
}

func (r *reader) readLogLevel() slog.Level {
	var level slog.Level
	if r.flags.LogLevel != "" && level.UnmarshalText([]byte(r.flags.LogLevel)) != nil {
		r.problems.add(varLogLevel, "must be debug, info, warn or error")
	}
	return level
}

func (r *reader) readLogFormat(terminal bool) string {
	switch r.flags.LogFormat {
	case LogText, LogJSON:
		return r.flags.LogFormat
	case "":
		if terminal {
			return LogText
		}
		return LogJSON
	}
	r.problems.add(varLogFormat, "must be text or json")
	return ""
}

// warnings names what works and should not stay so.
func warnings(c Config) []string {
	var list []string
	if c.Mode != ModeLocal && len(c.AuthorizedParties) == 0 {
		list = append(list, varAuthorizedParties+" is not set, so tokens made for any origin of your Clerk instance are "+
			"taken: set it to the origins of your frontends, such as https://app.example.com")
	}
	if c.Mode == ModeDevelopment && len(c.WebhookSecrets) == 0 {
		list = append(list, varWebhookSecret+" is not set, so /webhooks/clerk is off and a changed member is seen only "+
			"in the next token: set it to the Signing Secret from "+placeWebhookSecret)
	}
	return list
}

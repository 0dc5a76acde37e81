package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// mirrorCommand is `tenantry mirror`: what an operator does with the copy of Clerk.
type mirrorCommand struct {
	Status   statusCommand   `cmd:"" help:"Show how the copy is: its inbox, its rows, its last comparison with Clerk."`
	Backfill backfillCommand `cmd:"" help:"Fill the copy from Clerk's Backend API, and end what Clerk no longer has."`
	Verify   verifyCommand   `cmd:"" help:"Compare the copy with Clerk and change nothing; exit code 1 where they differ."`
	Repair   repairCommand   `cmd:"" help:"As backfill, and mend what requests read of members."`
	Events   eventsCommand   `cmd:"" help:"Look into the inbox of webhook events, and try dead letters again."`
}

// databaseFlags say which database a command works on: DATABASE_URL's, or the private one of the server in a folder.
type databaseFlags struct {
	Dir   string `help:"The folder that the server runs in; without DATABASE_URL its private PostgreSQL is meant." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
	Scope string `help:"As the server's: connection, or transaction behind a pooler in transaction mode." variable:"TENANTRY_SCOPE" placeholder:"SCOPE" unset:"connection"`
}

// few connections are enough for one command.
const fewConnections = 2

// open opens the database. Returns a *SettingsError where a variable is wrong, and an error that says what to do where no
// database is named and no server runs.
func (f databaseFlags) open(ctx context.Context, c *console) (*store.Store, error) {
	config, err := f.config(c)
	if err != nil {
		return nil, err
	}
	return openDatabase(ctx, config, fewConnections, c.welcome)
}

// config reads which database is meant.
func (f databaseFlags) config(c *console) (Config, error) {
	problems := &c.variables.problems
	r := &reader{
		flags: &serveCommand{Scope: f.Scope}, problems: problems,
		databaseURL: c.variables.get(varDatabaseURL), databaseMigrateURL: c.variables.get(varDatabaseMigrateURL),
	}
	config := Config{Dir: stateDir(f.Dir)}
	r.readDatabase(&config)
	return config, problems.err()
}

// openDatabase opens the database of checked settings, or the private one of the server that runs in their folder.
func openDatabase(ctx context.Context, config Config, connections int32, welcome store.Welcome) (opened *store.Store, err error) {
	err = withDatabase(config, connections, welcome, func(config store.Config) error {
		opened, err = store.Open(ctx, config)
		return err
	})
	return opened, err
}

// examineDatabase looks at the same database without judging it.
func examineDatabase(ctx context.Context, config Config) (found store.Examination, err error) {
	err = withDatabase(config, fewConnections, nil, func(config store.Config) error {
		found, err = store.Examine(ctx, config)
		return err
	})
	return found, err
}

// withDatabase hands on how the database is reached.
func withDatabase(config Config, connections int32, welcome store.Welcome, fn func(config store.Config) error) error {
	private := config.DatabaseURL == ""
	if private {
		var err error
		if config.DatabaseURL, err = privateDatabase(config.Dir); err != nil {
			return err
		}
	}
	err := fn(store.Config{
		URL: config.DatabaseURL, MigrateURL: config.DatabaseMigrateURL, Scope: store.Scope(config.Scope),
		MaxConnections: connections, Welcome: welcome, Logger: slog.New(slog.DiscardHandler),
	})
	if private && errors.Is(err, models.ErrUnavailable) {
		return fmt.Errorf("the server that ran in %s has stopped, and its private PostgreSQL with it: start it again with `go run .`, "+
			"or set %s", config.Dir, varDatabaseURL)
	}
	return err
}

// privateDatabase is the address of the private PostgreSQL of the server that runs in a folder.
func privateDatabase(dir string) (string, error) {
	running, err := ReadRunning(dir)
	if err != nil {
		return "", fmt.Errorf("%w; for a PostgreSQL of yours set %s", err, varDatabaseURL)
	}
	if running.Database == "" {
		return "", fmt.Errorf("the server in %s uses a PostgreSQL of yours: set %s as it is set there", dir, varDatabaseURL)
	}
	if !isSocket(running.Database) {
		return "", fmt.Errorf("the note in %s does not name a PostgreSQL on this machine", dir)
	}
	return running.Database, nil
}

// isSocket tells whether a database's address is one socket on this machine, and nothing else.
func isSocket(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" || u.Host != "" {
		return false
	}
	host := u.Query().Get("host")
	return strings.HasPrefix(host, "/") && !strings.Contains(host, ",")
}

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tenantry/tenantry/store"
)

// migrateCommand is `tenantry migrate`.
type migrateCommand struct {
	databaseFlags
	ClerkPublishableKey string `help:"Also note that the database belongs to the Clerk instance of this key, as the first start of a server does." variable:"CLERK_PUBLISHABLE_KEY" placeholder:"PK" unset:"the first server notes it"`
	ClerkIssuer         string `help:"The same by the issuer of its session tokens." variable:"CLERK_ISSUER" placeholder:"URL" unset:"https:// and the host in the publishable key"`
	JSON                bool   `name:"json" help:"Write a JSON object, for programs." unset:"false, text"`
}

// migrated is what the command did.
type migrated struct {
	Version int64              `json:"version"`
	Applied []appliedMigration `json:"applied"`
	Issuer  string             `json:"clerkIssuer,omitempty"`
}

type appliedMigration struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	MS      int64  `json:"ms"`
}

// Run migrates and writes what was applied, also where a later migration fails.
func (m *migrateCommand) Run(ctx context.Context, c *console) error {
	config, err := m.config(c.variables)
	if err != nil {
		return err
	}
	err = withDatabase(config, fewConnections, nil, func(reached store.Config) error {
		url := cmp.Or(reached.MigrateURL, reached.URL)
		schema, err := store.Migrate(ctx, url)
		done := migrated{Version: schema.Version, Applied: []appliedMigration{}}
		for _, a := range schema.Applied {
			done.Applied = append(done.Applied, appliedMigration{a.Version, a.Name, a.Took.Milliseconds()})
		}
		if err == nil && config.Issuer != "" {
			if _, err = store.Claim(ctx, url, config.Issuer); err == nil {
				done.Issuer = config.Issuer
			}
		}
		if err != nil && len(done.Applied) == 0 {
			return err
		}
		if m.JSON {
			return errors.Join(writeJSON(c.stdout, done), err)
		}
		return errors.Join(done.write(c.stdout, err == nil), err)
	})
	if errors.Is(err, errNoServer) {
		return fmt.Errorf("%w. A private PostgreSQL is migrated whenever its server starts", err)
	}
	return err
}

// write lists the migrations, and if all went well where the schema is and whose.
func (d migrated) write(w io.Writer, finished bool) error {
	for _, a := range d.Applied {
		if _, err := fmt.Fprintf(w, "applied %s in %d ms\n", a.Name, a.MS); err != nil {
			return err
		}
	}
	if !finished {
		return nil
	}
	format := "the schema is at version %d\n"
	if len(d.Applied) == 0 {
		format = "nothing to do: the schema is at version %d\n"
	}
	if _, err := fmt.Fprintf(w, format, d.Version); err != nil || d.Issuer == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "the database belongs to the Clerk instance %s\n", d.Issuer)
	return err
}

// config reads which database is meant: one login is enough. Returns a *SettingsError.
func (m *migrateCommand) config(v *variables) (Config, error) {
	flags := &serveCommand{Scope: m.Scope, clerkFlags: clerkFlags{ClerkIssuer: m.ClerkIssuer}}
	r := &reader{flags: flags, problems: &v.problems, databaseURL: v.get(varDatabaseURL), databaseMigrateURL: v.get(varDatabaseMigrateURL)}
	r.publishableKey = r.readPublishableKey(m.ClerkPublishableKey)
	c := Config{Dir: stateDir(m.Dir), Issuer: r.readIssuer()}
	r.readDatabaseURLs(&c)
	r.readScope(&c)
	c.DatabaseURL = cmp.Or(c.DatabaseURL, c.DatabaseMigrateURL)
	return c, v.problems.err()
}

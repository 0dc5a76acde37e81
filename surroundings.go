package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/internal/local/postgres"
	"github.com/tenantry/tenantry/store"
)

// surroundings are what a server needs from outside: a database and a Clerk, its own where none was given.
type surroundings struct {
	databaseURL string
	postgres    *postgres.Server
	clerk       *clerk.Clerk
	// olderClerk says that the local Clerk was there before this start.
	olderClerk bool
}

// openSurroundings starts what was not given. It fills in the issuer of the local Clerk, which decides about the database.
// If everything was given it touches no file, so that the server can run from a read-only folder.
func openSurroundings(ctx context.Context, config *cli.Config, logger *slog.Logger, closing *closers) (*surroundings, error) {
	s := &surroundings{databaseURL: config.DatabaseURL}
	if !config.KeepsLocalState() {
		return s, nil
	}
	unlock, err := lockFolder(config.Dir)
	if err != nil {
		return nil, err
	}
	closing.add("folder", unlock)
	if config.Reset {
		if err := errors.Join(postgres.Reset(config.Dir), emptyFolder(config.Dir)); err != nil {
			return nil, err
		}
	}
	if s.databaseURL == "" {
		server, err := postgres.Start(ctx, postgres.Config{Dir: config.Dir, Logger: logger, Progress: os.Stderr})
		if err != nil {
			return nil, err
		}
		s.postgres = server
		closing.add("PostgreSQL", func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
			defer cancel()
			return server.Stop(ctx)
		})
	}
	if config.Mode == cli.ModeLocal {
		_, statErr := os.Stat(filepath.Join(config.Dir, "clerk"))
		s.olderClerk = statErr == nil
		rights, err := localRights()
		if err != nil {
			return nil, err
		}
		local, err := clerk.Open(clerk.Config{Dir: config.Dir, Rights: rights, Logger: logger})
		if err != nil {
			return nil, err
		}
		s.clerk = local
		config.Issuer = local.Issuer()
	}
	if s.postgres != nil {
		name := databaseName(config)
		made, err := s.postgres.EnsureDatabase(ctx, name)
		if err != nil {
			return nil, err
		}
		if made && config.Mode != cli.ModeLocal {
			logger.Info("started an empty database for this Clerk instance", "issuer", config.Issuer, "database", name)
		}
		s.databaseURL = s.postgres.URL(name)
	}
	return s, nil
}

// databaseName is the private PostgreSQL's database for one Clerk instance, so that no instance ever sees another's
// organizations. Short: the names of the database roles begin with it.
func databaseName(config *cli.Config) string {
	if config.Mode == cli.ModeLocal {
		return "tenantry_local"
	}
	sum := sha256.Sum256([]byte(config.Issuer))
	return "tenantry_" + hex.EncodeToString(sum[:6])
}

// privateDatabase is the address of the private PostgreSQL, which has no password in it; "" where another one is used.
func (s *surroundings) privateDatabase() string {
	if s.postgres == nil {
		return ""
	}
	return s.databaseURL
}

// localClerk is what the commands are told of the local Clerk; nil where another one is used.
func (s *surroundings) localClerk() *cli.LocalClerk {
	if s.clerk == nil {
		return nil
	}
	return &cli.LocalClerk{Issuer: s.clerk.Issuer(), InstanceID: s.clerk.InstanceID(), SecretKey: s.clerk.SecretKey()}
}

func (s *surroundings) databaseGone() <-chan struct{} {
	if s.postgres == nil {
		return nil
	}
	return s.postgres.Done()
}

// settle waits until the mirror has what the local Clerk told it, and gives the seeded organizations some documents. An
// older local Clerk told another database what there was before; a fresh one has to hear it, too.
func (s *surroundings) settle(ctx context.Context, db *store.Store, fresh bool) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if fresh && s.olderClerk {
		if err := s.clerk.Announce(); err != nil {
			return err
		}
	}
	if err := s.clerk.Settled(ctx); err != nil {
		return errors.Join(errors.New("the local Clerk could not deliver its events to this server"), err)
	}
	return seedDocuments(ctx, db)
}

// greet says, in a few lines, where everything is and what to try first.
func (s *surroundings) greet(out io.Writer, config cli.Config, url string) {
	data := "your PostgreSQL (DATABASE_URL)"
	if s.postgres != nil {
		data = s.postgres.DataDir() + " (a private PostgreSQL; kept until --reset)"
	}
	fmt.Fprintf(out, "\nTenantry serves GraphQL at %s/graphql\n", url)
	if s.clerk == nil {
		fmt.Fprintf(out, "  Clerk   %s\n  data    %s\n\n", config.Issuer, data)
		return
	}
	if s.postgres == nil {
		data += ", and the local Clerk in " + config.Dir + " (kept until --reset)"
	}
	fmt.Fprintf(out, `  page    %s/
  people  ada   org:admin of acme, org:member of globex
          max   org:member of acme
          gus   org:admin of globex
          nora  no organization
  data    %s
  try     curl -s %s/graphql -H 'Content-Type: application/json' \
            -H "Authorization: Bearer $(go run . token --as ada --org acme%s)" \
            -d '{"query":"{ viewer { user { name } organization { name } membership { role } } }"}'

`, url, data, url, dirFlag(config.Dir))
}

// dirFlag is what a command needs to find the server from the current folder.
func dirFlag(dir string) string {
	here, err := filepath.Abs(".tenantry")
	if there, absErr := filepath.Abs(dir); err == nil && absErr == nil && there != here {
		return " --dir " + filepath.Dir(there)
	}
	return ""
}

// Tenantry is the multi-tenant GraphQL backend for apps that use Clerk Organizations.
//
// Without a command it serves: a private PostgreSQL, a local Clerk and everything else on this machine, or your Clerk and
// your PostgreSQL where their variables are set. See --help.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/store"
)

//go:generate go tool gqlgen generate
//go:generate go run ./internal/schemadocs docs

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, os.LookupEnv, run, rolesForCommands(), welcome, graph.DescribedSchema)
	stop()
	os.Exit(code)
}

// run serves until ctx ends, and leaves nothing behind. It is what an end-to-end test starts on port 0.
func run(ctx context.Context, config cli.Config, stdout, stderr io.Writer) error {
	began := time.Now()
	logger, tell := newLogger(config, stderr)
	milestones := newMilestones(config, logger)
	milestones.reached("starting")
	for _, warning := range config.Warnings {
		logger.Warn(warning)
	}
	followMemoryLimit(logger, memlimit.FromCgroup)
	var closing closers
	defer func() {
		stopping := time.Now()
		closing.close(logger)
		milestones.reached("stopped", took(stopping))
	}()

	surroundings, err := openSurroundings(ctx, &config, logger, &closing)
	if err != nil {
		return err
	}
	database, err := openDatabase(ctx, config, surroundings.databaseURL, logger)
	if err != nil {
		return err
	}
	db := database.Store
	closing.add("database", func() error { db.Close(); return nil })

	listener, err := listen(config.Addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	if surroundings.clerk != nil {
		config.Issuer, config.JWKSURL = surroundings.clerk.Issuer(), url+"/__clerk/.well-known/jwks.json"
		config.WebhookSecrets = []string{surroundings.clerk.WebhookSecret()}
	}
	verifier, err := auth.NewVerifier(auth.Config{
		Issuer: config.Issuer, JWKSURL: config.JWKSURL, PEM: config.JWTKey,
		AuthorizedParties: config.AuthorizedParties, AllowMissingAuthorizedParty: config.AllowMissingAZP,
		Keeper: db.Keys(config.Issuer), Logger: logger,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	metrics := newMetrics()
	copied := mirror.New(db, mirrorConfig(config, surroundings, url, verifier, metrics, logger))

	manager := mirror.NewManager(copied, mirror.ManagerConfig{
		Backend: backendConfig(config, surroundings, url, logger), Unlimited: surroundings.clerk != nil,
	})

	server, err := newServer(config, parts{store: db, verifier: verifier, mirror: copied, manager: manager, clerk: surroundings.clerk, logger: logger})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	tasks := startTasks(ctx)
	closing.add("background work", tasks.stop)
	metricsAddr, err := serveMetrics(config, metrics, copied, logger, tasks)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	tasks.run(func(ctx context.Context) error { verifier.Run(ctx); return nil })
	tasks.run(copied.Run)
	tasks.run(func(context.Context) error { return server.serve(listener) })
	closing.add("server", func() error {
		milestones.reached("draining", slog.Int64("at_most_ms", (server.notice+server.grace).Milliseconds()))
		return server.drain()
	})
	if surroundings.clerk != nil {
		tasks.run(func(ctx context.Context) error { return surroundings.clerk.Run(ctx, url+webhookPath) })
		if err := surroundings.settle(ctx, db, database.fresh); err != nil {
			return err
		}
	}
	if config.KeepsLocalState() {
		withdraw, err := cli.Announce(config.Dir, cli.Running{
			URL: url, Metrics: metricsAddr, Database: surroundings.privateDatabase(), Clerk: surroundings.localClerk(),
		})
		if err != nil {
			return err
		}
		closing.add("announcement", withdraw)
	}
	milestones.reached("ready", slog.String("address", listener.Addr().String()), slog.String("metrics_address", metricsAddr),
		slog.Int64("schema_version", database.version), took(began))
	surroundings.greet(stdout, config, url)
	tell()

	select {
	case <-ctx.Done():
		return nil
	case err := <-tasks.failed:
		return err
	case <-surroundings.databaseGone():
		return errors.New("the private PostgreSQL stopped; its log is in " + config.Dir)
	}
}

// openedDatabase is a database that is up to date.
type openedDatabase struct {
	*store.Store
	version int64 // of its schema
	fresh   bool  // it held no Clerk instance before
}

// openDatabase brings the database up to date and opens it.
func openDatabase(ctx context.Context, config cli.Config, databaseURL string, logger *slog.Logger) (openedDatabase, error) {
	migrateURL := cmp.Or(config.DatabaseMigrateURL, databaseURL)
	schema, err := store.Migrate(ctx, migrateURL)
	for _, m := range schema.Applied {
		logger.Info("migrated", "migration", m.Name, "duration_ms", m.Took.Milliseconds())
	}
	if err != nil {
		return openedDatabase{}, err
	}
	fresh, err := store.Claim(ctx, migrateURL, config.Issuer)
	if err != nil {
		return openedDatabase{}, err
	}
	db, err := store.Open(ctx, store.Config{
		URL: databaseURL, MigrateURL: migrateURL, Scope: store.Scope(config.Scope), MaxConnections: config.PoolSize,
		MaxRead: 2 * config.MaxAnswer, Logger: logger, Welcome: welcome,
	})
	if err != nil {
		return openedDatabase{}, err
	}
	for _, found := range db.Examination().Warnings() {
		logger.Warn("not as isolation needs it, see `tenantry doctor`", "check", found.Name, "found", len(found.Violations), "wanted", found.Holds)
	}
	return openedDatabase{Store: db, version: schema.Version, fresh: fresh}, nil
}

// listen opens the address; its error says what to do where another program has it.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another program: stop it, or choose another address with --addr or TENANTRY_ADDR (port 0 takes a free one)", addr)
	}
	return listener, err
}

// closers are run in the reverse order of their adding, each whatever became of the ones before.
type closers []struct {
	name  string
	close func() error
}

func (c *closers) add(name string, fn func() error) {
	*c = append(*c, struct {
		name  string
		close func() error
	}{name, fn})
}

func (c *closers) close(logger *slog.Logger) {
	for i := len(*c) - 1; i >= 0; i-- {
		started := time.Now()
		if err := (*c)[i].close(); err != nil {
			logger.Error("stopping", "what", (*c)[i].name, "error", err)
		}
		logger.Debug("closed", "what", (*c)[i].name, "took", time.Since(started))
	}
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tenantry/tenantry/internal/mirror"
)

// compareFlags say which copy is compared with which Clerk: those of serve's variables, or of the server in a folder.
type compareFlags struct {
	databaseFlags
	clerkFlags
	JSON bool `name:"json" help:"Write one JSON object at the end, for programs." unset:"false, a table"`
}

// massFlags are for what may end rows.
type massFlags struct {
	AllowMassDeletion bool `help:"End rows even where more than 10 and more than 1 % of a kind are gone from Clerk." unset:"false, they are left alone"`
}

type backfillCommand struct {
	compareFlags
	massFlags
}

// Run fills the copy.
func (b *backfillCommand) Run(ctx context.Context, c *console) error {
	return b.compare(ctx, c, comparison{name: "backfill", changes: true, options: mirror.SweepOptions{AllowMassDeletion: b.AllowMassDeletion}})
}

type verifyCommand struct {
	compareFlags
}

// Run compares and changes nothing.
func (v *verifyCommand) Run(ctx context.Context, c *console) error {
	return v.compare(ctx, c, comparison{name: "verify"})
}

type repairCommand struct {
	compareFlags
	massFlags
}

// Run makes the copy and what requests read of members as Clerk is.
func (r *repairCommand) Run(ctx context.Context, c *console) error {
	return r.compare(ctx, c, comparison{
		name: "repair", changes: true,
		options: mirror.SweepOptions{AllowMassDeletion: r.AllowMassDeletion, Projection: true},
	})
}

// comparison is which of the three commands it is.
type comparison struct {
	name    string
	changes bool
	options mirror.SweepOptions
}

// compareConnections lets as many rows be written at the same time as the mirror writes.
const compareConnections = 4

// compare runs a comparison and writes what it found. Returns a *SettingsError, an error for what could not be compared, and
// one for what is not as it should be in the end.
func (f compareFlags) compare(ctx context.Context, c *console, what comparison) error {
	config, err := f.config(c.variables)
	if err != nil {
		return err
	}
	clerk, err := findClerk(config)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, config, compareConnections, c.welcome)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.CheckIssuer(clerk.issuer); err != nil {
		return err
	}
	instanceID, err := clerk.identify(ctx)
	if err != nil {
		return what.explain(ctx, clerk, err)
	}
	shown := newProgress(c.stderr, f.JSON)
	logger := slog.New(slog.NewTextHandler(shown, &slog.HandlerOptions{Level: slog.LevelWarn}))
	clerk.api.Logger = logger
	copied := mirror.New(db, mirror.Config{
		InstanceID: func() string { return instanceID }, Backend: mirror.NewBackend(clerk.api), Logger: logger,
		ConfirmAfter: clerk.confirmAfter, MinAge: clerk.minAge,
	})
	what.options.Progress, what.options.Waiting = shown.progress, shown.waiting
	run := copied.Verify
	if what.changes {
		run = copied.Sweep
	}
	shown.say("comparing the copy with %s", clerk.issuer)
	report, err := run(ctx, what.options)
	shown.end()
	if err != nil {
		return what.explain(ctx, clerk, err)
	}
	if f.JSON {
		err = writeReportJSON(c.stdout, report)
	} else {
		err = writeReport(c.stdout, report, what.changes)
	}
	if err != nil {
		return err
	}
	return what.verdict(report)
}

// explain says what to do about a comparison that did not come to its end.
func (what comparison) explain(ctx context.Context, clerk compared, err error) error {
	goesOn := "nothing was changed"
	if what.changes {
		goesOn = "what was done stays, and started again within the hour it goes on where it was"
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("stopped; %s", goesOn)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("the connection to the database was lost on the way; %s", goesOn)
	case errors.Is(err, mirror.ErrSweepElsewhere):
		return errors.New("another process compares this copy with Clerk just now, a running server or another command: " +
			"`tenantry mirror status` says how far it is; try again when it is done")
	case errors.Is(err, mirror.ErrOtherInstance):
		return fmt.Errorf("%s is the key of another Clerk instance than %s: take both keys from the same place, %s",
			varSecretKey, clerk.issuer, placeSecretKey)
	case errors.Is(err, mirror.ErrUnauthorized):
		return fmt.Errorf("%s does not take the secret key: see %s", clerk.api.URL, placeSecretKey)
	case errors.Is(err, mirror.ErrBackendUnavailable):
		return fmt.Errorf("%w; %s", err, goesOn)
	}
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tenantry/tenantry/internal/mirror"
)

// doctorCommand is `tenantry doctor`.
type doctorCommand struct {
	databaseFlags
	Clerk bool `help:"Check what Tenantry assumes about Clerk against the configured instance. It is read only." unset:"false, the database"`
	Write bool `help:"With --clerk: also make, change and remove a few objects named tenantry-doctor-…; with test keys only." unset:"false"`
	JSON  bool `name:"json" help:"Write a JSON object, for programs." unset:"false, a table"`

	clerkFlags
}

// Validate is kong's hook.
func (d *doctorCommand) Validate() error {
	if !d.Clerk && d.Write {
		return errors.New("--write goes with --clerk")
	}
	return nil
}

// Run checks the database, or Clerk.
func (d *doctorCommand) Run(ctx context.Context, c *console) error {
	if d.Clerk {
		return d.checkClerk(ctx, c)
	}
	return d.checkDatabase(ctx, c)
}

// checkDatabase makes the checks that the server makes before it serves, and shows all of them. Returns an error where
// something dangerous was found.
func (d *doctorCommand) checkDatabase(ctx context.Context, c *console) error {
	config, err := d.config(c)
	if err != nil {
		return err
	}
	found, err := examineDatabase(ctx, config)
	if err != nil {
		return err
	}
	if d.JSON {
		err = writeExaminationJSON(c.stdout, found)
	} else {
		err = writeExamination(c.stdout, found)
	}
	if err != nil {
		return err
	}
	if found.Dangerous() {
		return errDangerousDatabase
	}
	return nil
}

var errDangerousDatabase = errors.New("the database is not safe to serve from, see above")

var errDangerous = errors.New("something dangerous does not hold, see above")

// checkClerk has the instance examined and shows what was found. Returns an error where something dangerous does not hold.
func (d *doctorCommand) checkClerk(ctx context.Context, c *console) error {
	config, err := d.clerkConfig(c)
	if err != nil {
		return err
	}
	probe, err := mirror.NewProbe(mirror.BackendConfig{
		URL: config.APIURL, SecretKey: config.SecretKey, Logger: slog.New(slog.DiscardHandler),
	}, d.Write)
	if err != nil {
		return err
	}
	examined := mirror.DoctorConfig{
		Probe: probe, Issuer: config.Issuer, Permissions: c.roles.Asked(),
		Progress: func(text string) { fmt.Fprintf(c.stderr, "%s …\n", text) },
	}
	if config.APIURL != defaultAPIURL {
		fmt.Fprintf(c.stderr, "note: %s is not Clerk's own address; what is found there proves nothing about Clerk unless it leads to it\n", varAPIURL)
	}
	db, err := d.open(ctx, c)
	if err != nil {
		var wrong *SettingsError
		if errors.As(err, &wrong) {
			return err
		}
		fmt.Fprintf(c.stderr, "note: without a database there are no events to look at: %v\n", err)
		examined.NoInbox = "no database could be opened"
	} else {
		defer db.Close()
		examined.Store = db
	}
	diagnosis, err := mirror.NewDoctor(examined).Examine(ctx)
	for _, left := range diagnosis.LeftBehind {
		fmt.Fprintf(c.stderr, "left behind in the Clerk instance, remove it in its dashboard: %s\n", printable(left))
	}
	if err != nil {
		return err
	}
	if err := d.show(c, diagnosis); err != nil {
		return err
	}
	if diagnosis.Dangerous() {
		return errDangerous
	}
	return nil
}

func (d *doctorCommand) show(c *console, diagnosis mirror.Diagnosis) error {
	if d.JSON {
		return writeJSON(c.stdout, diagnosis)
	}
	return writeFindings(c.stdout, diagnosis.Findings)
}

// clerkConfig reads which instance is meant, as serve does. Without keys it says what to set.
func (d *doctorCommand) clerkConfig(c *console) (Config, error) {
	problems := &c.variables.problems
	r := &reader{flags: &serveCommand{clerkFlags: d.clerkFlags}, problems: problems}
	r.secretKey = r.readSecretKey(c.variables.get(varSecretKey))
	r.publishableKey = r.readPublishableKey(d.ClerkPublishableKey)
	mode := r.chooseMode()
	if mode == ModeLocal {
		r.missing(varSecretKey, "since there is no Clerk instance to look at without it", placeSecretKey)
		r.missing(varPublishableKey, "since there is no Clerk instance to look at without it", placePublishableKey)
	}
	if d.Write && mode == ModeProduction {
		problems.add("--write", "is for development instances (sk_test_): live keys are never written with")
	}
	var config Config
	r.readClerk(&config)
	return config, problems.err()
}

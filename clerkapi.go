package main

import (
	"log/slog"
	"time"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/mirror"
)

const (
	sweepEvery = time.Hour
	// sweepOften is for an instance whose webhooks nobody hears.
	sweepOften = 15 * time.Second
)

// mirrorConfig says how the copy is kept: by events, and by reading from the Backend API of the Clerk in use. url is this
// server's own, behind which the local Clerk answers.
func mirrorConfig(config cli.Config, s *surroundings, url string, verifier *auth.Verifier, metrics *metrics, logger *slog.Logger) mirror.Config {
	api := mirror.BackendConfig{URL: config.APIURL, SecretKey: config.SecretKey, Logger: logger}
	c := mirror.Config{
		InstanceID: verifier.InstanceID, Logger: logger, Observe: metrics.observe,
		SweepEvery: sweepEvery, SweepAtStart: true,
		ConfirmAfter: mirror.DefaultConfirmAfter, MinAge: mirror.DefaultMinAge,
	}
	if config.Mode == cli.ModeDevelopment && len(config.WebhookSecrets) == 0 {
		c.SweepEvery = sweepOften
	}
	if s.clerk != nil {
		// It has told everything by the time that requests are served, and reads what it has just written.
		api.URL, api.SecretKey = url+cli.LocalBackendPath, s.clerk.SecretKey()
		c.SweepAtStart, c.ConfirmAfter, c.MinAge = false, 0, 0
	}
	c.Backend = mirror.NewBackend(api)
	return c
}

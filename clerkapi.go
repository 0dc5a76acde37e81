package main

import (
	"log/slog"
	"time"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/mirror"
)

const (
	sweepEvery = time.Hour
	// sweepOften is for an instance whose webhooks nobody hears.
	sweepOften = 15 * time.Second
)

// mirrorConfig says how the copy is kept: by events, and by reading from the Backend API of the Clerk in use. url is this
// server's own, behind which the local Clerk answers.
func mirrorConfig(config cli.Config, s *surroundings, url string, verifier *auth.Verifier, metrics *metrics, logger *slog.Logger) mirror.Config {
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
		c.SweepAtStart, c.ConfirmAfter, c.MinAge = false, 0, 0
	}
	c.Backend = mirror.NewBackend(backendConfig(config, s, url, logger))
	return c
}

// backendConfig is how the Backend API of the Clerk in use is reached.
func backendConfig(config cli.Config, s *surroundings, url string, logger *slog.Logger) mirror.BackendConfig {
	api := mirror.BackendConfig{URL: config.APIURL, SecretKey: config.SecretKey, Logger: logger}
	if s.clerk != nil {
		api.URL, api.SecretKey = url+cli.LocalBackendPath, s.clerk.SecretKey()
	}
	return api
}

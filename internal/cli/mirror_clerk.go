package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/mirror"
)

// LocalBackendPath is where a server with the local Clerk has its Backend API.
const LocalBackendPath = "/__clerk/backend/v1"

// compared is the Clerk instance that the copy is compared with.
type compared struct {
	issuer string
	// jwksURL is where the instance's keys are, and says which it is; the local Clerk's id is known already.
	jwksURL, instanceID  string
	api                  mirror.BackendConfig
	confirmAfter, minAge time.Duration
}

// config reads the settings of the Clerk instance and of its database, with the checks of serve. Returns a *SettingsError.
func (f compareFlags) config(v *variables) (Config, error) {
	r := newReader(&serveCommand{Scope: f.Scope, clerkFlags: f.clerkFlags, ClerkJWTKey: v.get(varJWTKey)}, v)
	c := Config{Mode: r.chooseMode(), Dir: stateDir(f.Dir)}
	if c.Mode == ModeProduction {
		r.requireDatabase()
	}
	r.readDatabase(&c)
	if c.Mode != ModeLocal {
		r.readClerk(&c)
	}
	return c, v.problems.err()
}

// findClerk is the instance of the keys, or without keys the local Clerk of the server that runs in the folder.
func findClerk(c Config) (compared, error) {
	if c.Mode != ModeLocal {
		return compared{
			issuer: c.Issuer,
			// Also with a PEM, which does not say whose it is.
			jwksURL:      c.Issuer + jwksPath,
			api:          mirror.BackendConfig{URL: c.APIURL, SecretKey: c.SecretKey},
			confirmAfter: mirror.DefaultConfirmAfter, minAge: mirror.DefaultMinAge,
		}, nil
	}
	running, err := ReadRunning(c.Dir)
	if err != nil {
		return compared{}, fmt.Errorf("%w; for a Clerk of yours set %s and %s", err, varSecretKey, varPublishableKey)
	}
	local := running.Clerk
	if local == nil {
		return compared{}, fmt.Errorf("the server in %s works with a Clerk of yours: set %s and %s as they are set there",
			c.Dir, varSecretKey, varPublishableKey)
	}
	return compared{
		issuer: local.Issuer, instanceID: local.InstanceID,
		api: mirror.BackendConfig{URL: running.URL + LocalBackendPath, SecretKey: local.SecretKey},
	}, nil
}

// identify returns the id of the instance that tokens are of.
func (k compared) identify(ctx context.Context) (string, error) {
	if k.instanceID != "" {
		return k.instanceID, nil
	}
	id, err := auth.FetchInstanceID(ctx, auth.Config{Issuer: k.issuer, JWKSURL: k.jwksURL})
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, auth.ErrKeysUnavailable):
		return "", fmt.Errorf("the keys of %s could not be fetched from %s, so it is not known which Clerk instance it is: "+
			"try again, or correct %s or %s", k.issuer, k.jwksURL, varPublishableKey, varIssuer)
	}
	return id, err
}

// Package clerk stands in for Clerk on a laptop: it keeps people,
// organizations, roles and memberships in one folder, signs session tokens in
// the shape of real ones, answers the Backend API's reads and the writes that
// organizations, members and roles need, and sends Svix-signed webhooks, on
// purpose not always as it should; it is independent of the server's other
// rooms and meets them over HTTP only.
package clerk

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	svix "github.com/svix/svix-webhooks/go"
)

// frontendHost is the host of the local Frontend API. It is never resolved: it
// only makes the issuer and the publishable key independent of the port, so
// that a database stamped with the issuer stays valid when the port changes.
const frontendHost = "clerk.tenantry.localhost"

// Config says where the local Clerk keeps its state.
type Config struct {
	// Dir is the folder of all local state, usually .tenantry; the local
	// Clerk writes to its subfolder "clerk". It must not be empty.
	Dir string
	// Rights are the instance's roles and custom permissions. Where they changed
	// since the folder's state was written, Open follows them. Without roles:
	// those that Clerk gives to a new instance.
	Rights Rights
	// Logger is told about deliveries, never about tokens, secrets or
	// bodies. nil: silence.
	Logger *slog.Logger
	// Now is the clock of tokens, objects and signatures. nil: time.Now.
	Now func() time.Time
	// RateLimit is how many requests the Backend API answers in 10 seconds.
	// 0: 100, as Clerk does for a development instance. Negative: no limit, of
	// invitations and of changes of one object neither.
	RateLimit int
}

// Clerk is one local instance. Its methods are safe for concurrent use. One
// process at a time may have a folder open.
type Clerk struct {
	dir    string
	log    *slog.Logger
	now    func() time.Time
	keys   jose.JSONWebKeySet
	signer jose.Signer
	hook   *svix.Webhook

	mu      sync.Mutex            // serialises update
	current atomic.Pointer[state] // never changed once published
	changed broadcast             // told after every publication

	reading   atomic.Pointer[catalog] // of current, or of an older state
	rateLimit int                     // configured
	limiter   limiter                 // of the Backend API
	writes    narrowLimits            // of some of its writes

	chaos      atomic.Pointer[chaos] // nil: none
	dropped    atomic.Int64
	duplicated atomic.Int64
	random     *rand.Rand // of what delivers; for nothing that must not be guessed

	running  atomic.Bool // Run delivers
	attempts firstAttempts
	backoff  []time.Duration
	patience time.Duration // how long a change waits for its first attempt
}

// Open loads the local Clerk from its folder. Where there is none it makes a
// key, an instance id, a secret key and a webhook secret, seeds people,
// organizations and roles, and queues the events that tell of them.
//
// It returns an error that names the file and --reset when the folder holds
// something unreadable, and one that says why where it cannot have the roles
// that it is given; it never replaces what is there. It deletes temporary users
// and their organizations.
func Open(config Config) (*Clerk, error) {
	if config.Dir == "" {
		return nil, errors.New("local Clerk: no folder given")
	}
	c := &Clerk{
		dir:      filepath.Join(config.Dir, "clerk"),
		log:      config.Logger,
		now:      config.Now,
		backoff:  backoff,
		patience: firstAttemptWait,

		random:    rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		rateLimit: cmp.Or(config.RateLimit, developmentLimit),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.limiter.allow(c.rateLimit)
	if len(config.Rights.Roles) == 0 {
		config.Rights = newInstance
	}
	if err := config.Rights.check(); err != nil {
		return nil, fmt.Errorf("local Clerk: it cannot have these roles: %w", err)
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("local Clerk: %w", err)
	}

	loaded, err := loadState(c.statePath())
	fresh := errors.Is(err, os.ErrNotExist)
	if err != nil && !fresh {
		return nil, unusable(c.statePath(), err)
	}
	key, err := loadKey(c.keyPath())
	switch {
	case errors.Is(err, os.ErrNotExist) && fresh:
		key, err = makeKey(c.keyPath())
		if err != nil {
			return nil, fmt.Errorf("local Clerk: %w", err)
		}
	case err != nil:
		return nil, unusable(c.keyPath(), err)
	}
	if fresh {
		// The key is written first, so a start that was cut between the two
		// files leaves a key that nobody has seen yet.
		if loaded, err = seed(config.Rights, c.now()); err != nil {
			return nil, fmt.Errorf("local Clerk: %w", err)
		}
		if err := saveState(c.statePath(), loaded); err != nil {
			return nil, fmt.Errorf("local Clerk: %w", err)
		}
	}
	c.current.Store(loaded)
	if err := c.follow(config.Rights); err != nil {
		return nil, fmt.Errorf("local Clerk: it cannot have these roles: %w", err)
	}
	if err := c.deleteTemporary(); err != nil {
		return nil, fmt.Errorf("local Clerk: delete what a stopped program left: %w", err)
	}

	if c.hook, err = svix.NewWebhook(loaded.WebhookSecret); err != nil {
		return nil, unusable(c.statePath(), err)
	}
	c.keys = keySet(key, loaded.InstanceID)
	if c.signer, err = newSigner(key, loaded.InstanceID); err != nil {
		return nil, fmt.Errorf("local Clerk: %w", err)
	}
	return c, nil
}

// follow writes nothing where the state follows these rights already.
func (c *Clerk) follow(rights Rights) error {
	if c.current.Load().Rights == rights.digest() {
		return nil
	}
	return c.update(func(s *state) error { return s.follow(rights, c.now(), c.log) })
}

func (c *Clerk) statePath() string { return filepath.Join(c.dir, "state.json") }
func (c *Clerk) keyPath() string   { return filepath.Join(c.dir, "key.pem") }

// unusable names the file and the way out.
func unusable(path string, err error) error {
	return fmt.Errorf("local Clerk: %s cannot be used: %w; start once with --reset to throw the local data away and begin anew", path, err)
}

// Issuer is the iss of every token. It does not depend on the port.
func (c *Clerk) Issuer() string { return "https://" + frontendHost }

// PublishableKey is a pk_test_ key that decodes to the issuer's host.
func (c *Clerk) PublishableKey() string {
	return "pk_test_" + base64.RawStdEncoding.EncodeToString([]byte(frontendHost+"$"))
}

// SecretKey is the sk_test_ key that the Backend API asks for.
func (c *Clerk) SecretKey() string { return c.current.Load().SecretKey }

// WebhookSecret is the whsec_ secret that deliveries are signed with.
func (c *Clerk) WebhookSecret() string { return c.current.Load().WebhookSecret }

// InstanceID is the ins_ id of this instance: the kid of its key and the
// instance_id of its events.
func (c *Clerk) InstanceID() string { return c.current.Load().InstanceID }

// Announce queues a created event for everything there is now, for a server
// whose database is new while this instance is not. A server that knows it all
// is not harmed.
func (c *Clerk) Announce() error {
	return c.update(func(s *state) error { return s.announce(c.now()) })
}

// Handler serves everything below /__clerk/, to loopback Hosts only: the
// JWKS, the Backend API and the control API.
func (c *Clerk) Handler() http.Handler {
	mux := http.NewServeMux()
	c.routeBackend(mux)
	c.routeControl(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, &apiError{
			status: http.StatusNotFound, code: "resource_not_found",
			message: "not found", long: "The local Clerk does not serve this method and path.",
		})
	})
	return loopbackOnly(mux)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/rs/cors"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/internal/local/page"
	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/internal/transport"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
	"github.com/tenantry/tenantry/webhooks"
)

const webhookPath = "/webhooks/clerk"

// parts are what the routes are wired to. clerk is nil unless it is the local one.
type parts struct {
	store    *store.Store
	verifier *auth.Verifier
	mirror   *mirror.Mirror
	manager  *mirror.Manager
	clerk    *clerk.Clerk
	logger   *slog.Logger
}

// server is the HTTP server with its way to stop.
type server struct {
	http     *http.Server
	draining atomic.Bool
	// notice is how long /readyz says no before the listener closes, for load balancers to look elsewhere; grace is how
	// long what is in flight may take after that.
	notice, grace time.Duration
}

func newServer(config cli.Config, parts parts) (*server, error) {
	s := &server{grace: 3 * time.Second}
	if config.Mode == cli.ModeProduction {
		s.notice, s.grace = 3*time.Second, 20*time.Second
	}
	api, err := graphql(config, parts)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", allowOrigins(config, api))
	if len(config.WebhookSecrets) > 0 {
		handler, err := webhooks.New(parts.mirror, webhooks.Config{
			Secrets: config.WebhookSecrets, Draining: s.draining.Load, Logger: parts.logger,
		})
		if err != nil {
			return nil, err
		}
		mux.Handle(webhookPath, handler)
	}
	mux.HandleFunc("GET /livez", live)
	mux.Handle("GET /readyz", readiness{parts: parts, draining: s.draining.Load})
	if parts.clerk != nil {
		mux.Handle("/__clerk/", parts.clerk.Handler())
		mux.Handle("/{$}", clerk.LoopbackOnly(page.Handler()))
		mux.Handle("/page/", clerk.LoopbackOnly(page.Handler()))
	}
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(parts.logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

func (s *server) serve(listener net.Listener) error {
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// drain says that the server is not ready, takes nothing new, lets what is in flight finish, and cuts it off at last.
func (s *server) drain() error {
	s.draining.Store(true)
	time.Sleep(s.notice)
	ctx, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}

// graphql wires the schema to its transport: who asks is decided once per request, by the token and the mirror's facts.
func graphql(config cli.Config, parts parts) (http.Handler, error) {
	schema, err := graph.NewSchema(parts.store, parts.manager)
	if err != nil {
		return nil, err
	}
	authenticator := auth.NewAuthenticator(parts.verifier, facts{parts.mirror})
	return transport.New(schema, transport.Options{
		Authenticate: func(ctx context.Context, authorization []string) (transport.Identify, error) {
			claims, err := authenticator.Verify(ctx, authorization)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) (context.Context, error) {
				viewer, err := authenticator.Judge(ctx, claims)
				if err != nil {
					return nil, err
				}
				if viewer.InDoubt {
					active := viewer.Organization
					parts.mirror.AskSoon(mirror.Claim{OrganizationID: active.ID, Slug: active.Slug, UserID: viewer.UserID, Role: active.Role})
				}
				transport.Annotate(ctx, loggedAs(viewer)...)
				ctx = graph.WithRequestID(auth.NewContext(ctx, viewer), transport.RequestID(ctx))
				return graph.WithLoaders(ctx, parts.store), nil
			}, nil
		},
		Unauthenticated: func(err error) bool { return errors.Is(err, auth.ErrUnauthenticated) },
		Introspection:   config.Introspection,
		MaxAnswer:       config.MaxAnswer,
		MaxInFlight:     maxInFlight(config.MaxInFlight, parts.store.RequestConnections()),
		Present:         graph.Present,
		Logger:          parts.logger,
		CountStatements: store.WithRequest,
	}), nil
}

// maxInFlight returns how many operations run at once: the configured number, or 4 for each CPU and
// each connection of the requests' pool. More would only wait for one of the two, each holding its
// memory.
func maxInFlight(configured, connections int) int {
	if configured > 0 {
		return configured
	}
	return 4 * (runtime.GOMAXPROCS(0) + connections)
}

// loggedAs are the attributes that a viewer's requests have in the log.
func loggedAs(viewer *auth.Viewer) (attributes []slog.Attr) {
	if viewer.Organization != nil {
		attributes = append(attributes, slog.String("organization_id", viewer.Organization.ID))
	}
	if viewer.UserID != "" {
		attributes = append(attributes, slog.String("user_id", viewer.UserID))
	}
	return attributes
}

// facts gives auth what the mirror knows; neither room imports the other.
type facts struct{ mirror *mirror.Mirror }

func (f facts) Facts(ctx context.Context, organizationID, userID, sessionID, tokenRole string) (auth.Facts, error) {
	known, err := f.mirror.Facts(ctx, organizationID, userID, sessionID, tokenRole)
	if errors.Is(err, models.ErrUnavailable) {
		return auth.Facts{}, fmt.Errorf("%w: %w", auth.ErrNoFacts, err)
	}
	if err != nil {
		return auth.Facts{}, err
	}
	return auth.Facts{
		UserDead: known.UserDead, UserBarred: known.UserBarred, OrganizationDead: known.OrganizationDead, SessionRevoked: known.SessionRevoked,
		Membership: membershipStates[known.Membership], Role: known.Role, At: known.At,
		RoleKnown: known.RoleKnown, RolePermissions: known.RolePermissions, RoleAt: known.RoleAt,
		TokenRoleKnown: known.TokenRoleKnown, TokenRolePermissions: known.TokenRolePermissions, TokenRoleAt: known.TokenRoleAt,
	}, nil
}

var membershipStates = map[mirror.MembershipState]auth.MembershipState{
	mirror.MembershipUnknown: auth.MembershipUnknown,
	mirror.MembershipLive:    auth.MembershipLive,
	mirror.MembershipEnded:   auth.MembershipEnded,
}

var anyLoopbackOrigin = regexp.MustCompile(`^http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?$`)

// allowOrigins lets browsers on other origins in: those of CLERK_AUTHORIZED_PARTIES, and on a laptop any page on this
// machine. Cookies are never read, so credentials are not allowed and any header may be sent: tracing
// and client libraries add their own.
func allowOrigins(config cli.Config, next http.Handler) http.Handler {
	allowed := map[string]bool{}
	for _, origin := range config.AuthorizedParties {
		allowed[origin] = true
	}
	return cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool {
			return allowed[origin] || config.Mode != cli.ModeProduction && anyLoopbackOrigin.MatchString(origin)
		},
		AllowedMethods: []string{http.MethodPost},
		// The answer repeats the names that were asked for, which MaxHeaderBytes bounds. A literal *
		// would not cover Authorization.
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"X-Request-Id", "Retry-After"},
		MaxAge:         600,
	}).Handler(next)
}

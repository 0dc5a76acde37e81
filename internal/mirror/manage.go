package mirror

import (
	"context"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organization"
	"github.com/clerk/clerk-sdk-go/v2/organizationinvitation"
	"github.com/clerk/clerk-sdk-go/v2/organizationmembership"
	"golang.org/x/time/rate"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// Recorder writes down what became of a change, in the transaction of the write-through: applied, refused or unknown.
type Recorder func(tx *store.MirrorTx, outcome string) error

// The outcomes that a Recorder hears.
const (
	OutcomeApplied = "applied"
	OutcomeRefused = "refused"
	OutcomeUnknown = "unknown"
)

// Deed is a change that somebody asks Clerk for.
type Deed struct {
	// Action is the mutation's name.
	Action string
	Actor  models.Actor
	// OrganizationID is empty where the organization is still to be made.
	OrganizationID string
	// TargetID is the user, the invitation or the organization that is changed; empty where it is still to be made.
	TargetID string
	// After are the fields as they are wanted, and Before what is known of them from before Clerk was asked.
	After  map[string]any
	Before map[string]string
	// Items are the parts of a deed that does several things. They name nobody.
	Items []models.AuditItem
}

// ManagerConfig says how changes reach Clerk.
type ManagerConfig struct {
	Backend BackendConfig
	// Record returns who writes a deed down, nil for nobody; the audit log unless given.
	Record func(ctx context.Context, deed Deed) Recorder
	// Unlimited says that Clerk may be asked as fast as it answers: the local one, which has limits
	// of its own. Otherwise it is asked within half of what it allows, and for one organization or
	// user within a quarter of that.
	Unlimited bool
}

const (
	// attemptTimeout bounds one attempt of a change, so that time is left to look for its outcome.
	attemptTimeout = 4 * time.Second
	// longestChange bounds a change where the caller has set no deadline, and margin is what is kept of a deadline for the
	// write-through and the answer.
	longestChange = 9 * time.Second
	margin        = time.Second
)

// Manager changes organizations, memberships and invitations in Clerk, and the copy with them before it answers. Errors of
// its methods: models.ErrNotFound, *models.InvalidError, *models.RefusedError, *models.UpstreamError,
// models.ErrUnknownOutcome, models.ErrUnavailable, ErrUnauthorized. Only after ErrUnknownOutcome and ErrUnavailable can
// something have been changed. None repeats what Clerk said.
type Manager struct {
	mirror        *Mirror
	reads         *Backend
	organizations organization.Client
	memberships   organizationmembership.Client
	invitations   organizationinvitation.Client
	record        func(ctx context.Context, deed Deed) Recorder
	breaker       *breaker
	margin        time.Duration
}

// NewManager returns a Manager of a mirror. Nothing is asked for yet.
func NewManager(m *Mirror, config ManagerConfig) *Manager {
	if config.Backend.AttemptTimeout == 0 {
		config.Backend.AttemptTimeout = attemptTimeout
	}
	if config.Unlimited {
		return newManager(m, newClientWith(config.Backend, rate.NewLimiter(rate.Inf, 1), nil), config)
	}
	budget := changesBudget(config.Backend.SecretKey)
	return newManager(m, newClientWith(config.Backend, budget, sharesOf(budget)), config)
}

func newManager(m *Mirror, api clerk.Backend, config ManagerConfig) *Manager {
	if config.Record == nil {
		config.Record = inAuditLog
	}
	return &Manager{
		mirror: m, reads: &Backend{api: api},
		organizations: organization.Client{Backend: api},
		memberships:   organizationmembership.Client{Backend: api},
		invitations:   organizationinvitation.Client{Backend: api},
		record:        config.Record, breaker: newBreaker(m.config.Now), margin: margin,
	}
}

// changesBudget is half of what Clerk allows: people wait for changes, and the comparisons have a fifth.
func changesBudget(secretKey string) *rate.Limiter {
	if liveKey(secretKey) {
		return rate.NewLimiter(40, 100)
	}
	return rate.NewLimiter(4, 10)
}

// bounded returns the context of a change: with the time that it has, and with whose shares of the
// budget it takes. The caller's hanging up does not end it, as Clerk may have it already.
func (m *Manager) bounded(ctx context.Context, actor models.Actor, organizationID string) (context.Context, context.CancelFunc) {
	ctx = withPayers(ctx, actor.UserID, organizationID)
	end := time.Now().Add(longestChange)
	if deadline, set := ctx.Deadline(); set && deadline.Add(-m.margin).Before(end) {
		end = deadline.Add(-m.margin)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

// pathSegment returns models.ErrNotFound for what can be no id of Clerk's, which would not be safe in a path.
func pathSegment(ids ...string) error {
	for _, id := range ids {
		if !pathID.MatchString(id) {
			return models.ErrNotFound
		}
	}
	return nil
}

// newClientWith is Clerk's own client over a carrier with a budget and its shares.
func newClientWith(config BackendConfig, budget *rate.Limiter, shares *shares) clerk.Backend {
	config = config.withDefaults()
	c := newCarrier(config)
	c.budget, c.shares = budget, shares
	return clientOver(config, c)
}

package auth

import (
	"context"
	"errors"
	"time"
)

// MembershipState is what our copy of Clerk knows about a user in an organization.
type MembershipState int

const (
	// MembershipUnknown: the pair has never been heard of.
	MembershipUnknown MembershipState = iota
	// MembershipLive: the newest membership is there.
	MembershipLive
	// MembershipEnded: the newest membership was removed.
	MembershipEnded
)

// Facts is what our copy of Clerk knows that a token may not know yet. The zero value knows nothing.
type Facts struct {
	UserDead, OrganizationDead bool
	// UserBarred: Clerk banned or deprovisioned the user.
	UserBarred bool
	// SessionRevoked: the session is over, though tokens of it may live.
	SessionRevoked bool

	Membership MembershipState
	// Role of the newest membership.
	Role string
	// At is the time of the newest fact about the pair, by Clerk's clock.
	At time.Time

	// RoleKnown says that the role's own row is known; the rest is in it: all its permissions, org:sys_* included, and
	// when it was last changed.
	RoleKnown       bool
	RolePermissions []string
	RoleAt          time.Time

	// The same of the role that the token names: it counts where the token is the newer one.
	TokenRoleKnown       bool
	TokenRolePermissions []string
	TokenRoleAt          time.Time
}

// ErrNoFacts means that our copy of Clerk cannot be read at the moment, and that asking again may succeed.
var ErrNoFacts = errors.New("auth: the facts are out of reach")

// FactsSource provides the facts about a user in an organization and in a session, with what the token's role holds; with
// an empty organizationID only the facts about the user and the session matter. Without facts there are no rights: the
// request is not answered if Facts returns an error. It is asked again, within the request's time, after ErrNoFacts.
type FactsSource interface {
	Facts(ctx context.Context, organizationID, userID, sessionID, tokenRole string) (Facts, error)
}

const (
	// The pause before the facts are asked for again doubles from firstPause to longestPause.
	firstPause, longestPause = 5 * time.Millisecond, 200 * time.Millisecond
	// longestWait bounds the wait where the request has no deadline.
	longestWait = 10 * time.Second
)

// waitForFacts asks for the facts until they can be had. It gives up after nine tenths of the time that the request has
// left, so that there is time to say so, and returns the last error.
func waitForFacts(ctx context.Context, ask func(ctx context.Context) (Facts, error)) (Facts, error) {
	left := longestWait
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	ctx, cancel := context.WithTimeout(ctx, left*9/10)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		facts, err := ask(ctx)
		if err == nil || !errors.Is(err, ErrNoFacts) {
			return facts, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Facts{}, err
		}
	}
}

package clerk

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// firstAttemptWait bounds how long a change waits for its event's first
// delivery attempt.
const firstAttemptWait = 5 * time.Second

type memberInput struct {
	Organization string `json:"organization"`
	User         string `json:"user"`
}

type roleInput struct {
	memberInput
	Role string `json:"role"`
}

type membershipOutput struct {
	Membership membershipView `json:"membership"`
	deliveryOutput
}

// deliveryOutput is what became of a change's event.
type deliveryOutput struct {
	// Delivered tells whether the first attempt to deliver the event was
	// answered 2xx, within the wait; it is retried otherwise.
	Delivered  bool  `json:"delivered"`
	DeliveryMs int64 `json:"deliveryMs"`
	// Dropped tells that the event was dropped on purpose and is never sent.
	Dropped bool `json:"dropped"`
}

func (c *Clerk) serveAddMembership(w http.ResponseWriter, r *http.Request) {
	var input roleInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input.memberInput, func(s *state, o organization, u user) (membership, string, error) {
		role, err := s.role(input.Role)
		if err != nil {
			return membership{}, "", err
		}
		return s.addMembership(o, u, membership{Role: role.Key}, c.now())
	})
}

func (c *Clerk) serveSetRole(w http.ResponseWriter, r *http.Request) {
	var input roleInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input.memberInput, func(s *state, o organization, u user) (membership, string, error) {
		role, err := s.role(input.Role)
		if err != nil {
			return membership{}, "", err
		}
		return s.setRole(o, u, role.Key, c.now())
	})
}

func (c *Clerk) serveRemoveMembership(w http.ResponseWriter, r *http.Request) {
	var input memberInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input, func(s *state, o organization, u user) (membership, string, error) {
		return s.removeMembership(o, u, c.now())
	})
}

// serveAcceptInvitation accepts the pending invitation for a person's address,
// as they would with the link that Clerk sends.
func (c *Clerk) serveAcceptInvitation(w http.ResponseWriter, r *http.Request) {
	var input memberInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input, func(s *state, o organization, u user) (membership, string, error) {
		return s.acceptInvitation(o, u, c.now())
	})
}

// changeMembership makes a change, waits for its event's first attempt and
// answers both.
func (c *Clerk) changeMembership(w http.ResponseWriter, r *http.Request, input memberInput,
	change func(*state, organization, user) (membership, string, error),
) {
	var view membershipView
	delivery, err := c.updateAndAwait(r.Context(), func(s *state) (string, error) {
		o, err := s.organization(input.Organization)
		if err != nil {
			return "", err
		}
		u, err := s.user(input.User)
		if err != nil {
			return "", err
		}
		m, event, err := change(s, o, u)
		view = s.viewMembership(m)
		return event, err
	})
	if err != nil {
		c.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, membershipOutput{Membership: view, deliveryOutput: delivery})
}

// updateAndAwait makes a change of the state, which returns its event's id,
// and waits for the event's first attempt.
func (c *Clerk) updateAndAwait(ctx context.Context, change func(*state) (event string, err error)) (deliveryOutput, error) {
	var event string
	var attempted <-chan error
	err := c.update(func(s *state) (err error) {
		if event, err = change(s); err != nil {
			return err
		}
		// Before the event is published, or its attempt could be over first.
		attempted = c.attempts.expect(event)
		return nil
	})
	defer c.attempts.forget(event)
	if err != nil {
		return deliveryOutput{}, err
	}
	started := time.Now()
	err = c.awaitAttempt(ctx, attempted)
	return deliveryOutput{
		Delivered: err == nil, DeliveryMs: time.Since(started).Milliseconds(), Dropped: errors.Is(err, errDropped),
	}, nil
}

// errNoAttempt stands for a first attempt that does not come in time.
var errNoAttempt = errors.New("not attempted yet")

// awaitAttempt returns nil if the first attempt came in time and was answered
// 2xx, and what became of it otherwise.
func (c *Clerk) awaitAttempt(ctx context.Context, attempted <-chan error) error {
	if !c.running.Load() {
		return errNoAttempt
	}
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	select {
	case err, made := <-attempted:
		if !made {
			return errNoAttempt
		}
		return err
	case <-ctx.Done():
		return errNoAttempt
	}
}

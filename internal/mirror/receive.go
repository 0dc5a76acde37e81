package mirror

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/tenantry/tenantry/store"
)

// Message is one delivery whose signature has been verified.
type Message struct {
	// ID is the sender's message id, the same for each delivery of one message.
	ID       string
	Body     []byte
	Received time.Time
}

// Result says what became of a delivery.
type Result string

const (
	// Applied has taken effect.
	Applied Result = "applied"
	// Stored is safe in the inbox; a worker applies it.
	Stored Result = "stored"
	// Duplicate was in the inbox already.
	Duplicate Result = "duplicate"
	// Ignored is of a type that the mirror does not keep.
	Ignored Result = "ignored"
	// Dead cannot be applied, however often it is tried; it waits for a person.
	Dead Result = "dead"
	// Conflict came with another body under a known id. The first body stands.
	Conflict Result = "conflict"
)

// Outcome is what became of a delivery.
type Outcome struct {
	Result Result
	// Type is the event's type, empty where it cannot be read.
	Type string
}

// applyAtOnce bounds how long a sender waits for its event to take effect; what takes longer a worker does.
const applyAtOnce = 3 * time.Second

// Receive takes a delivery in. Mostly it applies it and stores it as done, in one transaction. Where that does not succeed
// it stores it, commits, and applies it if it can; whatever else goes wrong is the worker's. It returns an error only where
// nothing is stored: then the sender has to send it again.
func (m *Mirror) Receive(ctx context.Context, message Message) (outcome Outcome, err error) {
	if message.ID == "" {
		return outcome, errors.New("mirror: a message without an id")
	}
	decoded, bad := m.decode(message.Body)
	e := store.Event{
		ID: message.ID, Type: decoded.kind, UserID: decoded.person(), At: decoded.at,
		Body: message.Body, State: store.EventPending, ReceivedAt: message.Received,
	}
	switch {
	case bad != nil:
		e.State, e.Error = store.EventDead, bad.Error()
	case decoded.change == nil:
		e.State = store.EventIgnored
	}
	outcome.Type = decoded.kind
	if outcome.Result, err = m.take(ctx, e, decoded, bad); err != nil {
		return outcome, fmt.Errorf("mirror: event not stored: %w", err)
	}
	m.observe(decoded.kind, outcome.Result, decoded.at)
	return outcome, nil
}

// take makes an event's change and stores it; bad is why it has none. An error says that it is not stored.
func (m *Mirror) take(ctx context.Context, e store.Event, decoded event, bad error) (Result, error) {
	failure := errKnown // what is not tried here is judged by the inbox alone, like a message that was there before
	if e.State == store.EventPending && ctx.Err() == nil {
		if failure = m.applyFirst(ctx, e, decoded); failure == nil {
			return Applied, nil
		}
	}
	stored, err := m.store.StoreEvent(ctx, e)
	switch {
	case err != nil:
		return "", err
	case stored == store.StoredConflict:
		m.config.Logger.Error("security: a message id came again with another body; the first one stands",
			"svix_id", e.ID, "type", e.Type)
		return Conflict, nil
	case stored == store.StoredBefore:
		return Duplicate, nil
	case bad != nil:
		m.logDead(e, bad)
		return Dead, nil
	case e.State == store.EventIgnored:
		return Ignored, nil
	case !errors.Is(failure, errKnown):
		return m.failed(context.WithoutCancel(ctx), e, failure), nil
	}
	return m.applyNow(ctx, e, decoded), nil // a dead letter that came again
}

// decode reads a body and refuses what is not our instance's.
func (m *Mirror) decode(body []byte) (event, error) {
	decoded, err := decode(body)
	if err != nil {
		return decoded, err
	}
	if ours := m.config.InstanceID(); ours != "" && decoded.instance != "" && decoded.instance != ours {
		return decoded, permanent("the event is of another Clerk instance")
	}
	return decoded, nil
}

// errKnown says that the inbox has the message already, so that what became of it is to be read there.
var errKnown = errors.New("mirror: the message is known")

// applyFirst applies an event that nobody has heard of and stores it as done, or does neither. Storing comes last: two
// deliveries of one message meet at the rows that they change or else at the inbox, where the second waits for the first
// to commit and is then rolled back, with whatever its body may have changed.
func (m *Mirror) applyFirst(ctx context.Context, e store.Event, decoded event) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyAtOnce)
	defer cancel()
	return m.store.Mirror(bounded, func(tx *store.MirrorTx) error {
		if err := m.apply(tx, decoded); err != nil {
			return err
		}
		fresh, err := tx.StoreDone(e, !decoded.private(), m.config.Now())
		if err == nil && !fresh {
			return errKnown
		}
		return err
	})
}

// apply makes an event's change. A panic is a fault of this build, which no retry cures: the event becomes a dead letter,
// for a later build, and neither the sender nor a worker dies of it.
func (m *Mirror) apply(tx ledger, decoded event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			m.config.Logger.Error("mirror: a panic while applying an event", "type", decoded.kind,
				"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack())) // what was thrown could quote the body
			err = permanent("the server panicked at it")
		}
	}()
	return decoded.change.apply(tx)
}

// applyNow applies a stored event; the sender going away does not stop it.
func (m *Mirror) applyNow(ctx context.Context, e store.Event, decoded event) Result {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyAtOnce)
	defer cancel()
	var ours bool
	err := m.store.Mirror(bounded, func(tx *store.MirrorTx) (err error) {
		if ours, err = tx.ClaimEvent(e.ID); err != nil || !ours {
			return err
		}
		return m.applyClaimed(tx, e, decoded)
	})
	switch {
	case err != nil:
		return m.failed(context.WithoutCancel(ctx), e, err)
	case !ours:
		return Stored // a worker was faster and is at it
	}
	return Applied
}

// applyClaimed applies an event and notes it in the same transaction.
func (m *Mirror) applyClaimed(tx *store.MirrorTx, e store.Event, decoded event) error {
	e.Type, e.UserID, e.At, e.State = decoded.kind, decoded.person(), decoded.at, store.EventIgnored
	if decoded.change != nil {
		e.State = store.EventDone
		if err := m.apply(tx, decoded); err != nil {
			return err
		}
	}
	return tx.FinishEvent(e, e.State == store.EventDone && !decoded.private(), m.config.Now())
}

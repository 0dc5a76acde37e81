package mirror

import (
	"context"
	"errors"
	"fmt"
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

// Receive stores a delivery, commits, and applies it. It returns an error only where the delivery is not stored: then
// the sender has to send it again. Whatever else goes wrong is the worker's.
func (m *Mirror) Receive(ctx context.Context, message Message) (Outcome, error) {
	if message.ID == "" {
		return Outcome{}, errors.New("mirror: a message without an id")
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
	outcome := Outcome{Type: decoded.kind}
	stored, err := m.store.StoreEvent(ctx, e)
	if err != nil {
		return outcome, fmt.Errorf("mirror: event not stored: %w", err)
	}
	switch {
	case stored == store.StoredConflict:
		m.config.Logger.Error("security: a message id came again with another body; the first one stands",
			"svix_id", message.ID, "type", decoded.kind)
		outcome.Result = Conflict
	case stored == store.StoredBefore:
		outcome.Result = Duplicate
	case bad != nil:
		m.logDead(e, bad)
		outcome.Result = Dead
	case decoded.change == nil:
		outcome.Result = Ignored
	default:
		outcome.Result = m.applyNow(ctx, e, decoded)
	}
	m.observe(decoded.kind, outcome.Result, decoded.at)
	return outcome, nil
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
		if err := decoded.change.apply(tx); err != nil {
			return err
		}
	}
	return tx.FinishEvent(e, e.State == store.EventDone && !decoded.private(), m.config.Now())
}

package clerk

import (
	"errors"
	"net/http"
	"time"
)

// chaos is what is done to deliveries on purpose, to see whether the receiver
// ends up right nevertheless. The zero value does nothing. It lives in memory
// only: after a restart deliveries are in order.
type chaos struct {
	Drop      float64 `json:"drop"`      // share of events that are never sent
	Duplicate float64 `json:"duplicate"` // share of events that are sent again after their delivery
	Reorder   bool    `json:"reorder"`   // what waits is sent in any order
	DelayMs   int64   `json:"delayMs"`   // events wait for a random time up to this
}

const (
	maxDelay = time.Hour
	// duplicateWait bounds how long after its delivery an event is sent again,
	// where no longer delay is set.
	duplicateWait = time.Second
)

// errDropped and errHeld stand for the first attempt of an event that has none,
// or none in time.
var (
	errDropped = errors.New("dropped on purpose")
	errHeld    = errors.New("held back on purpose")
)

func (c chaos) on() bool { return c != chaos{} }

func (c chaos) delay() time.Duration { return time.Duration(c.DelayMs) * time.Millisecond }

func (c chaos) check() error {
	for _, share := range []struct {
		name  string
		value float64
	}{{"drop", c.Drop}, {"duplicate", c.Duplicate}} {
		if share.value < 0 || share.value > 1 {
			return &apiError{
				status: http.StatusUnprocessableEntity, code: "form_param_value_invalid", message: "is invalid",
				long: share.name + " must be between 0 and 1.", param: share.name,
			}
		}
	}
	if c.DelayMs < 0 || c.DelayMs > maxDelay.Milliseconds() {
		return &apiError{
			status: http.StatusUnprocessableEntity, code: "form_param_value_invalid", message: "is invalid",
			long: "delayMs must be between 0 and an hour, 3600000.", param: "delayMs",
		}
	}
	return nil
}

// chaosNow is what is in force.
func (c *Clerk) chaosNow() chaos {
	if set := c.chaos.Load(); set != nil {
		return *set
	}
	return chaos{}
}

// setChaos begins with events that are queued from now on, and with deliveries
// that end from now on; without chaos, what was held back is sent at once.
func (c *Clerk) setChaos(next chaos) {
	c.chaos.Store(&next)
	c.changed.tell()
}

// by tells whether something of this probability happens now.
func (d *dispatcher) by(chance float64) bool { return d.clerk.random.Float64() < chance }

// within gives a random time up to most.
func (d *dispatcher) within(most time.Duration) time.Duration {
	return time.Duration(d.clerk.random.Float64() * float64(most))
}

// admit decides on a message that is seen for the first time.
func (d *dispatcher) admit(m message, chaos chaos, now time.Time) *job {
	j := &job{due: now}
	switch {
	case d.by(chaos.Drop):
		j.dropped = true
	case chaos.DelayMs > 0:
		wait := d.within(chaos.delay())
		j.due, j.held = now.Add(wait), true
		if wait > d.clerk.patience {
			d.clerk.attempts.report(m.ID, errHeld)
		}
	}
	return j
}

// again decides whether a message that was delivered is sent a second time, and
// if so keeps it.
func (d *dispatcher) again(j *job, chaos chaos) bool {
	if j.again || !d.by(chaos.Duplicate) {
		return false
	}
	j.again, j.held, j.sending = true, true, false
	j.due = time.Now().Add(d.within(max(chaos.delay(), duplicateWait)))
	d.clerk.duplicated.Add(1)
	return true
}

// drop takes messages out of the queue undelivered.
func (d *dispatcher) drop(dropped []message) {
	if len(dropped) == 0 {
		return
	}
	ids := map[string]bool{}
	for _, m := range dropped {
		ids[m.ID] = true
	}
	if err := d.forget(ids); err != nil {
		// Still queued, so they are dropped the next time.
		d.clerk.log.Error("local Clerk: could not note dropped events", "error", err)
		return
	}
	for _, m := range dropped {
		delete(d.jobs, m.ID)
		d.clerk.dropped.Add(1)
		d.clerk.log.Debug("local Clerk: dropped on purpose", "event", m.Type, "svix_id", m.ID)
		d.clerk.attempts.report(m.ID, errDropped)
	}
}

// shuffled gives the queue in the order in which it is sent.
func (d *dispatcher) shuffled(queue []message, chaos chaos) []message {
	if !chaos.Reorder {
		return queue
	}
	mixed := make([]message, len(queue))
	for to, from := range d.clerk.random.Perm(len(queue)) {
		mixed[to] = queue[from]
	}
	return mixed
}

package clerk

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// concurrentDeliveries is how many events are on their way at once. Their
// order is not kept, as Svix does not keep it.
const concurrentDeliveries = 4

// backoff is the wait after each failed attempt, its last entry for ever. Svix
// waits 5 s, 5 min, 30 min and so on; on a laptop the receiver is back sooner.
var backoff = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}

// Run delivers queued events to webhookURL until ctx ends, and then returns
// nil. An event leaves the queue once it was answered 2xx; it is sent again
// under the same id until then, after a restart too, so a receiver may see it
// twice. On purpose, events may also be dropped, late, or sent again later. Run returns an error if the URL is not an absolute http or https one,
// or if another Run is active.
func (c *Clerk) Run(ctx context.Context, webhookURL string) error {
	target, err := url.Parse(webhookURL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return errors.New("local Clerk: the webhook URL is not an absolute http URL")
	}
	if !c.running.CompareAndSwap(false, true) {
		return errors.New("local Clerk: deliveries are running already")
	}
	s := newSender(c.hook, target.String(), c.now)
	defer s.close()
	d := &dispatcher{
		clerk: c, sender: s,
		jobs: map[string]*job{}, done: make(chan attempt, concurrentDeliveries),
	}
	d.run(ctx)
	c.running.Store(false)
	c.attempts.giveUp()
	return nil
}

// Settled waits until every queued event was delivered or dropped, and sent
// again where that was chosen, which needs Run. It
// returns an error with the number of undelivered ones if ctx ends first.
func (c *Clerk) Settled(ctx context.Context) error {
	for {
		changed := c.changed.next()
		queued := len(c.current.Load().Queue)
		if queued == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("local Clerk: %d events are not delivered: %w", queued, ctx.Err())
		case <-changed:
		}
	}
}

// dispatcher decides what is sent when. Its goroutine alone touches it.
type dispatcher struct {
	clerk  *Clerk
	sender *sender
	jobs   map[string]*job // by message id
	busy   int
	done   chan attempt
}

// job is what is known of a queued message. It lives in memory only: after a
// restart the receiver is new too, and everything is due at once.
type job struct {
	due      time.Time
	sending  bool
	failures int

	dropped bool // on purpose, and to be taken out of the queue
	held    bool // due is not yet, on purpose
	again   bool // delivered once, and sent again on purpose
}

// attempt is the outcome of sending a message once.
type attempt struct {
	message message
	err     error
	again   bool // delivered, and yet to be sent once more
}

func (d *dispatcher) run(ctx context.Context) {
	for {
		changed := d.clerk.changed.next()
		timer := d.startDue(ctx)
		select {
		case <-ctx.Done():
			// Sending ends with ctx; what was answered in time must not be
			// sent again after a restart.
			for d.busy > 0 {
				d.settle(<-d.done)
			}
			return
		case first := <-d.done:
			d.settle(first)
		case <-changed:
		case <-timer:
		}
	}
}

// startDue sends what is due, oldest first, and gives a channel that fires
// when the next message is due; nil if none waits.
func (d *dispatcher) startDue(ctx context.Context) <-chan time.Time {
	now, chaos := time.Now(), d.clerk.chaosNow()
	var (
		next    time.Time
		dropped []message
	)
	defer func() { d.drop(dropped) }()
	for _, m := range d.shuffled(d.clerk.current.Load().Queue, chaos) {
		if d.busy == concurrentDeliveries {
			return nil // an attempt that ends leads here again
		}
		j := d.jobs[m.ID]
		if j == nil {
			j = d.admit(m, chaos, now)
			d.jobs[m.ID] = j
		}
		if j.held && !chaos.on() {
			j.due, j.held = now, false
		}
		switch {
		case j.sending:
		case j.dropped:
			dropped = append(dropped, m)
		case !j.due.After(now):
			j.sending, j.held = true, false
			d.busy++
			go func() { d.done <- attempt{message: m, err: d.sender.send(ctx, m)} }()
		case next.IsZero() || j.due.Before(next):
			next = j.due
		}
	}
	if next.IsZero() {
		return nil
	}
	return time.After(next.Sub(now))
}

// settle takes in an attempt's outcome and those of others that have ended
// meanwhile, so that a burst of deliveries costs few writes of the state.
func (d *dispatcher) settle(first attempt) {
	outcomes := []attempt{first}
	for more := true; more; {
		select {
		case next := <-d.done:
			outcomes = append(outcomes, next)
		default:
			more = false
		}
	}
	d.busy -= len(outcomes)
	chaos, delivered := d.clerk.chaosNow(), map[string]bool{}
	for i, a := range outcomes {
		if a.err != nil {
			continue
		}
		if outcomes[i].again = d.again(d.jobs[a.message.ID], chaos); !outcomes[i].again {
			delivered[a.message.ID] = true
		}
	}
	if err := d.forget(delivered); err != nil {
		// Still queued, so it is sent once more under its id.
		d.clerk.log.Error("local Clerk: could not note deliveries", "error", err)
		for i := range outcomes {
			outcomes[i].err = errors.Join(outcomes[i].err, errors.New("not noted as delivered"))
		}
	}
	for _, a := range outcomes {
		d.conclude(a)
	}
}

// forget takes messages out of the queue.
func (d *dispatcher) forget(ids map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	return d.clerk.update(func(s *state) error {
		s.Queue = slices.DeleteFunc(s.Queue, func(m message) bool { return ids[m.ID] })
		return nil
	})
}

func (d *dispatcher) conclude(a attempt) {
	log := d.clerk.log.With("event", a.message.Type, "svix_id", a.message.ID)
	j := d.jobs[a.message.ID]
	switch {
	case a.err == nil && a.again:
		log.Debug("local Clerk: delivered, and sent again on purpose", "again_in", time.Until(j.due))
	case a.err == nil:
		delete(d.jobs, a.message.ID)
		log.Debug("local Clerk: delivered", "attempts", j.failures+1)
	default:
		wait := d.clerk.backoff[min(j.failures, len(d.clerk.backoff)-1)]
		j.failures++
		j.sending = false
		j.due = time.Now().Add(wait)
		if !errors.Is(a.err, context.Canceled) {
			log.Warn("local Clerk: not delivered", "error", a.err, "attempts", j.failures, "again_in", wait)
		}
	}
	d.clerk.attempts.report(a.message.ID, a.err)
}

package cli

import (
	"context"
	"net/http"
	"time"
)

// renewAfter is well within the 10 s that a lease of the local Clerk lasts.
const renewAfter = 2 * time.Second

// lift lifts the local Clerk's limits by a lease, and renews it until unlift is called. The limits of
// a program that was killed are back when its lease expires.
func (l *localProbe) lift(ctx context.Context) (unlift func(context.Context) error, err error) {
	call := func(ctx context.Context, method string) error {
		var answer struct{}
		return l.control.call(ctx, method, "/rate-limit/lease", struct{}{}, &answer)
	}
	if err := call(ctx, http.MethodPost); err != nil {
		return nil, err
	}
	// Also while a stopped attack is put back.
	ctx = context.WithoutCancel(ctx)
	waiting, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(waiting, renewAfter) == nil {
			// A failure shows in the attack itself, as requests that are refused.
			_ = call(ctx, http.MethodPost)
		}
	}()
	return func(ctx context.Context) error {
		stop()
		<-ended // or a renewal could come after the end
		return call(ctx, http.MethodDelete)
	}, nil
}

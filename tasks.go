package main

import (
	"context"
	"sync"
)

// tasks are what runs beside the requests. The first that fails is heard; stop ends them all.
type tasks struct {
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	failed chan error
}

// startTasks ties tasks to the values of ctx, not to its end: they go on while requests in flight are finished.
func startTasks(ctx context.Context) *tasks {
	t := &tasks{failed: make(chan error, 1)}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return t
}

func (t *tasks) run(task func(ctx context.Context) error) {
	t.wait.Go(func() {
		if err := task(t.ctx); err != nil && t.ctx.Err() == nil {
			select {
			case t.failed <- err:
			default: // another one failed first
			}
		}
	})
}

func (t *tasks) stop() error {
	t.cancel()
	t.wait.Wait()
	return nil
}

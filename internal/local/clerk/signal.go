package clerk

import "sync"

// broadcast tells any number of waiters that something changed.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

// next gives a channel that the next tell closes. Ask for it before looking at
// what may change, or a change in between is missed.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}

// firstAttempts lets the maker of an event wait for its first delivery
// attempt.
type firstAttempts struct {
	mu      sync.Mutex
	waiting map[string]chan error // by message id
}

// expect gives a channel that receives the attempt's error, nil when it was
// answered 2xx, or is closed if there will be no attempt for now. forget must
// be called in the end.
func (f *firstAttempts) expect(id string) <-chan error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = map[string]chan error{}
	}
	ch := make(chan error, 1)
	f.waiting[id] = ch
	return ch
}

func (f *firstAttempts) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, id)
}

func (f *firstAttempts) report(id string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ch, waits := f.waiting[id]; waits {
		ch <- err
		delete(f.waiting, id)
	}
}

// giveUp releases everyone, because nothing delivers any more.
func (f *firstAttempts) giveUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, ch := range f.waiting {
		close(ch)
		delete(f.waiting, id)
	}
}

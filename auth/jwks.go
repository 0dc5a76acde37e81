package auth

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	refreshEvery = 10 * time.Minute
	// keepFor is how long the last good set serves while Clerk cannot be reached.
	keepFor = 24 * time.Hour
	// unknownSpacing is the least time between the start of any fetch and one for the sake of an unknown key id, for the
	// whole process: strangers choose the ids.
	unknownSpacing = 30 * time.Second
	// firstSpacing is the least time between two fetches that requests start while there is no set at all.
	firstSpacing = time.Second
	// waitAtMost is how long a request waits for keys.
	waitAtMost = 3 * time.Second
	// absentFor is how long an id that was not in a freshly fetched set is believed to be foreign.
	absentFor  = 2 * time.Minute
	absentSize = 1024

	retryFirst = 250 * time.Millisecond
	retryLast  = time.Minute
)

// remoteKeys is Clerk's JWKS, fetched in the background. A request finds its key in memory; it waits for a fetch only
// where there is no usable set yet, and for an id that no fetch has shown to be foreign.
type remoteKeys struct {
	url    string
	client *http.Client
	now    func() time.Time
	logger *slog.Logger
	keeper KeyKeeper

	set    atomic.Pointer[keySet]
	absent *lru.Cache[string, time.Time]

	mu       sync.Mutex
	began    time.Time     // when the last fetch began
	underway chan struct{} // closed when the fetch that is under way ends; nil if none is
}

// keySet is one successfully fetched set. It is never changed.
type keySet struct {
	keys    map[string][]*publicKey
	fetched time.Time
}

// clock returns the time without Go's monotonic reading, which stands still while a laptop sleeps.
func (k *remoteKeys) clock() time.Time { return k.now().Round(0) }

// usable returns the current set, or nil if there is none or it is too old.
func (k *remoteKeys) usable() *keySet {
	set := k.set.Load()
	if set == nil || k.clock().Sub(set.fetched) > keepFor {
		return nil
	}
	return set
}

func (k *remoteKeys) holds(key *publicKey) bool {
	set := k.usable()
	if set == nil {
		return false
	}
	for _, held := range set.keys[key.id] {
		if held == key {
			return true
		}
	}
	return false
}

func (k *remoteKeys) only() string {
	set := k.set.Load()
	if set == nil || len(set.keys) != 1 {
		return ""
	}
	for id := range set.keys {
		return id
	}
	return ""
}

func (k *remoteKeys) ready() error {
	if set := k.usable(); set == nil || len(set.keys) == 0 {
		return ErrKeysUnavailable
	}
	return nil
}

func (k *remoteKeys) find(ctx context.Context, id string) ([]*publicKey, error) {
	if id == "" {
		return nil, nil
	}
	set := k.usable()
	if set == nil {
		if set = k.first(ctx); set == nil {
			return nil, ErrKeysUnavailable
		}
	} else if k.clock().Sub(set.fetched) > refreshEvery+unknownSpacing {
		// The background refresh is late, as after a laptop's sleep.
		k.fetch(unknownSpacing)
	}
	if keys := set.keys[id]; keys != nil {
		return keys, nil
	}
	return k.unknown(ctx, set, id), nil
}

// first waits for a usable set, starting fetches where none is under way, and returns nil if none came in time.
func (k *remoteKeys) first(ctx context.Context) *keySet {
	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	for {
		ended, wait := k.fetch(firstSpacing)
		if ended == nil {
			pause := time.NewTimer(wait)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return k.usable()
			}
		} else {
			select {
			case <-ended:
			case <-ctx.Done():
				return k.usable()
			}
		}
		if set := k.usable(); set != nil {
			return set
		}
	}
}

// unknown fetches the set again for an id that is not in it, if that has not been done lately for any id.
func (k *remoteKeys) unknown(ctx context.Context, set *keySet, id string) []*publicKey {
	if since, found := k.absent.Get(id); found && k.clock().Sub(since) < absentFor {
		return nil
	}
	ended, _ := k.fetch(unknownSpacing)
	if ended == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	newer := k.usable()
	if newer == nil || newer == set {
		return nil
	}
	keys := newer.keys[id]
	if keys == nil {
		k.absent.Add(id, newer.fetched)
	}
	return keys
}

// fetch joins the fetch that is under way or starts one, and returns a channel that is closed at its end. If the last
// one began less than spacing ago it starts none and returns nil and the time that is missing.
func (k *remoteKeys) fetch(spacing time.Duration) (ended <-chan struct{}, wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.underway != nil {
		return k.underway, 0
	}
	now := k.clock()
	if since := now.Sub(k.began); since >= 0 && since < spacing {
		return nil, spacing - since
	}
	k.began = now
	done := make(chan struct{})
	k.underway = done
	go func() {
		fetched := k.load()
		k.mu.Lock()
		k.underway = nil
		k.mu.Unlock()
		close(done)
		fetched.keep() // nobody waits for the database
	}()
	return done, 0
}

// run keeps the set fresh until ctx ends.
func (k *remoteKeys) run(ctx context.Context) {
	retry := retryFirst
	for {
		began := k.clock()
		ended, _ := k.fetch(0)
		select {
		case <-ended:
		case <-ctx.Done():
			return
		}
		wait := refreshEvery
		if set := k.set.Load(); set == nil || set.fetched.Before(began) {
			wait, retry = retry, min(2*retry, retryLast)
		} else {
			retry = retryFirst
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

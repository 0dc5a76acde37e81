package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

// Whoever expects keys has them read together, whoever asks first; what nobody expected is read by itself.
func TestLoader(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var reads [][]string
	l := newLoader(func(_ context.Context, keys []string) (map[string]*string, error) {
		mu.Lock()
		defer mu.Unlock()
		reads = append(reads, slices.Clone(keys))
		found := map[string]*string{}
		for i := len(keys) - 1; i >= 0; i-- { // in no particular order
			if keys[i] != "missing" {
				found[keys[i]] = &keys[i]
			}
		}
		return found, nil
	})
	l.expect("a", "b", "a", "missing")
	l.expect("c", "b")
	var askers sync.WaitGroup
	for _, key := range []string{"a", "b", "c", "missing", "a", "c"} {
		askers.Go(func() {
			value, err := l.load(t.Context(), key)
			if err != nil || (value == nil) != (key == "missing") || value != nil && *value != key {
				t.Errorf("load(%q) = %v, %v", key, value, err)
			}
		})
	}
	askers.Wait()
	if len(reads) != 1 || !slices.Equal(reads[0], []string{"a", "b", "missing", "c"}) {
		t.Errorf("reads %q, want one of each key once", reads)
	}
	if value, _ := l.load(t.Context(), "d"); value == nil || *value != "d" || len(reads) != 2 {
		t.Errorf("an unexpected key: %v after %d reads", value, len(reads))
	}
}

func TestLoaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	l := newLoader(func(context.Context, []string) (map[string]*string, error) { return nil, broken })
	l.expect("a", "b")
	for _, key := range []string{"a", "b", "c"} {
		if value, err := l.load(t.Context(), key); value != nil || !errors.Is(err, broken) {
			t.Errorf("load(%q) = %v, %v", key, value, err)
		}
	}
}

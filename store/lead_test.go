package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

func TestLead(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	first, second := dbtest.OpenWith(t, store.Config{URL: url}), dbtest.OpenWith(t, store.Config{URL: url})
	never := func(context.Context) error {
		t.Error("two lead")
		return nil
	}
	told := errors.New("told")
	for range 20 { // who comes right after finds it free
		led, err := first.Lead(t.Context(), "a", func(ctx context.Context) error {
			for _, s := range []*store.Store{first, second} {
				if led, err := s.Lead(ctx, "a", never); led || err != nil {
					t.Errorf("beside another: %v, %v", led, err)
				}
			}
			if led, err := second.Lead(ctx, "b", func(context.Context) error { return nil }); !led || err != nil {
				t.Errorf("under another name: %v, %v", led, err)
			}
			for name, want := range map[string]bool{"a": true, "b": false} {
				if led, err := second.Led(ctx, name); led != want || err != nil {
					t.Errorf("%s is led: %v, %v", name, led, err)
				}
			}
			return told
		})
		if !led || !errors.Is(err, told) {
			t.Fatalf("%v, %v", led, err)
		}
		if led, err := second.Led(t.Context(), "a"); led || err != nil {
			t.Errorf("led afterwards: %v, %v", led, err)
		}
	}
}

// Whose connection is lost leads no longer, and hears of it.
func TestLeadLost(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	s := dbtest.OpenWith(t, store.Config{URL: url})
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	led, err := s.Lead(t.Context(), "a", func(ctx context.Context) error {
		if _, err := owner.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks
			WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Second):
			return errors.New("nobody was told")
		}
	})
	if !led || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", led, err)
	}
}

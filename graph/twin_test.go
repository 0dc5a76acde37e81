package graph_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/probe"
	"github.com/tenantry/tenantry/store"
)

// source is where a world's moments and ids come from: the same ones in the same order as from any other source that
// began at the same number.
type source struct{ last atomic.Int64 }

// now is a moment after all that were given before, and before any real one: nothing expires between two worlds.
func (s *source) now() time.Time {
	return time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC).Add(time.Duration(s.last.Add(1)) * time.Millisecond)
}

func (s *source) newID() uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(s.last.Add(1)))
	return uuid.NewSHA1(id, nil)
}

// seeded is a way to a database whose moments, ids and request ids come from sources of its own.
func seeded(t *testing.T, config store.Config, from int64) *probed {
	t.Helper()
	moments, ids, requests := new(source), new(source), new(source)
	for _, s := range []*source{moments, ids, requests} {
		s.last.Store(from)
	}
	config.Now, config.NewID = moments.now, ids.newID
	p := newProbedOver(t, config)
	p.requestIDs = func() string { return requests.newID().String() }
	return p
}

// newTwin is the world with both organizations beside the world with one. B comes in by a door of its own, and with other
// sources. With hole, the world of both has one.
func newTwin(t *testing.T, seed uint64, hole func(both *probed)) *probe.Twin {
	t.Helper()
	config := dbtest.Config(t)
	both, b, alone := seeded(t, config, 0), seeded(t, config, 1<<30), seeded(t, dbtest.Config(t), 0)
	both.populate(both.store, markA)
	alone.populate(alone.store, markA)
	b.populate(b.store, markB)
	if hole != nil {
		hole(both)
	}
	count := 0
	attack := both.attack(0, seed)
	attack.B = b.voice(b.b)
	return &probe.Twin{
		Attack: *attack, Alone: alone.voice(alone.a),
		Work: func(context.Context) error {
			count++
			dbtest.Factories["Document"](t, dbtest.World{Store: b.store, OwnerURL: b.ownerURL}, "org_"+markB, fmt.Sprint(markB, "w", count))
			return nil
		},
	}
}

// TestTwinWorld holds that A cannot tell whether there is a B: the same operations have the same answers, byte by byte.
func TestTwinWorld(t *testing.T) {
	t.Parallel()
	report, err := newTwin(t, 1, nil).Run(t.Context(), probes(50_000, 1_500))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d differences in %d operations, %d of them mutations, seed %d", report.Differences, report.Operations, report.Mutations, report.Seed)
	for _, finding := range report.Findings[:min(5, len(report.Findings))] {
		t.Error(finding)
	}
}

// What no canary shows: that a title is refused because another organization has it. With such a hole the worlds differ.
func TestTwinWorldSeesWhatNoCanaryShows(t *testing.T) {
	t.Parallel()
	report, err := newTwin(t, 1, func(both *probed) {
		if _, err := both.conn.Exec(t.Context(), `
			INSERT INTO documents (organization_id, id, title, content, author_id, version, created_at, updated_at)
				VALUES ('org_`+markB+`', gen_random_uuid(), 'probe title', '', 'user_x', 1, now(), now());
			CREATE FUNCTION hole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
				IF EXISTS (SELECT FROM documents WHERE title = NEW.title AND organization_id <> NEW.organization_id) THEN
					RAISE unique_violation;
				END IF;
				RETURN NEW;
			END $$;
			CREATE TRIGGER hole BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION hole()`); err != nil {
			t.Fatal(err)
		}
	}).Run(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if report.Differences == 0 {
		t.Errorf("a title that is unique over all organizations is not seen in %d operations", report.Operations)
	}
	t.Logf("%d differences in %d operations", report.Differences, report.Operations)
}

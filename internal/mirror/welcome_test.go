package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// welcoming is a mirror whose welcome writes a document, and fails where it is told to.
func welcoming(t testing.TB, failing *atomic.Bool) *fixture {
	t.Helper()
	config := dbtest.Config(t)
	config.Welcome = func(ctx context.Context, org store.Org, o models.Organization) error {
		title := "Welcome to " + o.Name
		if _, err := org.CreateDocument(ctx, models.Actor{}, store.DocumentInput{Title: &title}); err != nil {
			return err
		}
		if failing != nil && failing.Load() {
			return errors.New("the welcome fails")
		}
		return nil
	}
	return newFixture(t, config).ours()
}

// over gives the mirror a Clerk of its instance.
func (f *fixture) over(c *fakeClerk) {
	c.set(func() { c.instance = f.config.InstanceID() })
	f.config.Backend = c.backend()
}

// documents are those of all organizations: whose, and how they are called.
func (f *fixture) documents(t testing.TB) string {
	t.Helper()
	return f.value(t, "SELECT coalesce(string_agg(organization_id || ': ' || title, ', ' ORDER BY organization_id, title), '') FROM documents")
}

// one is an organization and its member, as Clerk lists them.
func (f *fakeClerk) one(id, name string) {
	f.set(func() {
		at := 1_782_900_000_000
		organization := object{"id": id, "name": name, "created_at": at, "updated_at": at}
		f.lists["organizations"] = append(f.lists["organizations"], organization)
		f.lists["organization_memberships"] = append(f.lists["organization_memberships"], object{
			"id": "orgmem_" + id, "role": "org:member", "created_at": at, "updated_at": at,
			"organization": organization, "public_user_data": object{"user_id": ada},
		})
	})
}

// Whatever the way on which an organization comes, it is welcomed when its name does, and not again on any other way.
func TestWelcomeOnEveryWay(t *testing.T) {
	t.Parallel()
	const once = acme + ": Welcome to Acme Labs"
	ways := map[string]func(t *testing.T, f *fixture, c *fakeClerk){
		"its event": func(t *testing.T, f *fixture, _ *fakeClerk) { f.receive(t, "msg_1", sample(t, "organization.created")) },
		"a membership's event": func(t *testing.T, f *fixture, _ *fakeClerk) {
			f.receive(t, "msg_2", sample(t, "organizationMembership.created"))
		},
		"a token, and what is read for it": func(t *testing.T, f *fixture, _ *fakeClerk) {
			f.claim(t, Claim{OrganizationID: acme, Slug: "acme-labs", UserID: ada, Role: "org:admin"})
			if found := f.documents(t); found != "" && found != once {
				t.Errorf("a token alone had it welcomed: %q", found)
			}
			if err := f.ask(t.Context(), couple{acme, ada}); err != nil {
				t.Error(err)
			}
		},
		"a comparison": func(t *testing.T, f *fixture, _ *fakeClerk) { f.sweep(t, SweepOptions{}) },
		"a read": func(t *testing.T, f *fixture, c *fakeClerk) {
			found, _, err := c.backend().one(t.Context(), mirrored[0], store.MirrorRef{ID: acme})
			if err == nil {
				err = f.applyEach(t.Context(), found)
			}
			if err != nil {
				t.Error(err)
			}
		},
	}
	for first, arrive := range ways {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			f, clerk := welcoming(t, nil), newFakeClerk(t)
			clerk.one(acme, "Acme Labs")
			f.over(clerk)
			arrive(t, f, clerk)
			if found := f.documents(t); found != once {
				t.Fatalf("after the first: %q", found)
			}
			for name, again := range ways {
				again(t, f, clerk)
				if found := f.documents(t); found != once {
					t.Errorf("after %s: %q", name, found)
				}
			}
			if found := f.value(t, "SELECT count(*) FROM public.organizations WHERE name = 'Acme Labs'"); found != "1" {
				t.Errorf("%s organizations are shown", found)
			}
		})
	}
}

// The write-through welcomes before the mutation answers, and the events that follow do not.
func TestWelcomeByWriteThrough(t *testing.T) {
	t.Parallel()
	g := &managed{fixture: welcoming(t, nil), clerk: newManageClerk(t)}
	g.Manager = g.clerk.manager(g.fixture, ManagerConfig{})
	made, err := g.CreateOrganization(t.Context(), nora, models.OrganizationInput{Name: ptr("Nora's")})
	if err != nil {
		t.Fatal(err)
	}
	want := made.ID + ": Welcome to Nora's"
	if found := g.documents(t); found != want {
		t.Errorf("after the mutation: %q", found)
	}
	if log := g.audited(t, made.ID); len(log) != 2 || !strings.HasPrefix(log[0], "organization.create applied") || !strings.HasPrefix(log[1], "document.create applied Document") {
		t.Errorf("the audit log: %q", log)
	}
	for i, e := range g.clerk.events {
		g.receive(t, fmt.Sprint("msg_", i), e)
	}
	if found := g.documents(t); found != want || len(g.clerk.events) == 0 {
		t.Errorf("after %d events: %q", len(g.clerk.events), found)
	}
}

// Everything at once: eight senders of the event and of a membership's, tokens and comparisons.
func TestWelcomeOnceInARace(t *testing.T) {
	t.Parallel()
	f, clerk := welcoming(t, nil), newFakeClerk(t)
	clerk.one(acme, "Acme Labs")
	clerk.one(globex, "Globex")
	f.over(clerk)
	f.run(t)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range 8 {
		for _, kind := range []string{"organization.created", "organizationMembership.created", "organization.updated"} {
			group.Go(func() {
				<-begin
				f.receive(t, fmt.Sprint("msg_", kind, i), sample(t, kind))
			})
		}
		group.Go(func() {
			<-begin
			f.claim(t, adaAtAcme)
			if err := f.ask(t.Context(), couple{acme, ada}); err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		group.Go(func() {
			<-begin
			if _, err := f.Sweep(t.Context(), SweepOptions{}); err != nil && !errors.Is(err, ErrSweepElsewhere) {
				t.Error(err)
			}
		})
	}
	close(begin)
	group.Wait()
	f.eventually(t, "SELECT count(*) = 0 FROM clerk.inbox WHERE state = 'pending'")
	for _, id := range []string{acme, globex} {
		if found := f.value(t, "SELECT count(*) FROM documents WHERE organization_id = $1", id); found != "1" {
			t.Errorf("%s was welcomed %s times", id, found)
		}
	}
	f.noDeadlock(t)
}

// Neither a repeated event nor one that comes after the deletion welcomes again, and who was dead when it was first heard
// of is not welcomed at all.
func TestWelcomeResurrectsNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events []string
		want   int
	}{
		"again":                  {[]string{"organization.created", "organization.created", "organization.updated"}, 1},
		"deleted, then late":     {[]string{"organization.created", "organization.deleted", "organization.updated", "organizationMembership.created", "organization.created"}, 1},
		"deleted before it came": {[]string{"organization.deleted", "organization.created", "organizationMembership.created", "organization.updated"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := welcoming(t, nil)
			dbtest.Document(t, f.store.Org(globex), models.Document{Title: "Theirs"})
			for i, e := range test.events {
				f.receive(t, fmt.Sprint("msg_", i), sample(t, e))
			}
			if found := f.value(t, "SELECT count(*) FROM documents WHERE organization_id = $1", acme); found != fmt.Sprint(test.want) {
				t.Errorf("%s welcomes, want %d", found, test.want)
			}
			if found := f.value(t, "SELECT count(*) FROM documents WHERE organization_id <> $1", acme); found != "1" {
				t.Errorf("another organization has %s documents", found)
			}
		})
	}
}

// A welcome that fails stops neither the event nor a comparison, and is made up for by the worker; not for who was deleted
// meanwhile.
func TestWelcomeThatFailsStopsNothing(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	f, clerk := welcoming(t, &failing), newFakeClerk(t)
	for _, id := range []string{"org_1", "org_2", "org_3"} {
		clerk.one(id, id)
	}
	f.over(clerk)
	if outcome := f.receive(t, "msg_1", sample(t, "organization.created")); outcome.Result != Applied {
		t.Errorf("the event: %+v", outcome)
	}
	if report := f.sweep(t, SweepOptions{}); report.Kinds["organizations"].Changed != 3 {
		t.Errorf("the comparison: %+v", *report.Kinds["organizations"])
	}
	if found := f.documents(t); found != "" {
		t.Errorf("left behind: %q", found)
	}
	f.receive(t, "msg_2", sample(t, "organization.deleted"))
	f.exec(t, "UPDATE clerk.welcomes SET next_at = now()")
	failing.Store(false)
	f.run(t)
	f.eventually(t, "SELECT count(*) = 4 FROM clerk.welcomes WHERE done_at IS NOT NULL")
	if found := f.documents(t); found != "org_1: Welcome to org_1, org_2: Welcome to org_2, org_3: Welcome to org_3" {
		t.Errorf("made up for: %q", found)
	}
}

// What the welcome costs: so many statements for an organization that is new, none for whatever is not.
func TestWelcomeCostsNothingWhereNothingIsNew(t *testing.T) {
	t.Parallel()
	with, without := welcoming(t, nil), newFixture(t, dbtest.Config(t)).ours()
	var figures []string
	for i, kind := range []string{"organization.created", "organizationMembership.created", "user.created", "organization.updated", "organization.deleted"} {
		var counts [2]int
		for j, f := range []*fixture{without, with} {
			ctx, count := store.WithStatementCount(t.Context())
			if _, err := f.Receive(ctx, Message{ID: fmt.Sprint("msg_", i), Body: sample(t, kind), Received: time.Now()}); err != nil {
				t.Fatal(err)
			}
			counts[j] = count()
		}
		figures = append(figures, fmt.Sprintf("%s %d and %d", kind, counts[0], counts[1]))
		if more := counts[1] - counts[0]; kind != "organization.created" && more != 0 || more > 6 {
			t.Errorf("%s takes %d statements more", kind, more)
		}
	}
	t.Logf("statements without and with a welcome: %s", strings.Join(figures, ", "))

	// The same for a comparison: the second finds nothing new, and a batch of changed ones neither.
	clerk := newFakeClerk(t)
	for i := range 150 {
		clerk.one(fmt.Sprintf("org_%03d", i), "Name")
	}
	var counts [2][3]int
	for j, f := range []*fixture{without, with} {
		f.over(clerk)
		for round := range 3 {
			if round == 2 {
				clerk.set(func() {
					for _, o := range clerk.lists["organizations"] {
						o["name"], o["updated_at"] = "Renamed", 1_782_900_000_500+j
					}
				})
			}
			ctx, count := store.WithStatementCount(t.Context())
			if _, err := f.Sweep(ctx, SweepOptions{}); err != nil {
				t.Fatal(err)
			}
			counts[j][round] = count()
		}
	}
	t.Logf("comparisons of 150 organizations, the first, the second and one where all were renamed: %v without, %v with a welcome", counts[0], counts[1])
	if !slices.Equal(counts[0][1:], counts[1][1:]) {
		t.Errorf("a comparison that finds nothing new takes %v statements, and %v without a welcome", counts[1][1:], counts[0][1:])
	}
}

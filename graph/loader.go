package graph

import (
	"context"
	"sync"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// loader reads objects of one organization in batches, once each per request. Whoever returns a list says beforehand
// which keys its items will ask for; the first one that asks has all of them read in one query. So the number of
// queries does not grow with the list, and nothing waits for a batch to fill.
type loader[K comparable, V any] struct {
	read  func(ctx context.Context, keys []K) (map[K]*V, error)
	mu    sync.Mutex
	calls map[K]*call[K, V]
	due   *call[K, V]
}

// call is one query: due until somebody asks for one of its keys, then under way, then done.
type call[K comparable, V any] struct {
	once  sync.Once
	keys  []K
	found map[K]*V
	err   error
}

func newLoader[K comparable, V any](read func(ctx context.Context, keys []K) (map[K]*V, error)) *loader[K, V] {
	return &loader[K, V]{read: read, calls: map[K]*call[K, V]{}}
}

// expect says that keys will be asked for.
func (l *loader[K, V]) expect(keys ...K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		l.enlist(key)
	}
}

func (l *loader[K, V]) enlist(key K) *call[K, V] {
	if known := l.calls[key]; known != nil {
		return known
	}
	if l.due == nil {
		l.due = &call[K, V]{}
	}
	l.due.keys = append(l.due.keys, key)
	l.calls[key] = l.due
	return l.due
}

// load returns the object of a key, nil where there is none.
func (l *loader[K, V]) load(ctx context.Context, key K) (*V, error) {
	l.mu.Lock()
	mine := l.enlist(key)
	if mine == l.due {
		l.due = nil // its keys are final from here on
	}
	l.mu.Unlock()
	mine.once.Do(func() { mine.found, mine.err = l.read(ctx, mine.keys) })
	return mine.found[key], mine.err
}

// memberKey is a member by user. A key carries its organization, so that no loader answers for another one, even if it were
// handed on from one request to the next.
type memberKey struct{ organizationID, userID string }

// loaders are those of one request and one organization.
type loaders struct {
	members *loader[memberKey, models.Member]
}

type loadersKey struct{}

// WithLoaders returns a context for one request of the organization that is active in it.
func WithLoaders(ctx context.Context, s *store.Store) context.Context {
	active := organizationID(ctx)
	return context.WithValue(ctx, loadersKey{}, &loaders{
		members: newLoader(func(ctx context.Context, keys []memberKey) (map[memberKey]*models.Member, error) {
			var userIDs []string
			for _, key := range keys {
				if key.organizationID == active {
					userIDs = append(userIDs, key.userID)
				}
			}
			members, err := s.Org(active).MembersByUser(ctx, userIDs)
			found := make(map[memberKey]*models.Member, len(members))
			for i := range members {
				found[memberKey{members[i].OrganizationID, members[i].UserID}] = &members[i]
			}
			return found, err
		}),
	})
}

func loadersOf(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

// expectMember says that a member of an organization will be asked for. The user "" is nobody.
func expectMember(ctx context.Context, organizationID, userID string) {
	if userID != "" {
		loadersOf(ctx).members.expect(memberKey{organizationID, userID})
	}
}

// loadMember returns a member of an organization by user, nil where there is none.
func loadMember(ctx context.Context, organizationID, userID string) (*models.Member, error) {
	if userID == "" {
		return nil, nil
	}
	return loadersOf(ctx).members.load(ctx, memberKey{organizationID, userID})
}

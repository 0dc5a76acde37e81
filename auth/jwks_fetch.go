package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	fetchTimeout = 5 * time.Second
	maxKeySet    = 256 << 10
)

func newRemoteKeys(c Config) (*remoteKeys, error) {
	absent, err := lru.New[string, time.Time](absentSize)
	if err != nil {
		return nil, err
	}
	client := http.Client{}
	if c.HTTPClient != nil {
		client = *c.HTTPClient
	}
	// A redirect could lead from https to anywhere.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &remoteKeys{url: c.JWKSURL, client: &client, now: c.Now, logger: c.Logger, keeper: c.Keeper, absent: absent}, nil
}

// fetchedSet is a set that is to be kept for the next start; the zero value is none.
type fetchedSet struct {
	keys *remoteKeys
	body []byte
	at   time.Time
}

// load fetches the set once and puts it in the place of the old one. On failure the old one stays, or else the one that was
// kept.
func (k *remoteKeys) load() fetchedSet {
	// The fetch serves every request that waits for it, so it does not end with the one that started it.
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	body, err := k.get(ctx)
	if err != nil {
		k.logger.Warn("session token keys could not be fetched", "error", err)
		k.restore()
		return fetchedSet{}
	}
	keys, skipped, err := parseKeySet(body)
	for _, reason := range skipped {
		k.logger.Warn("a session token key is not used", "error", reason)
	}
	if err != nil {
		k.logger.Warn("session token keys could not be read", "error", err)
		k.restore()
		return fetchedSet{}
	}
	fetched := fetchedSet{k, body, k.clock()}
	k.replace(keys, fetched.at)
	return fetched
}

// keep has the keeper keep a set that was fetched.
func (f fetchedSet) keep() {
	if f.keys == nil || f.keys.keeper == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	if err := f.keys.keeper.KeepKeys(ctx, f.body, f.at); err != nil {
		f.keys.logger.Warn("session token keys could not be kept for the next start", "error", err)
	}
}

// restore takes the set that was kept, where this process has fetched none yet. It serves as long as it would have. What
// was fetched in the future was kept by a wrong clock, and may be of any age.
func (k *remoteKeys) restore() {
	if k.keeper == nil || k.set.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	body, at, err := k.keeper.KeptKeys(ctx)
	if err != nil {
		k.logger.Warn("the kept session token keys could not be read", "error", err)
		return
	}
	if age := k.clock().Sub(at); body == nil || age > keepFor || age < -leeway {
		return
	}
	keys, _, err := parseKeySet(body)
	if err != nil || len(keys) == 0 {
		k.logger.Warn("the kept session token keys could not be read", "error", err)
		return
	}
	k.replace(keys, at.Round(0))
	k.logger.Info("session token keys of an earlier run are used until Clerk answers", "fetched", at)
}

func (k *remoteKeys) get(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeySet {
		return nil, errors.New("answer too large")
	}
	return body, nil
}

// replace makes keys the current set. What is not among them is dropped at once; what was held already stays the same
// key, so that tokens verified with it need not be verified again.
func (k *remoteKeys) replace(keys []*publicKey, fetched time.Time) {
	old := k.set.Load()
	set := &keySet{keys: make(map[string][]*publicKey, len(keys)), fetched: fetched}
	for _, key := range keys {
		set.keys[key.id] = append(set.keys[key.id], old.same(key))
	}
	k.set.Store(set)
	if old == nil {
		k.logger.Info("session token keys fetched", "keys", len(keys))
		return
	}
	for id := range old.keys {
		if set.keys[id] == nil {
			k.logger.Warn("a session token key is no longer valid", "kid", id)
		}
	}
}

// same returns the key of this set that equals the given one, or the given one.
func (s *keySet) same(key *publicKey) *publicKey {
	if s == nil {
		return key
	}
	for _, held := range s.keys[key.id] {
		if held.rsa.Equal(key.rsa) {
			return held
		}
	}
	return key
}

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

// load fetches the set once and puts it in the place of the old one. On failure the old one stays.
func (k *remoteKeys) load() {
	// The fetch serves every request that waits for it, so it does not end with the one that started it.
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	body, err := k.get(ctx)
	if err != nil {
		k.logger.Warn("session token keys could not be fetched", "error", err)
		k.restore()
		return
	}
	keys, skipped, err := parseKeySet(body)
	if err != nil {
		k.logger.Warn("session token keys could not be read", "error", err)
		return
	}
	for _, reason := range skipped {
		k.logger.Warn("a session token key is not used", "error", reason)
	}
	fetched := k.clock()
	k.replace(keys, fetched)
	if k.keeper == nil {
		return
	}
	if err := k.keeper.KeepKeys(ctx, body, fetched); err != nil {
		k.logger.Warn("session token keys could not be kept for the next start", "error", err)
	}
}

// restore takes the set that was kept, where this process has fetched none yet. It serves as long as it would have.
func (k *remoteKeys) restore() {
	if k.keeper == nil || k.set.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	body, fetched, err := k.keeper.KeptKeys(ctx)
	if err != nil {
		k.logger.Warn("the kept session token keys could not be read", "error", err)
		return
	}
	if body == nil || k.clock().Sub(fetched) > keepFor {
		return
	}
	keys, _, err := parseKeySet(body)
	if err != nil {
		k.logger.Warn("the kept session token keys could not be read", "error", err)
		return
	}
	k.replace(keys, fetched.Round(0))
	k.logger.Info("session token keys of an earlier run are used until Clerk answers", "fetched", fetched)
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

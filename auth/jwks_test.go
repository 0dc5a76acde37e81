package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFirstRequestFetchesTheKeys(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
		if err := v.Ready(); !errors.Is(err, ErrKeysUnavailable) {
			t.Errorf("ready without keys: %v", err)
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := verifies(t, v, testKid, ourKey()); got != "" {
					t.Errorf("got %q", got)
				}
			})
		}
		all.Wait()
		if n := clerk.count(); n != 1 {
			t.Errorf("%d fetches for 50 first requests, want 1", n)
		}
		if err := v.Ready(); err != nil {
			t.Error(err)
		}
		want(t, v.InstanceID(), testKid)
	})
}

func TestFirstRequestWaitsABoundedTime(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fakeClerk){
		"Clerk hangs":        func(f *fakeClerk) { f.takes = time.Hour },
		"Clerk is away":      func(f *fakeClerk) { f.down = true },
		"Clerk is broken":    func(f *fakeClerk) { f.status = http.StatusBadGateway },
		"Clerk redirects":    func(f *fakeClerk) { f.status = http.StatusFound },
		"Clerk sends a page": func(f *fakeClerk) { f.body = "<html>" },
		"no keys member":     func(f *fakeClerk) { f.body = `{"errors":[]}` },
		"endless answer":     func(f *fakeClerk) { f.body = ourSet() + strings.Repeat(" ", maxKeySet) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
				clerk.set(change)
				began := time.Now()
				want(t, verifies(t, v, testKid, ourKey()), "unavailable")
				if waited := time.Since(began); waited > waitAtMost {
					t.Errorf("waited %s", waited)
				}
				if n := clerk.count(); n > 4 {
					t.Errorf("%d fetches", n)
				}
				// The fetch that is still under way ends by itself.
				time.Sleep(fetchTimeout)
			})
		})
	}
}

func TestARequestThatIsGivenUpDoesNotEndTheFetch(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
		clerk.set(func(f *fakeClerk) { f.takes = time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := v.Verify(ctx, mint(goodClaims(time.Now())))
		want(t, outcome(err), "unavailable")
		time.Sleep(time.Second)
		if err := v.Ready(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheFetchUnderWayIsJoined(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		clerk.set(func(f *fakeClerk) { f.takes = time.Second })
		var request sync.WaitGroup
		request.Go(func() {
			if got := verifies(t, v, testKid, ourKey()); got != "" {
				t.Errorf("got %q", got)
			}
		})
		time.Sleep(500 * time.Millisecond)
		start()
		request.Wait()
		time.Sleep(2 * time.Second)
		if n := clerk.count(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

func TestStartDuringAnOutage(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		clerk.set(func(f *fakeClerk) { f.down = true })
		start()
		time.Sleep(time.Hour)
		want(t, verifies(t, v, testKid, ourKey()), "unavailable")
		time.Sleep(fetchTimeout) // whatever that request started has ended
		clerk.set(func(f *fakeClerk) { f.down = false })
		time.Sleep(retryLast + time.Second)
		synctest.Wait()
		if err := v.Ready(); err != nil {
			t.Error(err)
		}
		before := clerk.count()
		want(t, verifies(t, v, testKid, ourKey()), "")
		if clerk.count() != before {
			t.Error("a request fetched although the keys were there")
		}
	})
}

func TestKeysAreRefreshedInTheBackground(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		start()
		time.Sleep(time.Hour + time.Minute)
		if n := clerk.count(); n != 7 {
			t.Errorf("%d fetches in an hour, want one at the start and 6 refreshes", n)
		}
		want(t, verifies(t, v, testKid, ourKey()), "")
	})
}

func TestADroppedKeyIsRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"replaced by another":           keySetOf(jwkOf("ins_2Next", &nextKey().PublicKey)),
		"replaced under the same id":    keySetOf(jwkOf(testKid, &nextKey().PublicKey)),
		"no key left":                   keySetOf(),
		"still there, but for nothing":  keySetOf(jwkOf(testKid, &ourKey().PublicKey).with(object{"use": "enc"})),
		"still there, for another use":  keySetOf(jwkOf(testKid, &ourKey().PublicKey).with(object{"key_ops": []string{"sign"}})),
		"still there, but for RS512":    keySetOf(jwkOf(testKid, &ourKey().PublicKey).with(object{"alg": "RS512"})),
		"still there, under another id": keySetOf(jwkOf("ins_2Other", &ourKey().PublicKey)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
				start()
				synctest.Wait()
				token := mint(goodClaims(time.Now()).with(object{"exp": time.Now().Add(time.Hour).Unix()}))
				_, err := v.Verify(t.Context(), token)
				want(t, outcome(err), "")
				clerk.set(func(f *fakeClerk) { f.body = body })
				time.Sleep(refreshEvery + time.Second)
				for range 2 {
					_, err = v.Verify(t.Context(), token)
					if got := outcome(err); got != ReasonKey && got != ReasonSignature {
						t.Fatalf("a token that was verified before its key was dropped: %q", got)
					}
				}
			})
		})
	}
}

func TestAKeptKeyKeepsItsTokens(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		start()
		synctest.Wait()
		token := mint(goodClaims(time.Now()).with(object{"exp": time.Now().Add(time.Hour).Unix()}))
		first, err := v.Verify(t.Context(), token)
		want(t, outcome(err), "")
		clerk.set(func(f *fakeClerk) {
			f.body = keySetOf(jwkOf("ins_2Next", &nextKey().PublicKey), jwkOf(testKid, &ourKey().PublicKey))
		})
		time.Sleep(refreshEvery + time.Second)
		second, err := v.Verify(t.Context(), token)
		want(t, outcome(err), "")
		if first != second {
			t.Error("the token was verified again")
		}
		want(t, verifies(t, v, "ins_2Next", nextKey()), "")
	})
}

// While a key is being replaced, both may stand under the instance's id.
func TestTwoKeysUnderOneID(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
		clerk.set(func(f *fakeClerk) {
			f.body = keySetOf(jwkOf(testKid, &nextKey().PublicKey), jwkOf(testKid, &ourKey().PublicKey))
		})
		want(t, verifies(t, v, testKid, ourKey()), "")
		want(t, verifies(t, v, testKid, nextKey()), "")
		want(t, verifies(t, v, testKid, foreignKey()), ReasonSignature)
	})
}

func TestTheLastGoodSetServesADay(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fakeClerk){
		"away":        func(f *fakeClerk) { f.down = true },
		"broken":      func(f *fakeClerk) { f.status = http.StatusInternalServerError },
		"not its own": func(f *fakeClerk) { f.body = `{"message":"upgrade your plan"}` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
				start()
				synctest.Wait()
				time.Sleep(time.Second)
				clerk.set(change)
				for range 24 {
					time.Sleep(time.Hour - time.Second)
					want(t, verifies(t, v, testKid, ourKey()), "")
					if err := v.Ready(); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				want(t, verifies(t, v, testKid, ourKey()), "unavailable")
				if err := v.Ready(); !errors.Is(err, ErrKeysUnavailable) {
					t.Errorf("ready with keys of yesterday: %v", err)
				}
				clerk.set(func(f *fakeClerk) { f.down, f.status, f.body = false, http.StatusOK, ourSet() })
				want(t, verifies(t, v, testKid, ourKey()), "")
			})
		})
	}
}

// keeper keeps keys in memory, for several verifiers.
type keeper struct {
	mu      sync.Mutex
	body    []byte
	fetched time.Time
}

func (k *keeper) KeptKeys(context.Context) ([]byte, time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.body, k.fetched, nil
}

func (k *keeper) KeepKeys(_ context.Context, body []byte, fetched time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.body, k.fetched = body, fetched
	return nil
}

// A restart while Clerk is away goes on with the keys that were kept, for as long as the process before would have.
func TestRestartDuringAnOutage(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		kept := new(keeper)
		v.keys.(*remoteKeys).keeper = kept
		start()
		synctest.Wait()
		time.Sleep(time.Second)
		if body, _, _ := kept.KeptKeys(t.Context()); body == nil {
			t.Fatal("nothing was kept")
		}
		clerk.set(func(f *fakeClerk) { f.down = true })
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		restart := func() *Verifier {
			again := newVerifier(t, Config{JWKSURL: testJWKS, HTTPClient: &http.Client{Transport: clerk}, Now: time.Now, Keeper: kept})
			running.Go(func() { again.Run(ctx) })
			return again
		}
		defer time.Sleep(fetchTimeout) // whatever a request has started ends within it
		time.Sleep(22 * time.Hour)
		want(t, verifies(t, restart(), testKid, ourKey()), "")
		time.Sleep(3 * time.Hour)
		want(t, verifies(t, restart(), testKid, ourKey()), "unavailable")

		clerk.set(func(f *fakeClerk) { f.down, f.body = false, keySetOf(jwkOf("ins_2NextKey", &nextKey().PublicKey)) })
		again := restart()
		time.Sleep(refreshEvery)
		want(t, verifies(t, again, testKid, ourKey()), ReasonKey)
	})
}

func TestUnknownKeysFetchRarely(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		start()
		time.Sleep(time.Minute)
		before := clerk.count()
		payload := goodClaims(time.Now()).json()
		foreign := sign(foreignKey(), goodHeader().json(), payload)
		rest := foreign[strings.IndexByte(foreign, '.'):]
		const tokens = 100_000
		for i := range tokens {
			kid := fmt.Sprintf("ins_2Foreign%d", i)
			_, err := v.Verify(t.Context(), b64([]byte(goodHeader().with(object{"kid": kid}).json()))+rest)
			if got := outcome(err); got != ReasonKey {
				t.Fatalf("got %q", got)
			}
			time.Sleep(time.Minute / tokens)
		}
		if n := clerk.count() - before; n > 3 {
			t.Errorf("%d fetches for %d unknown keys in a minute", n, tokens)
		}
		if v.keys.(*remoteKeys).absent.Len() > absentSize {
			t.Error("the list of foreign ids grows without end")
		}
	})
}

func TestOneForeignKeyIsRemembered(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		start()
		time.Sleep(time.Minute)
		before := clerk.count()
		for range 3 {
			want(t, verifies(t, v, "ins_2Foreign", foreignKey()), ReasonKey)
			time.Sleep(unknownSpacing + time.Second)
		}
		if n := clerk.count() - before; n != 1 {
			t.Errorf("%d fetches for one foreign id, want 1", n)
		}
		time.Sleep(absentFor)
		want(t, verifies(t, v, "ins_2Foreign", foreignKey()), ReasonKey)
		if n := clerk.count() - before; n != 2 {
			t.Errorf("%d fetches after the id was forgotten, want 2", n)
		}
	})
}

func TestANewKeyIsFoundBeforeTheNextRefresh(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, start func()) {
		start()
		time.Sleep(time.Minute)
		clerk.set(func(f *fakeClerk) {
			f.body = keySetOf(jwkOf(testKid, &ourKey().PublicKey), jwkOf("ins_2Next", &nextKey().PublicKey))
		})
		want(t, verifies(t, v, "ins_2Next", nextKey()), "")
		want(t, verifies(t, v, testKid, ourKey()), "")
	})
}

func TestAnUnknownKeyDuringAnOutageIsRefusedAndNotRemembered(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
		want(t, verifies(t, v, testKid, ourKey()), "")
		clerk.set(func(f *fakeClerk) { f.down = true })
		time.Sleep(unknownSpacing)
		want(t, verifies(t, v, "ins_2Next", nextKey()), ReasonKey)
		clerk.set(func(f *fakeClerk) { f.down, f.body = false, keySetOf(jwkOf("ins_2Next", &nextKey().PublicKey)) })
		time.Sleep(unknownSpacing)
		want(t, verifies(t, v, "ins_2Next", nextKey()), "")
	})
}

// A laptop that slept wakes with keys of yesterday, and its timers stood still.
func TestALateRefreshIsMadeUpByARequest(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
		want(t, verifies(t, v, testKid, ourKey()), "")
		time.Sleep(refreshEvery + 2*unknownSpacing)
		want(t, verifies(t, v, testKid, ourKey()), "")
		time.Sleep(time.Second)
		if n := clerk.count(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestATokenWithoutKeyIDIsRefused(t *testing.T) {
	t.Parallel()
	withClerk(t, func(t *testing.T, clerk *fakeClerk, v *Verifier, _ func()) {
		for _, header := range []object{goodHeader().with(object{"kid": nil}), goodHeader().with(object{"kid": ""})} {
			_, err := v.Verify(t.Context(), sign(ourKey(), header.json(), goodClaims(time.Now()).json()))
			want(t, outcome(err), ReasonKey)
		}
		if clerk.count() != 0 {
			t.Error("it made the verifier fetch")
		}
	})
}

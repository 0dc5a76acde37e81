package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	crashSenders = 8
	// senderPatience is how long Svix waits for an answer.
	senderPatience = 15 * time.Second
	// senderPause is the most that a sender waits before it sends again; Svix waits 5 s and more.
	senderPause = 50 * time.Millisecond
)

// crashSender sends every event of a clerkTruth as Svix does: under the same id and with the same body until it has seen a
// 2xx, in no order, several at a time. One answer in ten is lost on its way.
type crashSender struct {
	t           *testing.T
	url, secret string
	truth       *clerkTruth
	client      *http.Client

	deliveries, unanswered, refused, lost atomic.Int64

	mu           sync.Mutex
	acknowledged []string
}

// run returns when all events of a truth that is over are acknowledged, or ctx has ended.
func (s *crashSender) run(ctx context.Context) {
	s.client = &http.Client{Timeout: senderPatience, Transport: &http.Transport{MaxIdleConnsPerHost: crashSenders}}
	defer s.client.CloseIdleConnections()
	var senders sync.WaitGroup
	for range crashSenders {
		senders.Go(func() {
			for e, ok := s.truth.next(); ok && ctx.Err() == nil; e, ok = s.truth.next() {
				s.deliver(ctx, e)
			}
		})
	}
	senders.Wait()
}

// deliver sends one event until it is acknowledged.
func (s *crashSender) deliver(ctx context.Context, e clerkEvent) {
	for ctx.Err() == nil {
		acknowledged, err := s.attempt(e)
		if err != nil {
			s.t.Errorf("%s: %v", e.id, err)
			return
		}
		if acknowledged {
			s.mu.Lock()
			s.acknowledged = append(s.acknowledged, e.id)
			s.mu.Unlock()
			return
		}
		time.Sleep(rand.N(senderPause))
	}
}

// attempt sends an event once. Its error is an answer that no kill excuses.
func (s *crashSender) attempt(e clerkEvent) (acknowledged bool, err error) {
	request, err := http.NewRequest(http.MethodPost, s.url+webhookPath, strings.NewReader(string(e.body)))
	if err != nil {
		return false, err
	}
	request.Header = delivery(s.t, s.secret, e.id, time.Now(), e.body)
	s.deliveries.Add(1)
	response, err := s.client.Do(request)
	if err != nil {
		s.unanswered.Add(1)
		return false, nil // killed, or not there yet
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	switch {
	case response.StatusCode == http.StatusServiceUnavailable:
		s.refused.Add(1)
	case response.StatusCode/100 != 2:
		return false, errors.New("answered " + response.Status)
	case rand.N(10) == 0:
		s.lost.Add(1)
	default:
		return true, nil
	}
	return false, nil
}

func (s *crashSender) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d deliveries, %d without an answer, %d refused with 503, %d answers lost, %d acknowledged",
		s.deliveries.Load(), s.unanswered.Load(), s.refused.Load(), s.lost.Load(), len(s.acknowledged))
}

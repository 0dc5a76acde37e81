package clerk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// deliveryTimeout is how long Svix waits for an answer.
const deliveryTimeout = 15 * time.Second

// sender signs messages as Svix does and posts them to one URL.
type sender struct {
	hook   *svix.Webhook
	url    string
	now    func() time.Time
	client *http.Client
}

func newSender(hook *svix.Webhook, target string, now func() time.Time) *sender {
	return &sender{
		hook: hook, url: target, now: now,
		client: &http.Client{
			Timeout: deliveryTimeout,
			// No Proxy: the receiver is on this machine.
			Transport: &http.Transport{MaxIdleConnsPerHost: concurrentDeliveries},
			// To Svix a redirect is a failed delivery.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (s *sender) close() { s.client.CloseIdleConnections() }

// send makes one attempt. It returns nil if the answer is 2xx, and an error
// without URL, body or signature otherwise.
func (s *sender) send(ctx context.Context, m message) error {
	// The timestamp is the attempt's: receivers refuse what is 5 minutes old.
	at := s.now()
	signature, err := s.hook.Sign(m.ID, at, []byte(m.Body))
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(m.Body))
	if err != nil {
		return errors.New("the webhook URL cannot be requested")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Svix-Webhooks (tenantry local)")
	request.Header.Set("Svix-Id", m.ID)
	request.Header.Set("Svix-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Svix-Signature", signature)

	response, err := s.client.Do(request)
	if err != nil {
		var around *url.Error
		if errors.As(err, &around) {
			err = around.Err
		}
		return err
	}
	defer response.Body.Close()
	// Read a little, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("answered %d", response.StatusCode)
	}
	return nil
}

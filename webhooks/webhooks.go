// Package webhooks is the door that Clerk's events come through: it verifies what Svix signed, hands it to the mirror
// and answers. It knows nothing of what is in an event.
package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"github.com/tenantry/tenantry/internal/body"
	"github.com/tenantry/tenantry/internal/mirror"
)

// Receiver takes a verified delivery in. An error says that it is not stored and has to be sent again.
type Receiver interface {
	Receive(ctx context.Context, message mirror.Message) (mirror.Outcome, error)
}

// Config says whom to believe and when to refuse.
type Config struct {
	// Secrets are the endpoint's signing secrets (whsec_...): one, or several while they are being rotated.
	Secrets []string
	// MaxBody bounds a delivery; 1 MiB unless given, far above any real event.
	MaxBody int64
	// Draining says that the server is about to stop and takes nothing in; never unless given.
	Draining func() bool
	// Now is the clock; time.Now unless given.
	Now func() time.Time
	// Logger gets one line per delivery, without body, signature or secret; slog.Default unless given.
	Logger *slog.Logger
}

const (
	maxBody = 1 << 20
	// smallBody is the size up to which a delivery is read while large ones take all the memory that
	// they may have. Clerk's events are smaller, and so nobody can keep them out with large bodies.
	smallBody = 32 << 10
	// largeBodies is how many bytes of large deliveries may be in memory at once.
	largeBodies = 4 << 20
	// storeWithin keeps the answer well inside the 15 s after which the sender gives up.
	storeWithin = 10 * time.Second
	// retryAfter is the sender's own first step of patience, in seconds.
	retryAfter = "5"
)

type handler struct {
	receiver Receiver
	secrets  []*svix.Webhook
	config   Config
	bodies   *body.Reader
}

// New returns the handler of the webhook endpoint. It returns an error where there is no secret, or one of them is empty
// (with which anybody could sign) or malformed.
func New(receiver Receiver, config Config) (http.Handler, error) {
	h := &handler{receiver: receiver, config: config, bodies: body.NewReader(smallBody, largeBodies)}
	if len(config.Secrets) == 0 {
		return nil, errors.New("webhooks: no signing secret")
	}
	for i, secret := range config.Secrets {
		secret = strings.TrimSpace(secret)
		if strings.TrimPrefix(secret, "whsec_") == "" {
			return nil, fmt.Errorf("webhooks: signing secret %d is empty", i+1)
		}
		verifier, err := svix.NewWebhook(secret)
		if err != nil {
			return nil, fmt.Errorf("webhooks: signing secret %d is not base64 behind whsec_", i+1) // the cause quotes it
		}
		h.secrets = append(h.secrets, verifier)
	}
	if h.config.MaxBody == 0 {
		h.config.MaxBody = maxBody
	}
	if h.config.Draining == nil {
		h.config.Draining = func() bool { return false }
	}
	if h.config.Now == nil {
		h.config.Now = time.Now
	}
	if h.config.Logger == nil {
		h.config.Logger = slog.Default()
	}
	return h, nil
}

// ServeHTTP looks at the headers before it reads the body. It answers 204 to whatever a retry cannot
// help with, because failures count towards the endpoint being switched off, and anything else only
// where sending again can: 401, 413, 503. Never 3xx or 410, and no header of the request comes back: a
// 410 or a header webhook-delivery would stop deliveries.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		h.bodies.Leave(w, r)
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed)
		return
	}
	if h.config.Draining() {
		h.bodies.Leave(w, r)
		h.later(w)
		return
	}
	signed, err := h.checkHeaders(r.Header)
	if err != nil {
		h.bodies.Leave(w, r)
		h.config.Logger.Warn("webhook refused", "reason", err.Error())
		answer(w, http.StatusUnauthorized)
		return
	}
	content, err := h.bodies.Read(w, r, h.config.MaxBody)
	if err != nil {
		h.unreadable(w, err)
		return
	}
	defer content.Free()
	if err := h.checkSignature(signed, content.Bytes()); err != nil {
		h.config.Logger.Warn("webhook refused", "reason", err.Error(), "bytes", len(content.Bytes()))
		answer(w, http.StatusUnauthorized)
		return
	}
	id := signed.Get("svix-id")
	ctx, cancel := context.WithTimeout(r.Context(), storeWithin)
	defer cancel()
	outcome, err := h.receiver.Receive(ctx, mirror.Message{ID: id, Body: bytes.Clone(content.Bytes()), Received: h.config.Now()})
	if err != nil {
		h.config.Logger.Error("webhook not stored", "svix_id", id, "type", outcome.Type, "error", err)
		h.later(w)
		return
	}
	h.config.Logger.Info("webhook", "svix_id", id, "type", outcome.Type, "outcome", string(outcome.Result))
	w.WriteHeader(http.StatusNoContent)
}

// later asks the sender to come again: nothing is stored.
func (h *handler) later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	answer(w, http.StatusServiceUnavailable)
}

func (h *handler) unreadable(w http.ResponseWriter, err error) {
	h.config.Logger.Warn("webhook refused", "reason", err.Error())
	switch {
	case errors.Is(err, body.ErrTooLarge):
		answer(w, http.StatusRequestEntityTooLarge)
	case errors.Is(err, body.ErrNoRoom), errors.Is(err, body.ErrSlow):
		h.later(w)
	default:
		answer(w, http.StatusBadRequest)
	}
}

func answer(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

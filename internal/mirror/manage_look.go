package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/tenantry/tenantry/models"
)

// ask reads a path. What there is not is models.ErrNotFound.
func (m *Manager) ask(ctx context.Context, path string, query url.Values) (said, error) {
	return m.askSeen(ctx, new(sighting), path, query)
}

// askSeen does what ask does, and notes in seen what came.
func (m *Manager) askSeen(ctx context.Context, seen *sighting, path string, query url.Values) (said, error) {
	body, at, err := m.reads.getSeen(ctx, seen, path, query)
	if errors.Is(err, ErrGone) {
		return said{}, models.ErrNotFound
	}
	return said{body, at}, err
}

// unreadable is the error for a change that was not begun because Clerk could not be read.
func (m *Manager) unreadable(seen *sighting, err error) error {
	if !errors.Is(err, ErrBackendUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, ErrBackendUnavailable) && seen.status != 0 && seen.status != http.StatusTooManyRequests {
		seen.failed = true // it answered what cannot be read
	}
	m.breaker.heard(seen.judgment())
	return unavailable(max(seen.overdrawn, seen.retryAfter))
}

// among finds what carries a marker in a list.
func (m *Manager) among(ctx context.Context, path string, query url.Values, marker string) (said, error) {
	list, err := m.ask(ctx, path, query)
	if err != nil {
		return said{}, err
	}
	var envelope struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(list.body, &envelope); err != nil {
		return said{}, ErrBackendUnavailable
	}
	for _, raw := range envelope.Data {
		var extra organizationExtra
		if json.Unmarshal(raw, &extra) == nil && extra.PrivateMetadata[markerKey] == marker {
			return said{raw, list.at}, nil
		}
	}
	return said{}, errAbsent
}

package clerk

import (
	"encoding/json"
	"fmt"
	"time"
)

// envelope is the form of every webhook event. It has no id of its own: that
// is the svix-id of its message.
type envelope struct {
	Data       any             `json:"data"`
	Attributes eventAttributes `json:"event_attributes"`
	InstanceID string          `json:"instance_id"`
	Object     string          `json:"object"`
	Timestamp  int64           `json:"timestamp"` // milliseconds
	Type       string          `json:"type"`
}

type eventAttributes struct {
	HTTPRequest eventRequest `json:"http_request"`
}

type eventRequest struct {
	ClientIP  string `json:"client_ip"`
	UserAgent string `json:"user_agent"`
}

// emit queues an event about data, which must be as it is after the change,
// and returns the message's id.
func (s *state) emit(eventType string, data any, now time.Time) (string, error) {
	body, err := json.Marshal(envelope{
		Data:       data,
		Attributes: eventAttributes{HTTPRequest: eventRequest{ClientIP: "127.0.0.1", UserAgent: "tenantry"}},
		InstanceID: s.InstanceID,
		Object:     "event",
		Timestamp:  s.tick(now),
		Type:       eventType,
	})
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", eventType, err)
	}
	m := message{ID: newID("msg"), Type: eventType, Body: string(body)}
	s.Queue = append(s.Queue, m)
	return m.ID, nil
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/probe"
)

// graphqlPath is where a server answers operations.
const graphqlPath = "/graphql"

// speaker sends operations to a server.
type speaker struct {
	url  string
	http *http.Client
}

// voiceTimeout is longer than a server works on an operation.
const voiceTimeout = 60 * time.Second

func newSpeaker(url string) *speaker {
	url = strings.TrimRight(url, "/")
	if !strings.HasSuffix(url, graphqlPath) {
		url += graphqlPath
	}
	return &speaker{url: url, http: &http.Client{
		Timeout:       voiceTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is a voice with the token of the moment.
func (s *speaker) as(token func(context.Context) (string, error)) probe.Voice {
	return func(ctx context.Context, operation string, variables map[string]any) (probe.Answer, error) {
		body, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
		if err != nil {
			return probe.Answer{}, err
		}
		for attempt := 0; ; attempt++ {
			if err := ctx.Err(); err != nil {
				return probe.Answer{}, err
			}
			sending := ctx
			if strings.HasPrefix(operation, "mutation") {
				sending = context.WithoutCancel(ctx) // whoever does not wait for it does not know what there is to take away
			}
			answer, wait, err := s.send(sending, body, token)
			if err != nil || answer.Status != http.StatusTooManyRequests || attempt == mostWaits {
				return answer, err
			}
			select {
			case <-ctx.Done():
				return answer, ctx.Err()
			case <-time.After(wait):
			}
		}
	}
}

// mostWaits is how often a server may say that it is asked too often, longestWait what it is believed.
const (
	mostWaits   = 5
	longestWait = 30 * time.Second
)

var errToken = errors.New("the server does not take the token: session tokens live for 60 s, and those of JWT templates are none; " +
	"give @FILE and let another program write fresh ones there")

func (s *speaker) send(ctx context.Context, body []byte, token func(context.Context) (string, error)) (answer probe.Answer, wait time.Duration, err error) {
	bearer, err := token(ctx)
	if err != nil {
		return answer, 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return answer, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+bearer)
	response, err := s.http.Do(request)
	if err != nil {
		return answer, 0, err
	}
	defer response.Body.Close()
	answer.Status = response.StatusCode
	if answer.Body, err = io.ReadAll(io.LimitReader(response.Body, 16<<20)); err != nil {
		return answer, 0, err
	}
	if answer.Status == http.StatusUnauthorized {
		return answer, 0, errToken
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return answer, min(time.Duration(seconds)*time.Second, longestWait), nil
}

// ask asks one operation and reads its data. Its error is what the server said.
func ask(ctx context.Context, voice probe.Voice, operation string, variables map[string]any, data any) error {
	answer, err := voice(ctx, operation, variables)
	if err != nil {
		return err
	}
	var got struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Message    string         `json:"message"`
			Extensions map[string]any `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		return fmt.Errorf("there is no GraphQL server: status %d", answer.Status)
	}
	if len(got.Errors) > 0 {
		return fmt.Errorf("%s (%v)", printable(got.Errors[0].Message), got.Errors[0].Extensions["code"])
	}
	if data == nil {
		return nil
	}
	return json.Unmarshal(got.Data, data)
}

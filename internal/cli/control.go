package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// controlTimeout is longer than a webhook delivery, which a change of members waits for.
const controlTimeout = 20 * time.Second

// control calls the control API of a running server's local Clerk.
type control struct {
	dir  string
	base string
	// secret is the key of the Backend API, where that is called.
	secret string
	http   *http.Client
}

// connect finds the server with the local Clerk that runs in the folder. Returns an error that says how to start one, or
// what to do instead for a server with another Clerk.
func connect(dir, instead string) (*control, error) {
	state := stateDir(dir)
	running, err := ReadRunning(state)
	if errors.Is(err, errNoServer) {
		return nil, fmt.Errorf("%w; %s", err, instead)
	}
	if err != nil {
		return nil, err
	}
	return &control{
		dir:  state,
		base: strings.TrimRight(running.URL, "/") + "/__clerk/control/v1",
		// No proxy: the server is on this machine. No redirect: nothing there redirects.
		http: &http.Client{
			Timeout:       controlTimeout,
			Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// call sends in as JSON and reads the answer into out. Returns what the local Clerk says is wrong, in one line, or why
// it could not be asked.
func (c *control) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.secret != "" {
		request.Header.Set("Authorization", "Bearer "+c.secret)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return c.unreachable(ctx, err)
	}
	if response.StatusCode/100 != 2 {
		return refusal(response.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return errNoLocalClerk
	}
	return nil
}

// useDashboard is what to do where a server has no local Clerk.
const useDashboard = "with your own Clerk, use its dashboard"

var errNoLocalClerk = errors.New("the running server has no local Clerk, which only runs without Clerk keys: " + useDashboard)

// unreachable explains an exchange that failed: nobody listens there, or nobody answers.
func (c *control) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("the server did not answer within %s", controlTimeout)
	}
	return fmt.Errorf("the server named in %s has stopped: start it again with `go run .`", filepath.Join(c.dir, runningFile))
}

// refusal is the message in a Clerk-shaped error body.
func refusal(status int, answer []byte) error {
	var body struct {
		Errors []struct {
			Message     string `json:"message"`
			LongMessage string `json:"long_message"`
		} `json:"errors"`
	}
	if json.Unmarshal(answer, &body) != nil || len(body.Errors) == 0 {
		if status == http.StatusNotFound {
			return errNoLocalClerk
		}
		return fmt.Errorf("the server answered %d %s", status, http.StatusText(status))
	}
	message := body.Errors[0].LongMessage
	if message == "" {
		message = body.Errors[0].Message
	}
	return errors.New(strings.Join(strings.Fields(message), " "))
}

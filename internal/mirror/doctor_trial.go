package mirror

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// trial makes objects in a development instance, changes and removes them. A step that fails leaves its reason in why,
// and the steps that need it are left out.
type trial struct {
	probe *Probe
	// name is in the name of all that is made, and no other's.
	name  string
	clean []made
	// lost says that it is not known what became of some request, so that there may be objects that nobody noted.
	lost bool
	// pause is that before a removal is tried again, times the attempts before.
	pause time.Duration
	left  []string // what could not be removed, for people

	why          map[string]string
	raised       map[string]times // by kind of object: updated_at before and after a change
	memberships  [2]string        // ids of the membership before leaving and after joining again
	deletion     times            // updated_at of a membership before, and in the answer to, its deletion
	token        *tokenSeen
	permissionID string // one that exists, for the role

	organization, userA, userB string
	ids                        map[string]bool // of all that was made
}

type times struct{ before, after int64 }

// made is an object that is to be removed.
type made struct{ what, path string }

// thing is what the trial reads of an object.
type thing struct {
	ID        text   `json:"id"`
	CreatedAt millis `json:"created_at"`
	UpdatedAt millis `json:"updated_at"`
	Role      text   `json:"role"`
	JWT       text   `json:"jwt"`
}

func newTrial(p *Probe, e *evidence, pause time.Duration) *trial {
	return &trial{
		probe: p, pause: pause, name: "tenantry-doctor-" + strings.ToLower(rand.Text()[:10]), why: map[string]string{}, raised: map[string]times{},
		ids: map[string]bool{}, left: []string{}, permissionID: e.somePermission(),
	}
}

// body is that of a request.
type body = map[string]any

// oneRequest bounds a request of a trial. It is not cut off with the trial: an answer that nobody read would be an object
// that nobody removes.
const oneRequest = 30 * time.Second

// do makes a request unless ctx has ended.
func (t *trial) do(ctx context.Context, method, path string, in body) (thing, error) {
	if ctx.Err() != nil {
		return thing{}, ctx.Err()
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), oneRequest)
	defer cancel()
	var payload any
	if in != nil {
		payload = in
	}
	r, err := t.probe.ask(whole, method, path, nil, payload)
	if err != nil {
		t.lost = t.lost || method != http.MethodGet && (r.status == 0 || r.status >= http.StatusInternalServerError)
		return thing{}, err
	}
	var got thing
	if json.Unmarshal(r.body, &got) != nil {
		t.lost = t.lost || method != http.MethodGet
		return thing{}, errors.New("the answer cannot be read")
	}
	return got, nil
}

// create makes an object and notes that it is to be removed; format is its path.
func (t *trial) create(ctx context.Context, what, list, format string, in body) (thing, string, error) {
	got, err := t.do(ctx, http.MethodPost, list, in)
	if err != nil {
		return thing{}, "", err
	}
	where, err := path(string(got.ID), format)
	if err != nil {
		t.lost = true
		return thing{}, "", errors.New("the answer cannot be read")
	}
	t.ids[string(got.ID)] = true
	t.clean = append(t.clean, made{what + " " + string(got.ID), where})
	return got, where, nil
}

// gone takes an object off the list of what is to be removed.
func (t *trial) gone(path string) {
	for i, m := range t.clean {
		if m.path == path {
			t.clean = append(t.clean[:i], t.clean[i+1:]...)
			return
		}
	}
}

// How long removing may take, and how often each is tried where trying again may help.
const (
	cleaning = time.Minute
	removals = 4
)

// cleanUp removes what was made, the last first, whatever has ended before.
func (t *trial) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	for i := len(t.clean) - 1; i >= 0; i-- {
		if t.remove(ctx, t.clean[i].path) != nil {
			t.left = append(t.left, t.clean[i].what)
		}
	}
	t.clean = nil
	if t.lost {
		t.removeStrays(ctx)
	}
}

// remove removes an object. What is there no more is removed, so that trying again is safe.
func (t *trial) remove(ctx context.Context, path string) error {
	for try := 1; ; try++ {
		r, err := t.probe.ask(ctx, http.MethodDelete, path, nil, nil)
		if err == nil || r.status == http.StatusNotFound {
			return nil
		}
		if try == removals || ctx.Err() != nil || r.status != 0 && !transient(r.status) {
			return err
		}
		pauseFor(ctx, time.Duration(try)*t.pause)
	}
}

// removeStrays looks for objects with the trial's name that were made by requests whose answers were lost.
func (t *trial) removeStrays(ctx context.Context) {
	for _, s := range []struct {
		what, list, format string
		bare               bool
	}{
		{"organization", "/organizations", "/organizations/%s", false},
		{"user", "/users", "/users/%s", true},
		{"role", "/organization_roles", "/organization_roles/%s", false},
	} {
		query := url.Values{"query": {t.name}, "limit": {"10"}}
		if s.what == "role" {
			query.Set("query", t.roleKey())
		}
		found, err := t.named(ctx, s.list, query, s.bare)
		if err != nil {
			t.left = append(t.left, fmt.Sprintf("perhaps a %s named %s", s.what, query.Get("query")))
			continue
		}
		for _, id := range found {
			if where, err := path(id, s.format); err != nil || t.remove(ctx, where) != nil {
				t.left = append(t.left, s.what+" "+query.Get("query"))
			}
		}
	}
}

// named are the ids of a list's entries that hold the queried name: what a search returns beside them is not ours.
func (t *trial) named(ctx context.Context, list string, query url.Values, bare bool) (ids []string, err error) {
	var envelope struct {
		Data []json.RawMessage `json:"data"`
	}
	into := any(&envelope)
	if bare {
		into = &envelope.Data
	}
	if err := t.probe.read(ctx, list, query, into); err != nil {
		return nil, err
	}
	for _, raw := range envelope.Data {
		var entry thing
		if strings.Contains(string(raw), query.Get("query")) && json.Unmarshal(raw, &entry) == nil {
			ids = append(ids, string(entry.ID))
		}
	}
	return ids, nil
}

// pauseFor waits, or until ctx ends.
func pauseFor(ctx context.Context, wait time.Duration) {
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
}

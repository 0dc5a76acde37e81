package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/probe"
)

const (
	settlePatience = 20 * time.Second
	settlePause    = 100 * time.Millisecond
)

// settled is what events go on changing after a mutation was answered.
const settled = `{
	viewer { user { name } memberships(last: 100) { totalCount nodes { role organization { id name } } } }
	organization { name slug roles { key permissions }
		members(last: 100, includeFormer: true) { totalCount nodes { id name email role leftAt } }
		invitations(first: 100, status: null) { totalCount nodes { id email status } } } }`

// settle waits until the local Clerk's events have come and been heard.
func (l *localProbe) settle(ctx context.Context) error {
	deadline := time.Now().Add(settlePatience)
	before := ""
	for {
		state, err := l.state(ctx)
		if err != nil {
			return err
		}
		now := ""
		for _, o := range []*probedOrganization{l.a, l.b} {
			answer, err := o.voice(ctx, settled, nil)
			if err != nil {
				return err
			}
			now += string(answer.Body)
		}
		if state.Deliveries.Queued == 0 && now == before {
			return nil
		}
		if before = now; time.Now().After(deadline) {
			return errors.New("the local Clerk's events do not come to an end: see the server's log")
		}
		if err := pause(ctx, settlePause); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// apart is a voice of A's administrator in an organization that may be left or deleted: then there is another one.
func (l *localProbe) apart() probe.Voice {
	standing := ""
	return func(ctx context.Context, operation string, variables map[string]any) (probe.Answer, error) {
		if standing == "" {
			var err error
			if standing, err = l.another(ctx); err != nil {
				return probe.Answer{}, err
			}
		}
		answer, err := l.voice(l.a.admin.id, standing)(ctx, operation, variables)
		var got struct {
			Data map[string]any `json:"data"`
		}
		if err == nil && json.Unmarshal(answer.Body, &got) == nil {
			for _, done := range got.Data {
				if done != nil {
					standing = ""
				}
			}
		}
		return answer, err
	}
}

// another makes an organization that A's administrator can leave to somebody else.
func (l *localProbe) another(ctx context.Context) (string, error) {
	id, err := l.create(ctx, l.a.admin, l.a.maker.Mark()+" apart")
	if err != nil {
		return "", err
	}
	heir, err := l.person(ctx, newMark("h"))
	if err != nil {
		return "", err
	}
	return id, ask(ctx, l.voice(l.a.admin.id, id), `mutation($id: ID!) { addMember(input: {userId: $id, role: "org:admin"}) { member { id } } }`,
		map[string]any{"id": heir.id}, nil)
}

// end takes away what was made, also what a stopped attack did not hear of any more.
func (l *localProbe) end(ctx context.Context) error {
	for range mostRounds {
		state, err := l.state(ctx)
		if err != nil {
			return err
		}
		people := l.people(state)
		if len(people) == 0 {
			return l.quiet(ctx)
		}
		if err := l.remove(ctx, state, people); err != nil {
			return errors.Join(err, l.quiet(ctx))
		}
	}
	return errors.Join(errors.New("there is always more of it"), l.quiet(ctx))
}

// mostRounds bounds how often it is looked for what came meanwhile.
const mostRounds = 5

// people are the ids of those who were made for this attack.
func (l *localProbe) people(state clerkState) map[string]bool {
	ids := map[string]bool{}
	for _, u := range state.Users {
		if strings.HasSuffix(u.Email, l.domain) {
			ids[u.ID] = true
		}
	}
	return ids
}

// remove deletes the organizations that have nobody else, by the mutation that their administrators have for it, and people.
func (l *localProbe) remove(ctx context.Context, state clerkState, people map[string]bool) error {
	spared := map[string]bool{}
	for _, m := range state.Memberships {
		if !people[m.UserID] {
			spared[m.OrganizationID] = true // it is none of those that were made
		}
	}
	for _, m := range state.Memberships {
		if !spared[m.OrganizationID] {
			err := ask(ctx, l.voice(m.UserID, m.OrganizationID), `mutation { deleteOrganization(input: {}) { deletedOrganizationId } }`, nil, nil)
			spared[m.OrganizationID] = err == nil
		}
	}
	var failed []error
	for _, m := range state.Memberships { // what no administrator was left in
		if !spared[m.OrganizationID] {
			spared[m.OrganizationID] = true
			failed = append(failed, l.delete(ctx, "/organizations/"+m.OrganizationID))
		}
	}
	for id := range people {
		failed = append(failed, l.delete(ctx, "/users/"+id))
	}
	return errors.Join(failed...)
}

func (l *localProbe) delete(ctx context.Context, path string) error {
	var answer struct{}
	return l.backend.call(ctx, http.MethodDelete, path, struct{}{}, &answer)
}

// quiet puts the local Clerk's limits back, and waits until it has told of all that is gone.
func (l *localProbe) quiet(ctx context.Context) error {
	if l.unlift == nil {
		return nil
	}
	failed := l.unlift(ctx)
	for failed == nil {
		state, err := l.state(ctx)
		if err != nil || state.Deliveries.Queued == 0 {
			return err
		}
		failed = pause(ctx, settlePause)
	}
	return failed
}

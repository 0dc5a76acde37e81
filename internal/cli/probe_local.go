package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/probe"
)

// localProbe attacks the local server with two organizations of its own, of people whom it makes for it.
type localProbe struct {
	url     string
	speaker *speaker
	control *control
	backend *control
	texts   map[string]string
	// unlift puts the local Clerk's limits back; nil until they are lifted.
	unlift func(context.Context) error

	// domain is what the addresses of this attack's people end with.
	domain string

	mu     sync.Mutex
	tokens map[[2]string]sessionToken
	a, b   *probedOrganization
}

type person struct{ id, email string }

// probedOrganization is one of the two.
type probedOrganization struct {
	id    string
	admin person
	voice probe.Voice
	maker filler
}

type sessionToken struct {
	text string
	made time.Time
}

const (
	// refreshAfter is within the 60 s of the local Clerk's tokens.
	refreshAfter = 30 * time.Second
	// localOfEach is how many objects of each type an organization gets.
	localOfEach = 4
)

const useTokens = "make two organizations there for the attack, and name them with --url, --token-a and --token-b"

func newLocalProbe(p *probeCommand) (*localProbe, error) {
	reached, err := connect(p.Dir, "to attack a server with a Clerk of yours, "+useTokens)
	if err != nil {
		return nil, err
	}
	running, err := ReadRunning(reached.dir)
	if err != nil {
		return nil, err
	}
	if running.Clerk == nil {
		return nil, errors.New("the running server works with a Clerk of yours: " + useTokens)
	}
	backend := *reached
	backend.base, backend.secret = running.URL+LocalBackendPath, running.Clerk.SecretKey
	speaker := newSpeaker(running.URL)
	return &localProbe{
		url: speaker.url, speaker: speaker, control: reached, backend: &backend, texts: fittingTexts(p.Text), tokens: map[[2]string]sessionToken{},
		domain: "@" + newMark("x") + ".example",
	}, nil
}

// clerkState is what is looked at of the local Clerk.
type clerkState struct {
	Users []struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"users"`
	Memberships []struct {
		OrganizationID string `json:"organizationId"`
		UserID         string `json:"userId"`
	} `json:"memberships"`
	Deliveries struct {
		Queued int `json:"queued"`
	} `json:"deliveries"`
	Chaos struct {
		On bool `json:"on"`
	} `json:"chaos"`
}

func (l *localProbe) state(ctx context.Context) (s clerkState, err error) {
	err = l.control.call(ctx, http.MethodGet, "/state", nil, &s)
	return s, err
}

// prepare makes and fills the two organizations.
func (l *localProbe) prepare(ctx context.Context, attack *probe.Attack) ([]string, error) {
	state, err := l.state(ctx)
	if err != nil {
		return nil, err
	}
	if state.Chaos.On {
		return nil, errors.New("the local Clerk's webhooks go wrong on purpose: `tenantry clerk chaos --off` ends that")
	}
	if l.unlift, err = l.lift(ctx); err != nil {
		return nil, err
	}
	if l.a, err = l.organization(ctx, attack.Schema, newMark("a")); err != nil {
		return nil, err
	}
	if l.b, err = l.organization(ctx, attack.Schema, newMark("b")); err != nil {
		return nil, err
	}
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	attack.A, attack.B, attack.Canaries = l.a.voice, l.b.voice, []string{l.b.maker.Mark()}
	attack.Disjoint = true // they were made for it, and so were their people
	attack.Fresh, attack.Settle = l.a.maker.make, l.settle
	attack.Elsewhere = map[string]probe.Voice{"deleteOrganization": l.apart(), "leaveOrganization": l.apart()}
	attack.Spared = map[string]string{addsUser + " User": sharedUsers}
	for name, text := range l.texts {
		attack.Texts[name] = strings.ReplaceAll(text, "*", l.a.maker.Mark())
	}
	return append(l.a.maker.refusals(), alwaysUntried...), nil
}

// alwaysUntried are what the attack keeps from where it may write.
var alwaysUntried = []string{
	addsUser + " with a user of the other organization: " + sharedUsers,
	"the other organization's slug for one's own: slugs are unique in a Clerk instance, which says of one that it is taken",
	"in mutations, each value in more than one form: literals, variables, fragments and aliases come in turn",
	"in mutations, more than one text of the other organization: who writes a text has it",
}

const (
	addsUser    = "Mutation.addMember(input.userId)"
	sharedUsers = "users are the Clerk instance's, and who knows the id of one may make them a member"
)

// organization makes one with something of everything, whose texts hold the mark.
func (l *localProbe) organization(ctx context.Context, schema *probe.Schema, mark string) (*probedOrganization, error) {
	o := &probedOrganization{}
	var err error
	if o.admin, err = l.person(ctx, mark); err != nil {
		return nil, err
	}
	if o.id, err = l.create(ctx, o.admin, mark); err != nil {
		return nil, err
	}
	o.voice = l.voice(o.admin.id, o.id)
	made := 0
	o.maker = newFiller(schema, o.voice, mark, l.texts, func(ctx context.Context, typeName string) (string, error) {
		if typeName != "User" {
			return "", nil
		}
		made++
		made, err := l.person(ctx, fmt.Sprintf("%s-u%d", mark, made))
		return made.id, err
	})
	if err := o.maker.fill(ctx, localOfEach); err != nil {
		return nil, err
	}
	return o, l.live(ctx, o)
}

// live lets an organization have been through something: an invitation that was accepted, and another role.
func (l *localProbe) live(ctx context.Context, o *probedOrganization) error {
	guest, err := l.person(ctx, o.maker.Mark()+"-guest")
	if err != nil {
		return err
	}
	if err := ask(ctx, o.voice, `mutation($email: String!) { inviteMembers(input: {invitations: [{email: $email, role: "org:member"}]}) { results { code } } }`,
		map[string]any{"email": guest.email}, nil); err != nil {
		return err
	}
	var answer struct{}
	if err := l.control.call(ctx, http.MethodPost, "/invitations/accept", membershipRequest{Organization: o.id, User: guest.id}, &answer); err != nil {
		return err
	}
	id, err := o.maker.Make(ctx, "Member")
	if err != nil {
		return err
	}
	return ask(ctx, o.voice, `mutation($id: ID!) { updateMemberRole(input: {memberId: $id, role: "org:admin"}) { member { id } } }`,
		map[string]any{"id": id}, nil)
}

// person makes somebody with an account. If this program is killed, the local Clerk deletes them and
// their organizations at its next start.
func (l *localProbe) person(ctx context.Context, name string) (person, error) {
	made := person{email: name + l.domain}
	var answer struct {
		ID string `json:"id"`
	}
	if err := ctx.Err(); err != nil {
		return made, err
	}
	err := l.control.call(context.WithoutCancel(ctx), http.MethodPost, "/temporary-users",
		map[string]string{"email": made.email, "firstName": "Probe", "lastName": name}, &answer)
	made.id = answer.ID
	return made, err
}

// create makes an organization of a person.
func (l *localProbe) create(ctx context.Context, as person, name string) (string, error) {
	var made struct {
		CreateOrganization struct {
			Organization struct{ ID string }
		}
	}
	err := ask(ctx, l.voice(as.id, ""), `mutation($name: String!) { createOrganization(input: {name: $name}) { organization { id } } }`,
		map[string]any{"name": name}, &made)
	return made.CreateOrganization.Organization.ID, err
}

// voice is a person in an organization.
func (l *localProbe) voice(userID, organizationID string) probe.Voice {
	return l.speaker.as(func(ctx context.Context) (string, error) { return l.token(ctx, userID, organizationID) })
}

func (l *localProbe) token(ctx context.Context, userID, organizationID string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]string{userID, organizationID}
	if known := l.tokens[key]; time.Since(known.made) < refreshAfter {
		return known.text, nil
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := l.control.call(ctx, http.MethodPost, "/tokens", tokenRequest{User: userID, Organization: organizationID, Version: 2}, &answer); err != nil {
		return "", err
	}
	l.tokens[key] = sessionToken{answer.Token, time.Now()}
	return answer.Token, nil
}

package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tenantry/tenantry/store"
)

// FindingResult is what a check came to.
type FindingResult string

const (
	// Holds says that what was looked at is as assumed.
	Holds FindingResult = "holds"
	// DoesNotHold says that it is otherwise.
	DoesNotHold FindingResult = "does not hold"
	// NotChecked says that nothing could be looked at that would tell.
	NotChecked FindingResult = "not checked"
)

// Finding is one assumption about Clerk and what was found out about it. It holds no secret, address or name of a person.
type Finding struct {
	// Name is short and stays the same.
	Name       string        `json:"name"`
	Assumption string        `json:"assumption"`
	LookedAt   string        `json:"lookedAt"`
	Result     FindingResult `json:"result"`
	// Reason says what was seen, or why nothing was.
	Reason string `json:"reason"`
	// Dangerous says that access or the copy could be wrong where the assumption does not hold.
	Dangerous bool `json:"dangerous"`
	// Tenantry is what it does in either case.
	Tenantry string `json:"tenantry"`
}

// Diagnosis is what a Doctor found.
type Diagnosis struct {
	Findings []Finding `json:"findings"`
	// Wrote says that objects were made in the instance for the checks. LeftBehind names what could not be removed again.
	Wrote      bool     `json:"wrote"`
	LeftBehind []string `json:"leftBehind"`
}

// Dangerous says whether something does not hold that must.
func (d Diagnosis) Dangerous() bool {
	for _, f := range d.Findings {
		if f.Dangerous && f.Result == DoesNotHold {
			return true
		}
	}
	return false
}

// DoctorConfig says what a Doctor looks at.
type DoctorConfig struct {
	Probe *Probe
	// Issuer is whose tokens are taken; its public key set is at Issuer/.well-known/jwks.json.
	Issuer string
	// Permissions are those that the schema asks for.
	Permissions []string
	// Store has the inbox of a server that works with the instance. Without it NoInbox says why there is none.
	Store   *store.Store
	NoInbox string
	// Patience is how long events of what the Doctor itself changed are waited for; 30 s unless given.
	Patience time.Duration
	// Progress, if given, hears what is being done.
	Progress func(text string)
}

// Doctor checks what Tenantry assumes about Clerk against one instance.
type Doctor struct {
	config DoctorConfig
	poll   time.Duration
}

// NewDoctor returns a Doctor. Nothing is asked for yet.
func NewDoctor(config DoctorConfig) *Doctor {
	if config.Patience == 0 {
		config.Patience = 30 * time.Second
	}
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	return &Doctor{config: config, poll: time.Second}
}

// Examine makes every check. Where the Probe may write it makes a few objects named tenantry-doctor-…, changes and
// removes them, also when ctx ends on the way: then the error is ctx's, and the Diagnosis says what is left behind.
// Returns ErrUnauthorized where Clerk does not take the secret key, and ErrBackendUnavailable where it is not reached.
func (d *Doctor) Examine(ctx context.Context) (Diagnosis, error) {
	e := &evidence{heard: d.config.Probe.heard, issuer: d.config.Issuer, asked: d.config.Permissions, inbox: newLens(d.config.Store, d.config.NoInbox)}
	d.config.Progress("reading from Clerk's Backend API")
	if err := e.readKeys(ctx, d.config.Probe); err != nil {
		return Diagnosis{}, err
	}
	e.readLists(ctx, d.config.Probe)
	d.config.Progress("reading the inbox of webhook events")
	e.inbox.look(ctx)
	diagnosis := Diagnosis{LeftBehind: []string{}}
	if d.config.Probe.writes && ctx.Err() == nil {
		t := newTrial(d.config.Probe, e, d.poll)
		d.try(ctx, t, e.inbox)
		e.trial, diagnosis.Wrote, diagnosis.LeftBehind = t, true, t.left
	}
	if err := ctx.Err(); err != nil {
		return diagnosis, err
	}
	for _, c := range checks {
		v := c.look(e)
		diagnosis.Findings = append(diagnosis.Findings, Finding{
			Name: c.name, Assumption: c.assumption, LookedAt: v.lookedAt, Result: v.result, Reason: v.reason,
			Dangerous: c.dangerous, Tenantry: c.tenantry,
		})
	}
	return diagnosis, nil
}

// publicKeys reads the kids that the issuer itself publishes. No secret goes there.
func publicKeys(ctx context.Context, issuer string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+keySetPath, nil)
	if err != nil {
		return nil, errors.New("the issuer is no URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, errors.New("the issuer was not reached")
	}
	defer response.Body.Close()
	var set keySet
	if response.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&set) != nil {
		return nil, errors.New("the issuer's key set cannot be read")
	}
	return set.ids(), nil
}

const keySetPath = "/.well-known/jwks.json"

// keySet are the keys that an instance signs with.
type keySet struct {
	Keys []struct {
		ID string `json:"kid"`
	} `json:"keys"`
}

func (s keySet) ids() (ids []string) {
	for _, key := range s.Keys {
		ids = append(ids, key.ID)
	}
	return ids
}

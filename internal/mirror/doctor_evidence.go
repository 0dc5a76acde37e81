package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tenantry/tenantry/store"
)

// evidence is what the checks judge by.
type evidence struct {
	issuer string
	asked  []string // the permissions that the schema asks for
	// keys is the answer to the first read, kids what it says; publicKids those that the issuer publishes, or why not.
	keys        reply
	kids        []string
	publicKids  []string
	publicError string
	// lists are the first pages by kind.
	lists map[store.MirrorKind]*listSeen
	heard *hearing
	inbox *lens
	trial *trial // nil where nothing was written
}

// listSeen is the first page of a list, as long as the sweep asks for it.
type listSeen struct {
	problem string // why there is none
	status  int
	bare    bool
	total   *int
	entries []entrySeen
}

type entrySeen struct {
	ID           text            `json:"id"`
	CreatedAt    millis          `json:"created_at"`
	MembersCount *int            `json:"members_count"`
	Permissions  json.RawMessage `json:"permissions"`
	Key          text            `json:"key"`
}

// readKeys is also the question whether there is anything to ask.
func (e *evidence) readKeys(ctx context.Context, p *Probe) error {
	var err error
	e.keys, err = p.ask(ctx, http.MethodGet, "/jwks", nil, nil)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case e.keys.status == 0, e.keys.status >= http.StatusInternalServerError:
		return ErrBackendUnavailable
	case errors.Is(err, ErrUnauthorized):
		return err
	}
	var set keySet
	if err == nil && json.Unmarshal(e.keys.body, &set) == nil {
		e.kids = set.ids()
	}
	if e.publicKids, err = publicKeys(ctx, e.issuer); err != nil {
		e.publicError = err.Error()
	}
	return nil
}

func (e *evidence) readLists(ctx context.Context, p *Probe) {
	e.lists = map[store.MirrorKind]*listSeen{}
	for _, k := range mirrored {
		e.lists[k.name] = readList(ctx, p, k)
	}
	if of, ok := e.membersCounted(); ok && of != *e.lists[store.MirrorMemberships].total {
		// Somebody may have joined in between.
		for _, k := range mirrored {
			if k.name == store.MirrorOrganizations || k.name == store.MirrorMemberships {
				e.lists[k.name] = readList(ctx, p, k)
			}
		}
	}
}

func readList(ctx context.Context, p *Probe, k kind) *listSeen {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}, "offset": {"0"}, "order_by": {"+created_at"}}
	if k.name == store.MirrorOrganizations {
		query.Set("include_members_count", "true")
	}
	r, err := p.ask(ctx, http.MethodGet, k.list, query, nil)
	seen := &listSeen{status: r.status}
	if err != nil {
		seen.problem = err.Error()
		return seen
	}
	var envelope struct {
		Data  []entrySeen `json:"data"`
		Total *int        `json:"total_count"`
	}
	into := any(&envelope)
	if seen.bare = bytes.HasPrefix(bytes.TrimSpace(r.body), []byte("[")); seen.bare {
		into = &envelope.Data
	}
	if json.Unmarshal(r.body, into) != nil || envelope.Data == nil {
		seen.problem = "the list cannot be read"
		return seen
	}
	seen.entries, seen.total = envelope.Data, envelope.Total
	return seen
}

// ascending says whether the oldest come first; ok is false where fewer than two different times tell.
func (l *listSeen) ascending() (ascends, ok bool) {
	ascends = true
	for i := 1; i < len(l.entries); i++ {
		before, after := l.entries[i-1].CreatedAt.ms, l.entries[i].CreatedAt.ms
		ok = ok || before != after
		ascends = ascends && before <= after
	}
	return ascends, ok
}

// membersCounted is the sum of what all organizations say of themselves; ok is false where not all were seen, or some
// say nothing, or there is nothing to compare it with.
func (e *evidence) membersCounted() (sum int, ok bool) {
	organizations, memberships := e.lists[store.MirrorOrganizations], e.lists[store.MirrorMemberships]
	if organizations.problem != "" || memberships.problem != "" || memberships.total == nil ||
		organizations.total == nil || *organizations.total != len(organizations.entries) {
		return 0, false
	}
	for _, o := range organizations.entries {
		if o.MembersCount == nil {
			return 0, false
		}
		sum += *o.MembersCount
	}
	return sum, true
}

// permissions are those that a role shows.
func (e entrySeen) permissions() (shown []permissionSeen) {
	if json.Unmarshal(e.Permissions, &shown) != nil {
		return nil
	}
	return shown
}

type permissionSeen struct {
	ID  text `json:"id"`
	Key text `json:"key"`
}

func (p permissionSeen) system() bool { return strings.HasPrefix(orgKey(p.Key), "org:sys_") }

// systemRoles counts the roles that name a system permission.
func (l *listSeen) systemRoles() (roles int) {
	for _, role := range l.entries {
		if slices.ContainsFunc(role.permissions(), permissionSeen.system) {
			roles++
		}
	}
	return roles
}

// somePermission is the id of one that a role shows, a system permission, which any role may have; "" for none.
func (e *evidence) somePermission() string {
	for _, role := range e.lists[store.MirrorRoles].entries {
		for _, p := range role.permissions() {
			if p.system() {
				return string(p.ID)
			}
		}
	}
	return ""
}

package mirror

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/store"
)

// clockLeeway is what is taken for the same time, of tokens and of events.
const clockLeeway = 5 * time.Second

func checkClock(e *evidence) conclusion {
	const at = "the Date of GET /jwks"
	if e.keys.date.IsZero() {
		return fails(at, "there is none")
	}
	// A Date is cut to the second.
	ahead, behind := e.keys.date.Sub(e.keys.ended), e.keys.began.Sub(e.keys.date.Add(time.Second))
	apart := max(0, ahead, behind).Round(time.Second)
	if apart > clockLeeway {
		return fails(at, "the clocks are %s apart", apart)
	}
	return holds(at, "within %s", clockLeeway)
}

func checkKeySet(e *evidence) conclusion {
	const at = "GET /jwks and the issuer's " + keySetPath
	switch {
	case len(e.kids) == 0:
		return fails(at, "the Backend API's has no keys (HTTP status %d)", e.keys.status)
	case !slices.ContainsFunc(e.kids, instanceIDForm):
		return fails(at, "no kid is an instance's id")
	case e.publicError != "":
		return unknown(at, "%s; the Backend API's is as assumed", e.publicError)
	}
	for _, kid := range e.publicKids {
		if slices.Contains(e.kids, kid) && instanceIDForm(kid) {
			return holds(at, "both name %s", kid)
		}
	}
	return fails(at, "they have no kid in common: are both keys, and the issuer, of one instance?")
}

func instanceIDForm(kid string) bool {
	return strings.HasPrefix(kid, "ins_") && clerkID.MatchString(kid)
}

func checkUsersBare(e *evidence) conclusion {
	const at = "GET /users"
	users := e.lists[store.MirrorUsers]
	switch {
	case users.status >= http.StatusMultipleChoices || users.status == 0:
		return unknown(at, "%s", users.problem)
	case users.bare && users.problem == "":
		return holds(at, "an array of %d", len(users.entries))
	}
	return fails(at, "%s", cmp.Or(users.problem, "an envelope"))
}

func checkLimit(e *evidence) conclusion {
	const at = "the first page of each list"
	longest := 0
	for _, k := range mirrored {
		l := e.lists[k.name]
		if l.status == http.StatusBadRequest || l.status == http.StatusUnprocessableEntity {
			return fails(at, "%s: %s", k.list, l.problem)
		}
		if l.problem != "" {
			return unknown(at, "%s: %s", k.list, l.problem)
		}
		if l.total != nil && len(l.entries) < min(pageSize, *l.total) {
			return fails(at, "%s: %d of %d came", k.list, len(l.entries), *l.total)
		}
		longest = max(longest, len(l.entries))
	}
	return holds(at, "taken; the longest page had %d", longest)
}

func checkOrder(e *evidence) conclusion {
	const at = "created_at in the first pages"
	told := 0
	for _, k := range mirrored {
		l := e.lists[k.name]
		if l.problem != "" {
			return unknown(at, "%s: %s", k.list, l.problem)
		}
		ascends, ok := l.ascending()
		if !ascends {
			return fails(at, "%s is in another order", k.list)
		}
		if ok {
			told++
		}
	}
	if told == 0 {
		return unknown(at, "no list has two entries of different times")
	}
	if told < len(mirrored) {
		return holds(at, "in %d of %d lists; the others are too short to tell", told, len(mirrored))
	}
	return holds(at, "in all %d lists", told)
}

func checkTotal(e *evidence) conclusion {
	const at = "the first pages"
	for _, k := range mirrored {
		l := e.lists[k.name]
		if k.bare {
			continue
		}
		if l.problem != "" {
			return unknown(at, "%s: %s", k.list, l.problem)
		}
		if l.total == nil || *l.total < len(l.entries) {
			return fails(at, "not in %s", k.list)
		}
	}
	return holds(at, "in all of them")
}

func checkWhole(e *evidence) conclusion {
	const at = "its total_count, and members_count of all organizations"
	l := e.lists[store.MirrorMemberships]
	if l.status == http.StatusNotFound {
		return fails(at, "there is no such list")
	}
	if l.problem != "" {
		return unknown(at, "%s", l.problem)
	}
	sum, ok := e.membersCounted()
	switch {
	case !ok:
		return unknown(at, "there are more than %d organizations, or no counts to compare", pageSize)
	case sum != *l.total:
		return fails(at, "%d memberships are listed, the organizations count %d", *l.total, sum)
	case sum == 0:
		return unknown(at, "the instance has no memberships")
	}
	return holds(at, "both say %d", sum)
}

func checkRateLimit(e *evidence) conclusion {
	e.heard.mu.Lock()
	defer e.heard.mu.Unlock()
	const at = "the headers of all answers; 429 is not provoked"
	switch {
	case e.heard.silent > 0:
		return fails(at, "%d of %d answers 429 had none", e.heard.silent, e.heard.limited)
	case e.heard.limited > 0:
		return holds(at, "%d answers 429 had it", e.heard.limited)
	case len(e.heard.names) == 0:
		return unknown(at, "no answer of %d was 429, and none names a rate limit", e.heard.answers)
	}
	var said []string
	for _, name := range slices.Sorted(maps.Keys(e.heard.names)) {
		said = append(said, strings.TrimSpace(name+" "+e.heard.names[name]))
	}
	return unknown(at, "no answer of %d was 429; they say %s", e.heard.answers, strings.Join(said, ", "))
}

func checkSystemRoles(e *evidence) conclusion {
	const at = "GET /organization_roles"
	l := e.lists[store.MirrorRoles]
	switch {
	case l.problem != "":
		return unknown(at, "%s", l.problem)
	case len(l.entries) == 0:
		return unknown(at, "the instance has no roles")
	case l.systemRoles() == 0:
		return fails(at, "in none of %d roles", len(l.entries))
	}
	return holds(at, "in %d of %d roles", l.systemRoles(), len(l.entries))
}

// checkSchemaPermissions leaves Clerk's own out: whether their list has them is not known.
func checkSchemaPermissions(e *evidence) conclusion {
	const at = "GET /organization_permissions"
	l := e.lists[store.MirrorPermissions]
	switch {
	case len(e.asked) == 0:
		return unknown(at, "the schema asks for none")
	case l.problem != "":
		return unknown(at, "%s", l.problem)
	case l.total != nil && *l.total > len(l.entries):
		return unknown(at, "the instance has %d, and only %d were looked at", *l.total, len(l.entries))
	}
	known := map[string]bool{}
	for _, entry := range l.entries {
		known[orgKey(entry.Key)] = true
	}
	var missing []string
	for _, name := range e.asked {
		if !known[name] && !strings.HasPrefix(name, "org:sys_") {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fails(at, "Clerk does not know %s", strings.Join(missing, ", "))
	}
	return holds(at, "all of them")
}

package mirror

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/store"
)

// events are those of our instance.
func (e *evidence) events() []seenEvent { return e.inbox.of(e.kids) }

// noEvents is why the inbox tells nothing: there is none, it has none of ours, or else.
func (e *evidence) noEvents(otherwise string) string {
	if e.inbox.problem != "" {
		return e.inbox.problem
	}
	if len(e.events()) == 0 {
		return "the inbox has no events of this instance"
	}
	return otherwise
}

func checkEventInstance(e *evidence) conclusion {
	const at = "instance_id of events in the inbox"
	ours, others, refused := 0, 0, 0
	for _, event := range e.inbox.events {
		switch {
		case !event.body || event.instance == "":
		case slices.Contains(e.kids, event.instance):
			ours++
		default:
			others++
			if event.state == store.EventDead {
				refused++
			}
		}
	}
	switch {
	case len(e.kids) == 0:
		return unknown(at, "the key set names no kid")
	case ours > 0:
		return holds(at, "the same in %d events, another in %d", ours, others)
	case refused > 0:
		return fails(at, "all %d name another instance, and %d of them are dead letters", others, refused)
	case others > 0:
		return unknown(at, "the database is another instance's: all %d name that", others)
	}
	return unknown(at, "%s", e.noEvents("their bodies are not kept"))
}

func checkEventTime(e *evidence) conclusion {
	const at = "the times of events in the inbox"
	milliseconds, seconds, none := 0, 0, 0
	for _, event := range e.events() {
		switch {
		case !event.body:
		case event.at == 0:
			none++
		case event.seconds:
			seconds++
		default:
			milliseconds++
		}
	}
	switch {
	case none > 0:
		return fails(at, "%d have none", none)
	case seconds > 0:
		return fails(at, "%d are in seconds, %d in milliseconds", seconds, milliseconds)
	case milliseconds > 0:
		return holds(at, "all %d", milliseconds)
	}
	return unknown(at, "%s", e.noEvents("their bodies are not kept"))
}

// eventSlack is how far the time of an event may be from the change that it tells of, in milliseconds.
const eventSlack = int64(10_000)

// updates counts updates of a noun's objects that raised updated_at, and changes that did not.
func (e *evidence) updates(noun string) (raised, kept int) {
	last := map[string]seenEvent{}
	for _, event := range e.events() {
		if event.digest == "" || event.id == "" || (event.kind != noun+".created" && event.kind != noun+".updated") {
			continue
		}
		before, known := last[event.id]
		last[event.id] = event
		switch {
		case event.kind != noun+".updated":
		case known && event.digest != before.digest && event.updatedAt == before.updatedAt:
			kept++
		case known && event.digest != before.digest,
			event.updatedAt > event.createdAt && event.at-event.updatedAt < eventSlack:
			raised++
		}
	}
	return raised, kept
}

// deletions counts deleted memberships whose updated_at is the same as in the event before, and those where it is not.
func (e *evidence) deletions() (same, raised int) {
	last := map[string]int64{}
	for _, event := range e.events() {
		switch event.kind {
		case "organizationMembership.created", "organizationMembership.updated":
			if event.body {
				last[event.id] = event.updatedAt
			}
		case "organizationMembership.deleted":
			switch before := last[event.id]; {
			case !event.body || before == 0 || event.updatedAt == 0:
			case event.updatedAt == before:
				same++
			default:
				raised++
			}
		}
	}
	return same, raised
}

// rejoins counts memberships of one user in one organization that began after another ended, by whether the id is new.
func (e *evidence) rejoins() (another, same int) {
	ended := map[[2]string]string{}
	for _, event := range e.events() {
		if !event.body || event.userID == "" {
			continue
		}
		pair := [2]string{event.organizationID, event.userID}
		switch event.kind {
		case "organizationMembership.deleted":
			ended[pair] = event.id
		case "organizationMembership.created":
			switch ended[pair] {
			case "":
			case event.id:
				same++
			default:
				another++
			}
			delete(ended, pair)
		}
	}
	return another, same
}

// What comes along with a deletion is at most this long before or after it, in milliseconds.
const (
	alongBefore = int64(200)
	alongAfter  = int64(60_000)
)

// cascades counts deletions of a noun's objects that had members, by whether the deletion of one came along. owner is
// the organization's or the user's id in an event of a membership.
func (e *evidence) cascades(noun string, owner func(seenEvent) string) (along, alone int) {
	events := e.events()
	for _, deletion := range events {
		id := cmp.Or(deletion.id, deletion.userID)
		if deletion.kind != noun+".deleted" || id == "" {
			continue
		}
		living, came := map[string]string{}, false // ids of memberships, with their organizations
		for _, event := range events {
			if event.kind == "organization.deleted" && event.at < deletion.at-alongBefore {
				maps.DeleteFunc(living, func(_, organization string) bool { return organization == event.id })
			}
			if owner(event) != id {
				continue
			}
			_, lives := living[event.id]
			switch {
			case event.kind == "organizationMembership.deleted" && event.at < deletion.at-alongBefore:
				delete(living, event.id)
			case event.kind == "organizationMembership.deleted" && event.at <= deletion.at+alongAfter:
				came = came || !event.body || lives
			case event.body && event.kind == "organizationMembership.created" && event.at < deletion.at:
				living[event.id] = event.organizationID
			}
		}
		switch {
		case came:
			along++
		case len(living) > 0:
			alone++
		}
	}
	return along, alone
}

func checkCascade(e *evidence, noun string, owner func(seenEvent) string) conclusion {
	at := "deletions in the inbox, and those of memberships within a minute"
	along, alone := e.cascades(noun, owner)
	switch {
	case alone > 0:
		return fails(at, "%d of %d came without", alone, alone+along)
	case along > 0:
		return holds(at, "%d came with them", along)
	}
	reason := e.noEvents("there is none of one whose members are known")
	if e.trial == nil {
		reason += "; " + needsWrite
	}
	return unknown(at, "%s", reason)
}

func checkOrganizationCascade(e *evidence) conclusion {
	return checkCascade(e, "organization", func(event seenEvent) string { return event.organizationID })
}

func checkUserCascade(e *evidence) conclusion {
	return checkCascade(e, "user", func(event seenEvent) string { return event.userID })
}

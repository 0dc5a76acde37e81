package mirror

import (
	"cmp"
	"slices"
)

const needsWrite = "only seen by changing something: --write does, on a development instance"

// without is why a trial tells nothing about something.
func (t *trial) without(about string) string {
	if t == nil {
		return needsWrite
	}
	return cmp.Or(t.why[about], "the trial did not come so far")
}

func checkToken(e *evidence) conclusion {
	const at = "a token made with POST /sessions"
	if e.trial == nil || e.trial.token == nil {
		return unknown(at, "%s", e.trial.without(aboutToken))
	}
	switch token := e.trial.token; {
	case token.life != 60:
		return fails(at, "it lives %d s", token.life)
	case token.version > 2:
		return fails(at, "its claims are of version %d", token.version)
	case len(e.kids) > 0 && !slices.Contains(e.kids, token.kid):
		return fails(at, "its kid is not the key set's")
	case token.issuer != e.issuer:
		return fails(at, "its issuer is not the configured one (CLERK_ISSUER)")
	default:
		return holds(at, "60 s, version %d", token.version)
	}
}

func checkTokenPermissions(e *evidence) conclusion {
	const at = "a token of an organization's admin"
	switch {
	case e.trial == nil || e.trial.token == nil:
		return unknown(at, "%s", e.trial.without(aboutToken))
	case e.trial.token.system:
		return fails(at, "it holds some")
	case !e.trial.token.organization:
		return unknown(at, "the token has no active organization")
	}
	return holds(at, "it holds none")
}

// checkRaised judges a change of the trial's, and the events of such objects: an update whose updated_at is the event's
// own time raised it, and one with other content and the same updated_at as an earlier event did not.
func checkRaised(about, noun string) func(e *evidence) conclusion {
	return func(e *evidence) conclusion {
		const trialAt, eventsAt = "reads before and after a change", "events in the inbox"
		raised, kept := e.updates(noun)
		if e.trial != nil {
			if seen, ok := e.trial.raised[about]; ok {
				if seen.after <= seen.before {
					return fails(trialAt, "it stayed the same")
				}
				if kept == 0 {
					return holds(trialAt+", "+eventsAt, "raised in the trial, and in %d events", raised)
				}
			}
		}
		switch {
		case kept > 0:
			return fails(eventsAt, "%d of %d changes left it as it was", kept, raised+kept)
		case raised > 0:
			return holds(eventsAt, "raised in %d events", raised)
		}
		return unknown(eventsAt, "%s; %s", e.noEvents("no such change is among them"), e.trial.without(about))
	}
}

// checkRestricted judges a ban or a lock of the trial's. Events do not show what changed.
func checkRestricted(about string) func(e *evidence) conclusion {
	return func(e *evidence) conclusion {
		const at = "reads before and after it"
		if e.trial == nil {
			return unknown(at, "%s", e.trial.without(about))
		}
		seen, ok := e.trial.raised[about]
		switch {
		case !ok:
			return unknown(at, "%s", e.trial.without(about))
		case seen.after <= seen.before:
			return fails(at, "it stayed the same")
		}
		return holds(at, "raised in the trial")
	}
}

func checkDeletion(e *evidence) conclusion {
	const trialAt, eventsAt = "the answer to a deletion of a membership", "deletions of memberships in the inbox"
	same, raised := e.deletions()
	if e.trial != nil && e.trial.deletion.before > 0 && e.trial.deletion.after > 0 {
		if e.trial.deletion.after != e.trial.deletion.before {
			return fails(trialAt, "it is another than before")
		}
		if raised == 0 {
			return holds(trialAt+", "+eventsAt, "the same in the trial, and in %d events", same)
		}
	}
	switch {
	case raised > 0:
		return fails(eventsAt, "it is another than before in %d of %d", raised, raised+same)
	case same > 0:
		return holds(eventsAt, "the same as before in %d", same)
	}
	return unknown(eventsAt, "%s; %s", e.noEvents("none shows it before and after"), e.trial.without(aboutRejoin))
}

func checkRejoin(e *evidence) conclusion {
	const trialAt, eventsAt = "a member who left and joined again", "who joined an organization twice, in the inbox"
	if e.trial != nil && e.trial.memberships[1] != "" {
		if e.trial.memberships[0] == e.trial.memberships[1] {
			return fails(trialAt, "the id is the same")
		}
		return holds(trialAt, "the id is another")
	}
	another, same := e.rejoins()
	switch {
	case same > 0:
		return fails(eventsAt, "the id returned %d times", same)
	case another > 0:
		return holds(eventsAt, "another id %d times", another)
	}
	return unknown(eventsAt, "%s; %s", e.noEvents("nobody did"), e.trial.without(aboutRejoin))
}

func checkRotation(*evidence) conclusion {
	return unknown("nothing: a program cannot rotate a secret",
		"in Clerk's dashboard rotate the endpoint's signing secret, keep the old one set here, and look at the next event: "+
			"Svix-Signature has two signatures, and it is answered 204 with either secret")
}

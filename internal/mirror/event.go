package mirror

import (
	"encoding/json"
	"slices"
	"strings"
)

// event is a decoded delivery.
type event struct {
	kind     string // Clerk's type, such as organization.created
	instance string
	at       int64
	// change is nil for types that the mirror does not keep.
	change change
}

// person is the user whose data the event carries; "" for none.
func (e event) person() string {
	if e.change == nil {
		return ""
	}
	return e.change.person()
}

// private says that the event's body goes once it is applied: an invitation's names people whom no user's deletion leads
// to, and a session's is applied without the lock on the user that would let their deletion see it.
func (e event) private() bool {
	switch e.change.(type) {
	case invitationChange, sessionChange:
		return true
	}
	return false
}

// envelope is what all events have in common.
type envelope struct {
	Type       text            `json:"type"`
	InstanceID text            `json:"instance_id"`
	Timestamp  millis          `json:"timestamp"`
	Data       json.RawMessage `json:"data"`
}

// decoder reads the data of one kind of event. verb is what happened to it.
type decoder func(e envelope, verb verb) (change, error)

type verb string

const (
	verbCreated  verb = "created"
	verbUpdated  verb = "updated"
	verbDeleted  verb = "deleted"
	verbAccepted verb = "accepted"
	verbRevoked  verb = "revoked"
	verbEnded    verb = "ended"
	verbRemoved  verb = "removed"
)

// noun is a kind of object: what can happen to it that the mirror keeps, and how that is read.
type noun struct {
	verbs  []verb
	decode decoder
}

// life is what happens to most objects.
var life = []verb{verbCreated, verbUpdated, verbDeleted}

// nouns that the mirror keeps, as Clerk's types spell them. Of sessions it keeps only that they are over.
var nouns = map[string]noun{
	"organization":           {life, decodeOrganization},
	"organizationMembership": {life, decodeMembership},
	"organizationInvitation": {[]verb{verbCreated, verbAccepted, verbRevoked}, decodeInvitation},
	"organizationDomain":     {life, decodeDomain},
	"user":                   {life, decodeUser},
	"role":                   {life, decodeRole},
	"permission":             {life, decodePermission},
	"session":                {[]verb{verbEnded, verbRemoved, verbRevoked}, decodeSession},
}

// decode reads the body of a delivery. What it can tell is in the event also where it returns an error. Errors are
// permanent: the same body will not read better later. They never quote the body.
func decode(body []byte) (event, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return event{}, permanent("the body is not an event: %s", jsonReason(err))
	}
	const longestType = 100
	decoded := event{kind: string(e.Type), instance: string(e.InstanceID), at: e.Timestamp.ms}
	if e.Type == "" || len(e.Type) > longestType {
		decoded.kind = ""
		return decoded, permanent("the event has no usable type")
	}
	name, what, _ := strings.Cut(string(e.Type), ".")
	of, v := nouns[name], verb(what)
	if !slices.Contains(of.verbs, v) {
		return decoded, nil
	}
	if v == verbDeleted && e.Timestamp.ms == 0 {
		return decoded, permanent("a deletion without the time it happened")
	}
	var err error
	decoded.change, err = of.decode(e, v)
	return decoded, err
}

// unmarshal reads the event's data into one of the wire types.
func (e envelope) unmarshal(into any) error {
	if len(e.Data) == 0 || string(e.Data) == "null" {
		return permanent("the event has no data")
	}
	if err := json.Unmarshal(e.Data, into); err != nil {
		return permanent("the event's data cannot be read: %s", jsonReason(err))
	}
	return nil
}

// rank is the rank of an object in its own event.
func (v verb) rank() int16 {
	switch v {
	case verbCreated:
		return rankCreated
	case verbDeleted:
		return rankDeletion
	}
	return rankEvent
}

// jsonReason says what is wrong with a document and where, without what it says.
func jsonReason(err error) string {
	switch e := err.(type) {
	case *json.SyntaxError:
		return "malformed JSON"
	case *json.UnmarshalTypeError:
		kind, _, _ := strings.Cut(e.Value, " ") // behind it stands the number itself
		return "a " + kind + " where none is expected, in " + e.Field
	}
	return "a field has an unusable value"
}

package models

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// Kind is the type part of a global id.
type Kind string

// The kinds of global id of what Clerk has, and of the audit log; any other noun has its own in its file. Organizations, invitations and users are known by Clerk's own ids, which carry their kind already.
const (
	KindAuditEntry   Kind = "audit"
	KindInvitation   Kind = "orginv"
	KindMember       Kind = "member"
	KindOrganization Kind = "org"
	KindUser         Kind = "user"
)

// Crockford's alphabet: no letter that reads like a digit, and the order of the text is the order of the bytes.
var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// GlobalID returns the opaque id under which clients know an object: its kind, an underscore and 26 characters.
func GlobalID(kind Kind, id uuid.UUID) string {
	return string(kind) + "_" + idEncoding.EncodeToString(id[:])
}

// ParseGlobalID takes a global id apart. Key is what stands behind the kind. ok is false where the text has no kind.
func ParseGlobalID(id string) (kind Kind, key string, ok bool) {
	before, key, ok := strings.Cut(id, "_")
	return Kind(before), key, ok && before != "" && key != ""
}

// ParseUUID returns the uuid of a global id of the given kind. Any other text gives ErrNotFound: an id that cannot
// exist and one that does not exist are the same answer.
func ParseUUID(kind Kind, id string) (uuid.UUID, error) {
	got, key, ok := ParseGlobalID(id)
	if !ok || got != kind || len(key) != idEncoding.EncodedLen(len(uuid.UUID{})) {
		return uuid.Nil, ErrNotFound
	}
	raw, err := idEncoding.DecodeString(key)
	if err != nil || idEncoding.EncodeToString(raw) != key {
		return uuid.Nil, ErrNotFound
	}
	return uuid.UUID(raw), nil
}

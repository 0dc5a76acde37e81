package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
)

// list names a list of one organization. Its cursors are no other list's.
type list struct {
	organizationID string
	name           string
}

const tagLength, cursorLength = 8, 8 + 8 + 16

func (l list) tag() []byte {
	sum := sha256.Sum256([]byte(l.name + "\x00" + l.organizationID))
	return sum[:tagLength]
}

// cursor returns the opaque text for a position: the list's tag, the microseconds, the id.
func (l list) cursor(at models.Position) string {
	raw := make([]byte, 0, cursorLength)
	raw = append(raw, l.tag()...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(at.At.UnixMicro()))
	raw = append(raw, at.ID[:]...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// position reads a cursor of this list; ok is false for any other text.
func (l list) position(cursor string) (at models.Position, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != cursorLength || string(raw[:tagLength]) != string(l.tag()) {
		return models.Position{}, false
	}
	micros := int64(binary.BigEndian.Uint64(raw[tagLength:]))
	return models.Position{At: time.UnixMicro(micros).UTC(), ID: uuid.UUID(raw[tagLength+8:])}, true
}

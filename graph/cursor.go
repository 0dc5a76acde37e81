package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
)

// list names a list of one organization, or of the viewer. Its cursors are no other list's.
type list struct {
	organizationID string
	// name has the list's order and what it leaves out, too.
	name string
	// keyed says that its order is by a text or of several parts.
	keyed bool
}

const (
	tagLength, cursorLength = 8, 8 + 8 + 16
	// maxKey is more than any id or folded name has, in bytes.
	maxKey = 512
)

func (l list) tag() []byte {
	sum := sha256.Sum256([]byte(l.name + "\x00" + l.organizationID))
	return sum[:tagLength]
}

// cursor returns the opaque text for a position: the list's tag, the microseconds, the id, and of keyed lists the part and
// the key.
func (l list) cursor(at models.Position) string {
	raw := make([]byte, 0, cursorLength)
	raw = append(raw, l.tag()...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(at.At.UnixMicro()))
	raw = append(raw, at.ID[:]...)
	if l.keyed {
		raw = append(append(raw, byte(at.Part)), at.Key...)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// position reads a cursor of this list; ok is false for any other text.
func (l list) position(cursor string) (at models.Position, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < cursorLength || string(raw[:tagLength]) != string(l.tag()) {
		return models.Position{}, false
	}
	micros := int64(binary.BigEndian.Uint64(raw[tagLength:]))
	at = models.Position{At: time.UnixMicro(micros).UTC(), ID: uuid.UUID(raw[tagLength+8 : cursorLength])}
	rest := raw[cursorLength:]
	if !l.keyed {
		return at, len(rest) == 0
	}
	if len(rest) == 0 || len(rest) > 1+maxKey {
		return models.Position{}, false
	}
	at.Part, at.Key = int(rest[0]), string(rest[1:])
	return at, utf8.ValidString(at.Key) && !strings.ContainsRune(at.Key, 0)
}

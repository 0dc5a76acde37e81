package graph

import (
	"io"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// escapedChunk is how many bytes of a string with escapes are written at a time.
const escapedChunk = 4 << 10

// chunks are the buffers of strings with escapes.
var chunks = sync.Pool{New: func() any { return new([escapedChunk]byte) }}

// MarshalString writes a string of JSON. gqlgen's own writes each character that must be escaped by
// itself, so that a text of control characters costs some 20 times the CPU of another one.
func MarshalString(text string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { writeString(w, text) })
}

// UnmarshalString reads a string.
func UnmarshalString(v any) (string, error) { return graphql.UnmarshalString(v) }

func writeString(w io.Writer, text string) {
	_, _ = io.WriteString(w, `"`)
	if plain := plainPrefix(text); plain == len(text) {
		_, _ = io.WriteString(w, text)
	} else {
		_, _ = io.WriteString(w, text[:plain])
		writeEscaped(w, text[plain:])
	}
	_, _ = io.WriteString(w, `"`)
}

// plainPrefix returns how many bytes a text begins with that need no escape.
func plainPrefix(text string) int {
	for i := range len(text) {
		if special(text[i]) {
			return i
		}
	}
	return len(text)
}

// special reports whether JSON requires a byte to be escaped. No byte of a longer UTF-8 character is.
func special(c byte) bool { return c < 0x20 || c == '"' || c == '\\' }

func writeEscaped(w io.Writer, text string) {
	const longest, hex = len(`\u0000`), "0123456789ABCDEF"
	chunk := chunks.Get().(*[escapedChunk]byte)
	defer chunks.Put(chunk)
	out := chunk[:0]
	for i := range len(text) {
		if len(out) > escapedChunk-longest {
			_, _ = w.Write(out)
			out = chunk[:0]
		}
		switch c := text[i]; {
		case !special(c):
			out = append(out, c)
		case c == '"', c == '\\':
			out = append(out, '\\', c)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\n':
			out = append(out, `\n`...)
		default:
			out = append(out, `\u00`...)
			out = append(out, hex[c>>4], hex[c&0xf])
		}
	}
	_, _ = w.Write(out)
}

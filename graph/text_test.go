package graph

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"
)

func marshaled(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

// Every text is written as gqlgen writes it, bytes that are no UTF-8 included.
func TestStringsAreWrittenAsGqlgenWritesThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.Map(rapid.SliceOf(rapid.SampledFrom([]string{`"`, `\`, "\n", "\r", "\t", "\x00", "\x1f", "é", "a"})),
				func(parts []string) string { return strings.Repeat(strings.Join(parts, ""), 500) }),
		).Draw(t, "text")
		if got, want := marshaled(MarshalString(text)), marshaled(graphql.MarshalString(text)); got != want {
			t.Fatalf("%.200q is written as %.200s, not as %.200s", text, got, want)
		}
	})
}

func BenchmarkString(b *testing.B) {
	for name, text := range map[string]string{"plain": strings.Repeat("x", 32_768), "control": strings.Repeat("\x01", 32_768), "title": "A title"} {
		for which, marshal := range map[string]func(string) graphql.Marshaler{"own": MarshalString, "gqlgen": graphql.MarshalString} {
			b.Run(name+"/"+which, func(b *testing.B) {
				b.ReportAllocs()
				var out strings.Builder
				for b.Loop() {
					out.Reset()
					marshal(text).MarshalGQL(&out)
				}
			})
		}
	}
}

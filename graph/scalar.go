package graph

import (
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// badValue says why a scalar cannot be read; it never repeats the value.
type badValue string

func (e badValue) Error() string { return string(e) }

// MarshalInt writes a 32-bit integer.
func MarshalInt(i int32) graphql.Marshaler { return graphql.MarshalInt32(i) }

// UnmarshalInt reads a 32-bit integer, from a literal or from a variable.
func UnmarshalInt(v any) (int32, error) {
	switch v := v.(type) {
	case int64:
		if int64(int32(v)) == v {
			return int32(v), nil
		}
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 32); err == nil {
			return int32(i), nil
		}
	}
	return 0, badValue("must be an integer of 32 bits")
}

// MarshalDateTime writes a time as RFC 3339 in UTC with the microseconds that PostgreSQL keeps.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = w.Write(t.UTC().AppendFormat(make([]byte, 0, 32), `"2006-01-02T15:04:05.000000Z"`))
	})
}

// UnmarshalDateTime reads what MarshalDateTime writes, and any other RFC 3339.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, badValue("must be a string as in RFC 3339")
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, badValue("must be a time as in RFC 3339")
	}
	return t, nil
}

// marshalName and unmarshalName serve the scalars that are names in Clerk.
func marshalName(name string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(name)) })
}

func unmarshalName(v any) (string, error) {
	name, ok := v.(string)
	if !ok {
		return "", badValue("must be a string")
	}
	return name, nil
}

// MarshalPermission writes a permission's name.
func MarshalPermission(name string) graphql.Marshaler { return marshalName(name) }

// bareForm is a permission's name without the org: that clients may write or leave out.
var bareForm = regexp.MustCompile(`^[a-z0-9_]+:[a-z0-9_]+$`)

// UnmarshalPermission reads a permission's name.
func UnmarshalPermission(v any) (string, error) {
	name, err := unmarshalName(v)
	bare := name
	for strings.HasPrefix(bare, "org:") {
		bare = bare[len("org:"):]
	}
	if err == nil && !bareForm.MatchString(bare) {
		err = badValue("must be a permission: org:feature:permission")
	}
	return name, err
}

// MarshalRole writes a role's key.
func MarshalRole(key string) graphql.Marshaler { return marshalName(key) }

// UnmarshalRole reads a role's key.
func UnmarshalRole(v any) (string, error) { return unmarshalName(v) }

// MarshalJSONObject writes an object.
func MarshalJSONObject(object map[string]any) graphql.Marshaler { return graphql.MarshalMap(object) }

// UnmarshalJSONObject reads an object.
func UnmarshalJSONObject(v any) (map[string]any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, badValue("must be an object of JSON")
	}
	return object, nil
}

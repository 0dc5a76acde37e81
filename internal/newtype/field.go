package newtype

import (
	"fmt"
	"regexp"
	"strings"
)

// field is a field that people write.
type field struct {
	// Name is its name in GraphQL, Go in Go, Column in SQL.
	Name, Go, Column string
	Kind             string
	Optional         bool
}

// kinds are what a field may be: what it is in Go, GraphQL and SQL, and for the manual.
var kinds = map[string]struct{ goType, graphQL, sql, manual string }{
	"string":   {"string", "String", "text", "1 to 200 characters."},
	"text":     {"string", "String", "text", "Up to 32,768 characters."},
	"int":      {"int32", "Int", "integer", "A whole number of 32 bits."},
	"bool":     {"bool", "Boolean", "boolean", "Yes or no."},
	"datetime": {"time.Time", "DateTime", "timestamptz", "A point in time, to the microsecond."},
}

var fieldForm = regexp.MustCompile(`^[a-z]+([A-Z][a-z]+)*$`)

// parseField reads name:kind, with a question mark behind what may be missing.
func parseField(text string) (field, error) {
	name, kind, ok := strings.Cut(text, ":")
	kind, optional := strings.CutSuffix(kind, "?")
	_, known := kinds[kind]
	if !ok || !known || !fieldForm.MatchString(name) {
		return field{}, fmt.Errorf("%q is no field: write name:kind, such as title:string; the name in letters, beginning with a small one; the kind is string, text, int, bool or datetime, with ? behind it where the field may be missing", text)
	}
	parts := words(name)
	column := strings.Join(parts, "_")
	for _, reserved := range [][]string{ownFields, sqlReserved} {
		if contains(reserved, column) {
			return field{}, fmt.Errorf("a field cannot be called %s: it is every type's own, or a word of SQL", name)
		}
	}
	return field{Name: name, Go: goName(parts), Column: column, Kind: kind, Optional: optional}, nil
}

// ownFields are the columns that every type has, and what its model does.
var ownFields = []string{
	"id", "organization", "organization_id", "author", "author_id", "impersonator_id", "version", "expected_version",
	"created_at", "updated_at", "viewer_can", "global_id", "position", "audited", "validate", "table_name",
}

// Base is its Go type where it is there.
func (f field) Base() string { return kinds[f.Kind].goType }

// GoType is its type in the model.
func (f field) GoType() string {
	if f.Optional {
		return "*" + f.Base()
	}
	return f.Base()
}

// GraphQL is its type in the schema, without the exclamation mark.
func (f field) GraphQL() string { return kinds[f.Kind].graphQL }

// SQL is its column's type with what the table checks.
func (f field) SQL() string {
	sql := kinds[f.Kind].sql
	if !f.Optional {
		sql += " NOT NULL"
	}
	switch f.Kind {
	case "string":
		sql += fmt.Sprintf(" CHECK (char_length(%s) BETWEEN 1 AND 200)", f.Column)
	case "text":
		sql += fmt.Sprintf(" CHECK (char_length(%s) <= 32768)", f.Column)
	}
	return sql
}

// Manual is its description for clients.
func (f field) Manual() string {
	if f.Optional {
		return kinds[f.Kind].manual + " May be missing; once given it can be changed and not taken away."
	}
	return kinds[f.Kind].manual
}

// Limit is how many characters it may have, "" where it is no text.
func (f field) Limit() string {
	return map[string]string{"string": "200", "text": "32_768"}[f.Kind]
}

// NotBlank says that it must have more than spaces.
func (f field) NotBlank() bool { return f.Kind == "string" }

// IsTime says that it is a point in time.
func (f field) IsTime() bool { return f.Kind == "datetime" }

// Audit is the Go expression for what the audit log keeps of a value.
func (f field) Audit(value string) string {
	switch f.Kind {
	case "text":
		return "Digest(" + value + ")"
	case "int":
		return "strconv.Itoa(int(" + value + "))"
	case "bool":
		return "strconv.FormatBool(" + value + ")"
	case "datetime":
		return strings.TrimPrefix(value, "*") + ".UTC().Format(time.RFC3339Nano)"
	}
	return value
}

// Sample is a Go expression for a value: the expression text where it is a text.
func (f field) Sample(text string) string {
	switch f.Kind {
	case "int":
		return "int32(7)"
	case "bool":
		return "true"
	case "datetime":
		return "time.Date(2026, 5, 6, 7, 8, 9, 123_000, time.UTC)"
	}
	return text
}

// Literal is a value in GraphQL.
func (f field) Literal(text string) string {
	switch f.Kind {
	case "int":
		return "7"
	case "bool":
		return "true"
	case "datetime":
		return `"2026-05-06T07:08:09.000123Z"`
	}
	return `"` + text + `"`
}

// Changed is another value than Sample's, as a Go expression.
func (f field) Changed() string {
	switch f.Kind {
	case "int":
		return "int32(8)"
	case "bool":
		return "false"
	case "datetime":
		return "time.Date(2027, 5, 6, 7, 8, 9, 123_000, time.UTC)"
	}
	return `"changed"`
}

// ChangedLiteral is another value than Literal's, in GraphQL.
func (f field) ChangedLiteral() string {
	switch f.Kind {
	case "int":
		return "8"
	case "bool":
		return "false"
	case "datetime":
		return `"2027-05-06T07:08:09.000123Z"`
	}
	return `"changed"`
}

// Var is a variable for its value.
func (f field) Var() string { return f.Name + "Value" }

// Marked is a value with the factory's mark in it, for internal/dbtest.
func (f field) Marked() string {
	if f.IsTime() {
		return "began"
	}
	return f.Sample(`mark + " ` + f.Name + `"`)
}

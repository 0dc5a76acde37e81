// Package newtype writes a type that belongs to an organization into a checkout of this project: its migration, its file in
// models, store and graph, its tests, and its lines in what all types share. It also renames the module. It knows files and
// nothing of a running server; what it writes is what docs/adding-a-type.md says.
package newtype

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Options are what is asked for.
type Options struct {
	// Name is the type's, such as Note, and Fields are its fields, such as title:string.
	Name   string
	Fields []string
	// Plural is the plural of the name, such as People; empty for the one by rule.
	Plural string
	// Now numbers the migration.
	Now time.Time
}

// noun is a type by all its names.
type noun struct {
	Module string
	// Name is the GraphQL and Go type: LineItem. Lower is a variable: lineItem. File is for files and audit entries: line_item.
	Name, Lower, File string
	// NamePlural is for methods, LowerPlural for variables and GraphQL fields, Table for SQL and permissions.
	NamePlural, LowerPlural, Table string
	// Words are for sentences.
	Words, WordsPlural string
	// NamesTable says that gorm would call the table otherwise.
	NamesTable bool
	Fields     []field
	Migration  string
}

var typeForm = regexp.MustCompile(`^([A-Z][a-z]+)+$`)

// parse returns an error that says what cannot be a type, and what to write instead.
func parse(o Options, module string) (noun, error) {
	if !typeForm.MatchString(o.Name) {
		return noun{}, fmt.Errorf("%q cannot be a type: write letters alone, each word with a capital, such as Note or LineItem", o.Name)
	}
	if o.Plural != "" && !typeForm.MatchString(o.Plural) {
		return noun{}, fmt.Errorf("%q cannot be a plural: write it as the type's name, such as Notes or People", o.Plural)
	}
	parts := words(o.Name)
	last := len(parts) - 1
	for _, part := range parts {
		if contains(initialisms, part) {
			return noun{}, fmt.Errorf("%s cannot be a type: Go would write %s in capitals; take another word", o.Name, part)
		}
	}
	many := append(append([]string{}, parts[:last]...), plural(parts[last]))
	if o.Plural != "" {
		many = words(o.Plural)
	}
	n := noun{
		Module: module, Name: o.Name, Lower: camel(parts), File: strings.Join(parts, "_"),
		LowerPlural: camel(many), Table: strings.Join(many, "_"), NamePlural: goName(many),
		Words: strings.Join(parts, " "), WordsPlural: strings.Join(many, " "),
	}
	n.NamesTable = o.Plural != "" || !plain(parts[last])
	n.Migration = fmt.Sprintf("%s/%s_%s.sql", migrations, numberOf(o.Now), n.Table)
	if n.NamePlural == n.Name {
		return noun{}, fmt.Errorf("%s needs a plural of its own: give --plural", o.Name)
	}
	if taken(n.Lower) || taken(n.LowerPlural) || contains(sqlReserved, n.Table) || strings.HasPrefix(n.Name, "Clerk") {
		return noun{}, fmt.Errorf("%s cannot be a type: its name or plural is a word of Go, of SQL or of this project's code", o.Name)
	}
	return n, n.addFields(o.Fields)
}

const migrations = "store/migrations"

// numberOf is the number of a migration made at that time.
func numberOf(now time.Time) string { return now.UTC().Format("20060102150405") }

func (n *noun) addFields(texts []string) error {
	if len(texts) == 0 {
		return errors.New("a type needs at least one field, such as title:string")
	}
	seen := map[string]bool{}
	for _, text := range texts {
		f, err := parseField(text)
		if err != nil {
			return err
		}
		if seen[f.Column] {
			return fmt.Errorf("the field %s is there twice", f.Name)
		}
		seen[f.Column] = true
		n.Fields = append(n.Fields, f)
	}
	return nil
}

// The names that templates use.

// Kind begins a global id, in which the underscore ends it.
func (n noun) Kind() string { return strings.ToLower(n.Name) }

// Action is the noun of the audit log's actions.
func (n noun) Action() string { return n.File }

// Feature is the permissions' feature.
func (n noun) Feature() string { return n.Table }

// Plural is the field of Organization.
func (n noun) Plural() string { return n.LowerPlural }

// R is the receiver of the model.
func (n noun) R() string { return n.Lower[:1] }

// Article is a or an, for the inside of a sentence.
func (n noun) Article() string { return article(n.Words) }

// Opening is the same at its beginning.
func (n noun) Opening() string { return capital(n.Article()) }

// Rule is the heading of the block in the schema, filled up with dashes.
func (n noun) Rule() string {
	return strings.Repeat("-", max(3, 113-len(n.Name))) + " " + n.Name
}

// ColumnWidth is the width of the longest column.
func (n noun) ColumnWidth() int {
	width := len("impersonator_id")
	for _, f := range n.Fields {
		width = max(width, len(f.Column))
	}
	return width
}

func (n noun) any(is func(field) bool) bool {
	for _, f := range n.Fields {
		if is(f) {
			return true
		}
	}
	return false
}

// HasLimits says that a field is a text.
func (n noun) HasLimits() bool { return n.any(func(f field) bool { return f.Limit() != "" }) }

// HasText says that a field is a long text.
func (n noun) HasText() bool { return n.any(func(f field) bool { return f.Kind == "text" }) }

// HasTime says that a field is a time.
func (n noun) HasTime() bool { return n.any(field.IsTime) }

// HasOptional says that a field may be missing.
func (n noun) HasOptional() bool { return n.any(func(f field) bool { return f.Optional }) }

// NeedsBlank says that a field must not be blank.
func (n noun) NeedsBlank() bool { return n.any(field.NotBlank) }

// NeedsStrconv says that a field is recorded as another text.
func (n noun) NeedsStrconv() bool {
	return n.any(func(f field) bool { return f.Kind == "int" || f.Kind == "bool" })
}

// First is the field that tests change.
func (n noun) First() field { return n.Fields[0] }

// Command schemadocs writes what follows from the directives of schema.graphqls and from roles.yml, both in the current
// folder, into the folder given: permissions.md, a table of what each permission opens and who holds it; permissions.ts, the permissions as a TypeScript union; schema.graphql, the schema
// as clients see it. `go generate ./...` runs it after gqlgen.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemadocs FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemadocs:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	if _, err := graph.NewSchema(nil, nil); err != nil {
		return err
	}
	text, err := os.ReadFile("roles.yml")
	if err != nil {
		return err
	}
	catalogue, err := auth.ParseCatalogue(text)
	if err != nil {
		return fmt.Errorf("roles.yml: %w", err)
	}
	schema := graph.DescribedSchema()
	for name, text := range map[string][]byte{
		"permissions.md": table(schema, catalogue), "permissions.ts": union(schema), "schema.graphql": sdl(schema),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

const (
	notice      = "Written by `go generate ./...` from schema.graphqls. Do not edit."
	tableNotice = "Written by `go generate ./...` from schema.graphqls and roles.yml. Do not edit."
)

// guardedField is a field and what it asks for.
type guardedField struct {
	name        string
	requires    []string
	permissions []string // among what it requires
}

// guardedFields are those that ask for something, Query and Mutation first.
func guardedFields(schema *ast.Schema) []guardedField {
	var fields []guardedField
	for _, definition := range schema.Types {
		if definition.BuiltIn || definition.Kind != ast.Object {
			continue
		}
		for _, field := range definition.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			if required := graph.Requires(schema, field); len(required) > 0 {
				fields = append(fields, guardedField{
					name: definition.Name + "." + field.Name, requires: required, permissions: graph.Permissions(schema, field),
				})
			}
		}
	}
	rank := func(f guardedField) string {
		for i, root := range []string{"Query.", "Mutation."} {
			if strings.HasPrefix(f.name, root) {
				return fmt.Sprint(i, f.name)
			}
		}
		return "2" + f.name
	}
	slices.SortFunc(fields, func(a, b guardedField) int { return strings.Compare(rank(a), rank(b)) })
	return fields
}

func table(schema *ast.Schema, catalogue auth.Catalogue) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "<!-- %s -->\n\n# Permissions\n\nWhat each permission opens. A directive on a type is asked on every way to it. Which roles hold it stands in roles.yml.\n\n", tableNotice)
	fmt.Fprint(&text, "| permission | fields | roles |\n|---|---|---|\n")
	fields := guardedFields(schema)
	for _, permission := range graph.NamedPermissions(schema) {
		names := []string{}
		for _, field := range fields {
			if slices.Contains(field.permissions, permission) {
				names = append(names, "`"+field.name+"`")
			}
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", permission, cmp.Or(strings.Join(names, ", "), "none yet; `viewerCan` answers it"),
			cmp.Or(strings.Join(catalogue.RolesWith(permission), ", "), "none"))
	}
	fmt.Fprint(&text, "\nWhat each guarded field requires.\n\n| field | requires |\n|---|---|\n")
	for _, field := range fields {
		fmt.Fprintf(&text, "| `%s` | %s |\n", field.name, strings.Join(field.requires, ", "))
	}
	return text.Bytes()
}

func union(schema *ast.Schema) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "// %s\n\n/** Every permission that the API asks for, for has({ permission }) and viewer.can. */\nexport type Permission =\n", notice)
	names := graph.NamedPermissions(schema)
	for i, name := range names {
		end := ""
		if i == len(names)-1 {
			end = ";"
		}
		fmt.Fprintf(&text, "  | %q%s\n", name, end)
	}
	return text.Bytes()
}

func sdl(schema *ast.Schema) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# %s\n\n", notice)
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatSchema(schema)
	return text.Bytes()
}

package newtype

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// free returns an error if a name that the type needs is somebody else's.
func (n noun) free(folder string) error {
	schema, err := os.ReadFile(filepath.Join(folder, "schema.graphqls"))
	if err != nil {
		return err
	}
	names := []string{n.Name, n.Name + "Connection", n.Name + "Edge", n.Name + "ViewerCan", n.NamePlural}
	for _, verb := range []string{"Create", "Update", "Delete"} {
		names = append(names, verb+n.Name+"Input", verb+n.Name+"Payload")
	}
	for _, name := range names {
		if regexp.MustCompile(`(?m)^(type|input|enum|interface|scalar|union) ` + name + `\b`).Match(schema) {
			return fmt.Errorf("%s cannot be a type: schema.graphqls has %s already", n.Name, name)
		}
	}
	needs := map[string][]string{
		"models": {n.Name, "Kind" + n.Name, "Test" + n.Name + "Validate"},
		"store":  {n.Lower + "Order", n.Name + "Input", n.Lower + "Entry", n.Name, n.NamePlural, n.NamePlural + "ByID", "Count" + n.NamePlural, "Create" + n.Name, "Update" + n.Name, "Delete" + n.Name, "make" + n.Name, "Test" + n.Name + "Lifecycle", "Test" + n.Name + "Pages"},
		"graph":  {n.Lower + "Kind", n.Lower + "Resolver", n.Lower + "ConnectionResolver", n.Lower + "List", n.Lower + "Edge", "expect" + n.Name + "Authors", "Test" + n.Name + "Mutations"},
	}
	for room, names := range needs {
		declared, err := declarations(filepath.Join(folder, room))
		if err != nil {
			return err
		}
		for _, name := range names {
			if declared[name] {
				return fmt.Errorf("%s cannot be a type: %s has %s already", n.Name, room, name)
			}
		}
	}
	tables, err := filepath.Glob(filepath.Join(folder, "store/migrations/*.sql"))
	if err != nil {
		return err
	}
	for _, path := range tables {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if regexp.MustCompile(`(?mi)^CREATE TABLE (public\.)?` + n.Table + `\b`).Match(text) {
			return fmt.Errorf("%s cannot be a type: %s makes its table %s already", n.Name, filepath.Base(path), n.Table)
		}
	}
	return nil
}

// declarations are the names that a package declares, with its methods.
func declarations(folder string) (map[string]bool, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	declared := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "/generated.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				declared[d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						declared[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range s.Names {
							declared[name.Name] = true
						}
					}
				}
			}
		}
	}
	return declared, nil
}

package attack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// step is one field on a path, in one of the forms that it can be asked in.
type step struct {
	field *ast.FieldDefinition
	// on is the type of the inline fragment that the field stands in, "" outside of one.
	on string
	// key is its name in the answer, arguments what stands behind its name.
	key, arguments string
	// concrete are the types of the objects that must come, by position, where an interface alone does not say.
	concrete []string
}

// path leads from the root to a field without fields, or to where the depth ends.
type path []*step

// paths are all paths from a root type.
func (p Plan) paths(root *ast.Definition) []path {
	var all []path
	var walk func(on *ast.Definition, fragment string, before path)
	walk = func(on *ast.Definition, fragment string, before path) {
		for _, field := range on.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			for _, step := range p.forms(field, fragment) {
				here := append(slices.Clip(before), step)
				below := p.Schema.Types[field.Type.Name()]
				if !below.IsCompositeType() || len(here) == p.Depth {
					all = append(all, here)
					continue
				}
				walk(below, "", here)
				if below.IsAbstractType() {
					for _, possible := range p.Schema.GetPossibleTypes(below) {
						walk(possible, possible.Name, here)
					}
				}
			}
		}
	}
	walk(root, "", nil)
	return all
}

// forms are the ways to ask for a field: where it takes an id, one for each target, and one with all where it takes many.
func (p Plan) forms(field *ast.FieldDefinition, fragment string) []*step {
	prefix := field.Name
	if fragment != "" {
		prefix = fragment + "_" + field.Name // fields of one name may have other types in other fragments
	}
	if !p.takes(field, "ID") {
		return []*step{{field: field, on: fragment, key: prefix, arguments: p.arguments(field, nil)}}
	}
	if p.takesList(field) {
		var types []string
		for _, target := range p.Targets {
			types = append(types, target.TypeName)
		}
		return []*step{{field: field, on: fragment, key: prefix, arguments: p.arguments(field, p.Targets), concrete: types}}
	}
	var forms []*step
	for _, target := range p.Targets {
		forms = append(forms, &step{
			field: field, on: fragment, key: prefix + "_of_" + target.TypeName,
			arguments: p.arguments(field, []Target{target}), concrete: []string{target.TypeName},
		})
	}
	return forms
}

// takes says whether a type is wanted anywhere in a field's arguments.
func (p Plan) takes(field *ast.FieldDefinition, typeName string) bool {
	var within func(*ast.Type) bool
	within = func(t *ast.Type) bool {
		return t.Name() == typeName || slices.ContainsFunc(p.Schema.Types[t.Name()].Fields, func(f *ast.FieldDefinition) bool { return within(f.Type) })
	}
	return slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return within(a.Type) })
}

func (p Plan) takesList(field *ast.FieldDefinition) bool {
	return slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.Elem != nil && a.Type.Name() == "ID" })
}

// arguments writes a field's arguments. Optional ones are left out, unless they are inside of an input.
func (p Plan) arguments(field *ast.FieldDefinition, targets []Target) string {
	var written []string
	for _, argument := range field.Arguments {
		if argument.Type.NonNull {
			written = append(written, argument.Name+": "+p.value(argument.Name, argument.Type, targets))
		}
	}
	if written == nil {
		return ""
	}
	return "(" + strings.Join(written, ", ") + ")"
}

// value makes one up for an argument or a field of an input.
func (p Plan) value(name string, t *ast.Type, targets []Target) string {
	if t.Elem != nil {
		if t.Name() != "ID" {
			return "[" + p.value(name, t.Elem, targets) + "]"
		}
		var ids []string
		for _, target := range targets {
			ids = append(ids, strconv.Quote(target.ID))
		}
		return "[" + strings.Join(ids, ", ") + "]"
	}
	definition := p.Schema.Types[t.Name()]
	switch definition.Kind {
	case ast.InputObject:
		var fields []string
		for _, field := range definition.Fields {
			fields = append(fields, field.Name+": "+p.value(field.Name, field.Type, targets))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case ast.Enum:
		return definition.EnumValues[0].Name
	}
	switch t.Name() {
	case "ID":
		return strconv.Quote(targets[0].ID)
	case "Int", "Float":
		return "1"
	case "Boolean":
		return "true"
	case "Permission", "Role":
		return strconv.Quote(p.Right.Name)
	case "DateTime":
		return `"2026-11-22T08:30:00Z"`
	}
	return strconv.Quote(fmt.Sprintf("%s %s", Canary, name))
}

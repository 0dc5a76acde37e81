package attack

import (
	"slices"
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

// forms are the ways to ask for a field: one for each variant of its inputs, and where it takes an id, one for each target,
// or one with all where it takes many.
func (p Plan) forms(field *ast.FieldDefinition, fragment string) []*step {
	prefix := field.Name
	if fragment != "" {
		prefix = fragment + "_" + field.Name // fields of one name may have other types in other fragments
	}
	var forms []*step
	for _, inputs := range p.variants(field) {
		key, targets := prefix+inputs.name, p.targets(field)
		if !p.takes(field, "ID") {
			forms = append(forms, &step{field: field, on: fragment, key: key, arguments: p.arguments(field, inputs, nil)})
			continue
		}
		if p.takesList(field) {
			var types []string
			for _, target := range targets {
				types = append(types, target.TypeName)
			}
			forms = append(forms, &step{field: field, on: fragment, key: key, arguments: p.arguments(field, inputs, targets), concrete: types})
			continue
		}
		for _, target := range targets {
			forms = append(forms, &step{
				field: field, on: fragment, key: key + "_of_" + target.TypeName,
				arguments: p.arguments(field, inputs, []Target{target}), concrete: []string{target.TypeName},
			})
		}
	}
	return forms
}

// targets are those that a field can be asked for: all, but where an interface comes back, only what implements it.
func (p Plan) targets(field *ast.FieldDefinition) []Target {
	back := p.Schema.Types[field.Type.Name()]
	if !back.IsAbstractType() {
		return p.Targets
	}
	return slices.DeleteFunc(slices.Clone(p.Targets), func(target Target) bool {
		return !slices.Contains(p.Schema.GetPossibleTypes(back), p.Schema.Types[target.TypeName])
	})
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

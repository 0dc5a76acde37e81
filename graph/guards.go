package graph

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

// guards are the schema's directives: by type, and by the field of Mutation. The generated code checks a type's
// directive on every field that returns the type, but not behind an interface: node and nodes ask here, and so does
// whoever wants to know beforehand.
type guards struct {
	types, mutations map[string][]guard
}

// readGuards returns an error that names every directive whose arguments are malformed.
func readGuards(schema *ast.Schema) (guards, error) {
	read := guards{types: map[string][]guard{}, mutations: map[string][]guard{}}
	var faults []error
	add := func(into map[string][]guard, name, where string, directives ast.DirectiveList) {
		for _, directive := range directives {
			asks, err := guardOf(directive)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: @%s %w", where, directive.Name, err))
			} else if asks != nil {
				into[name] = append(into[name], asks)
			}
		}
	}
	other := map[string][]guard{}
	for name, definition := range schema.Types {
		add(read.types, name, name, definition.Directives)
		for _, field := range definition.Fields {
			into := other // checked for form only: the generated code asks there
			if definition == schema.Mutation {
				into = read.mutations
			}
			add(into, field.Name, name+"."+field.Name, field.Directives)
		}
	}
	return read, errors.Join(faults...)
}

// guardOf returns nil for what is no guard.
func guardOf(directive *ast.Directive) (guard, error) {
	switch directive.Name {
	case "public":
		return func(*auth.Viewer) error { return nil }, nil
	case "signedIn":
		return signedIn, nil
	case "inOrganization":
		return inOrganization, nil
	case "notImpersonated":
		return notImpersonated, nil
	case "hasPermission":
		required, err := requirementOf(directive)
		return func(viewer *auth.Viewer) error { return has(viewer, required) }, err
	}
	return nil, nil
}

var (
	permissionForm = regexp.MustCompile(`^org:[a-z0-9_]+:[a-z0-9_]+$`)
	roleForm       = regexp.MustCompile(`^org:[a-z0-9_]+$`)
	// A slug may say whose it must be.
	slugForm = regexp.MustCompile(`^((o|org|organization|u|user):)?[A-Za-z0-9_-]+$`)
)

// requirementOf reads the arguments of a @hasPermission in the schema. It returns an error where one is malformed or
// none is given.
func requirementOf(directive *ast.Directive) (r auth.Requirement, err error) {
	for _, argument := range directive.Arguments {
		if argument.Value.Kind == ast.NullValue {
			continue
		}
		text := argument.Value.Raw
		fits := true
		switch argument.Name {
		case "permission":
			r.Permission, fits = text, permissionForm.MatchString(text)
		case "role":
			r.Role, fits = text, roleForm.MatchString(text)
		case "feature":
			r.Feature, fits = text, slugForm.MatchString(text)
		case "plan":
			r.Plan, fits = text, slugForm.MatchString(text)
		case "reverification":
			value, valueErr := argument.Value.Value(nil)
			if valueErr != nil {
				return r, valueErr
			}
			if r.Reverification, err = UnmarshalReverification(value); err != nil {
				return r, fmt.Errorf("asks for a reverification that %w", err)
			}
		}
		if !fits {
			return r, fmt.Errorf("asks for the %s %q, which has not the form %s", argument.Name, text, forms[argument.Name])
		}
	}
	if r == (auth.Requirement{}) {
		return r, errors.New("asks for nothing, and so lets nobody pass: give it a permission, a role, a feature, a plan or a reverification")
	}
	return r, nil
}

var forms = map[string]string{
	"permission": "org:feature:permission", "role": "org:role", "feature": "slug, org:slug or user:slug", "plan": "slug, org:slug or user:slug",
}

// check returns the denial of the first guard of a type that does not let the viewer pass. A type without a guard lets
// nobody pass.
func (g guards) check(viewer *auth.Viewer, typeName string) error {
	return all(g.types[typeName], viewer)
}

// mutation does the same for a field of Mutation.
func (g guards) mutation(viewer *auth.Viewer, name string) error {
	return all(g.mutations[name], viewer)
}

func all(asked []guard, viewer *auth.Viewer) error {
	if len(asked) == 0 {
		return &denial{code: CodeForbidden, reason: DenialReasonPermission, message: mayNot}
	}
	// The generated code wraps directives, so that the last one is asked first.
	for _, allowed := range slices.Backward(asked) {
		if err := allowed(viewer); err != nil {
			return err
		}
	}
	return nil
}

// allowance says whether a guard lets the viewer pass, and why not.
func allowance(err error) *Allowance {
	if err == nil {
		return &Allowance{Allowed: true}
	}
	reason := DenialReasonPermission
	var denied *denial
	if errors.As(err, &denied) {
		reason = cmp.Or(denied.reason, reason)
	}
	return &Allowance{Reason: &reason}
}

// argument is the text of a directive's argument, nil where it is not given.
func argument(directive *ast.Directive, name string) *string {
	value := directive.Arguments.ForName(name)
	if value == nil || value.Value.Kind == ast.NullValue {
		return nil
	}
	text := strings.TrimSpace(value.Value.Raw)
	return &text
}

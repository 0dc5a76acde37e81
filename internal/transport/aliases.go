package transport

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxAliases is how often an operation may request one field of one type, under whatever
	// aliases and in whatever places. Each request of a field runs on its own, with its own SQL. A
	// field below a list of objects counts once.
	maxAliases = 30
	// maxMutations is how many mutations one operation may run.
	maxMutations = 10
)

var tooManyMutations = fmt.Sprintf("The operation has more than %d mutations. Send them in several requests.", maxMutations)

// request is a field that execution runs: all selections with one alias in one place, which it
// merges. Clients may therefore select the same field in many fragments.
type request struct {
	field *ast.Field
	sets  []ast.SelectionSet
}

// requests counts fields by type and name.
type requests map[[2]string]int

// checkRequests returns an error if an operation of a valid document requests one field, or
// mutations, too often. It follows every spread: gauge has ensured that all of them together lead
// to at most maxFields fields.
func checkRequests(doc *ast.QueryDocument) *gqlerror.Error {
	for _, operation := range doc.Operations {
		outermost := merge([]ast.SelectionSet{operation.SelectionSet})
		if err := (requests{}).add(outermost); err != nil {
			return err
		}
		mutations := 0
		for _, f := range outermost {
			if f.field.Name != "__typename" {
				mutations++
			}
		}
		if operation.Operation == ast.Mutation && mutations > maxMutations {
			return at(operation.Position, codeTooComplex, tooManyMutations)
		}
	}
	return nil
}

// add counts fields and all that is below them.
func (r requests) add(fields []*request) *gqlerror.Error {
	for _, f := range fields {
		object := f.field.ObjectDefinition.Name
		key := [2]string{object, f.field.Name}
		// What describes the schema costs no SQL, and the query of graphql-js asks 45 times for the
		// kind of a type.
		if r[key]++; r[key] > maxAliases && !strings.HasPrefix(object, "__") {
			return at(f.field.Position, codeTooComplex, fmt.Sprintf("The operation requests %s.%s more than %d times. "+
				"Request it less often, or send several requests.", object, f.field.Name, maxAliases))
		}
		if err := r.add(merge(f.sets)); err != nil {
			return err
		}
	}
	return nil
}

// merge returns the fields that selection sets of one object request, each once, in the order of
// their first selection.
func merge(sets []ast.SelectionSet) []*request {
	var merged []*request
	known := map[[2]string]*request{}
	var collect func(set ast.SelectionSet)
	collect = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				// Below an interface each type may have a field of its own under the same alias.
				key := [2]string{selection.ObjectDefinition.Name, selection.Alias}
				if known[key] == nil {
					known[key] = &request{field: selection}
					merged = append(merged, known[key])
				}
				known[key].sets = append(known[key].sets, selection.SelectionSet)
			case *ast.InlineFragment:
				collect(selection.SelectionSet)
			case *ast.FragmentSpread:
				collect(selection.Definition.SelectionSet)
			}
		}
	}
	for _, set := range sets {
		collect(set)
	}
	return merged
}

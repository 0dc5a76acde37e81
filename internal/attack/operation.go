package attack

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A server takes 1,000 tokens and 1,000 fields at most; an estimate that is never too low keeps below.
const maxTokens = 900

// Operation asks for some paths at once.
type Operation struct {
	Text string
	// Paths is how many.
	Paths int
	// Mutation is the field of Mutation that is called, nil for a query.
	Mutation *ast.FieldDefinition

	root *node
}

// node is a step with what is asked for below it.
type node struct {
	*step
	within []*node
}

// Queries are the operations that ask for every path from Query.
func (p Plan) Queries() []Operation { return p.pack("query", p.paths(p.Schema.Query)) }

// Mutations are the operations that call every field of Mutation, one each, in all the forms that its arguments take, as
// often as it takes to ask for every path of the payload.
func (p Plan) Mutations() (operations []Operation) {
	if p.Schema.Mutation == nil {
		return nil
	}
	for _, field := range p.Schema.Mutation.Fields {
		operations = append(operations, p.Calls(field)...)
	}
	return operations
}

// Calls are those of Mutations that call one field.
func (p Plan) Calls(field *ast.FieldDefinition) (operations []Operation) {
	root := *p.Schema.Mutation
	root.Fields = ast.FieldList{field}
	paths := p.paths(&root)
	for len(paths) > 0 {
		form := 1
		for form < len(paths) && paths[form][0] == paths[0][0] {
			form++
		}
		for _, operation := range p.pack("mutation", paths[:form]) {
			operation.Mutation = field
			operations = append(operations, operation)
		}
		paths = paths[form:]
	}
	return operations
}

// pack puts as many paths into one operation as its limits allow.
func (p Plan) pack(kind string, paths []path) []Operation {
	var operations []Operation
	root, count, tokens := &node{}, 0, 0
	flush := func() {
		if count > 0 {
			operations = append(operations, Operation{Text: kind + " Attack " + p.text(root), Paths: count, root: root})
		}
		root, count, tokens = &node{}, 0, 0
	}
	for _, path := range paths {
		if tokens+cost(path) > maxTokens {
			flush()
		}
		at := root
		for i, step := range path {
			next := at.find(step)
			if next == nil {
				next = &node{step: step}
				at.within = append(at.within, next)
				tokens += cost(path[i : i+1])
			}
			at = next
		}
		count++
	}
	flush()
	return operations
}

// cost is the most tokens that steps take: alias, name, braces, the fragment around them and their arguments.
func cost(steps []*step) int {
	tokens := 0
	for _, step := range steps {
		tokens += 12 + len(strings.FieldsFunc(step.arguments, func(c rune) bool { return c == ' ' || c == ',' }))*3
	}
	return tokens
}

func (n *node) find(step *step) *node {
	for _, child := range n.within {
		if child.step == step {
			return child
		}
	}
	return nil
}

// text writes what is asked for below a node.
func (p Plan) text(n *node) string {
	var text strings.Builder
	text.WriteString("{ ")
	if n.step != nil { // an operation of nothing but __typename would ask nobody
		text.WriteString("__typename ")
	}
	for _, child := range n.within {
		if child.on != "" {
			text.WriteString("... on " + child.on + " { ")
		}
		if child.key != child.field.Name {
			text.WriteString(child.key + ": ")
		}
		text.WriteString(child.field.Name + child.arguments + " ")
		if p.Schema.Types[child.field.Type.Name()].IsCompositeType() {
			text.WriteString(p.text(child))
		}
		if child.on != "" {
			text.WriteString("} ")
		}
	}
	text.WriteString("} ")
	return text.String()
}

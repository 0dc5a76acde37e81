package lint

import (
	"context"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

const pageArguments = "first: Int, after: String, last: Int, before: String"

// checkConnections holds that each list can be asked for in pages.
func checkConnections(schema *ast.Schema, object *ast.Definition, found *faults) {
	for _, field := range object.Fields {
		if !isConnection(schema, field) {
			continue
		}
		where := object.Name + "." + field.Name
		for name, kind := range map[string]string{"first": "Int", "after": "String", "last": "Int", "before": "String"} {
			if argument := field.Arguments.ForName(name); argument == nil || argument.Type.String() != kind {
				found.report("%s is a list without the argument %s: %s: give it (%s) in schema.graphqls", where, name, kind, pageArguments)
			}
		}
		if schema.Types[field.Type.Name()].Fields.ForName("pageInfo") == nil {
			found.report("%s has no pageInfo: write pageInfo: PageInfo! into type %s in schema.graphqls", where, field.Type.Name())
		}
	}
}

func isConnection(schema *ast.Schema, field *ast.FieldDefinition) bool {
	return strings.HasSuffix(field.Type.Name(), "Connection") && schema.Types[field.Type.Name()].Kind == ast.Object
}

// connectionFaults asks every list for too much, and looks at how its pages are read.
func (l living) connectionFaults(ctx context.Context) []string {
	var found faults
	for _, object := range sorted(l.Schema.Types) {
		for _, field := range object.Fields {
			if object.Kind != ast.Object || !isConnection(l.Schema, field) || field.Arguments.ForName("first") == nil ||
				field.Arguments.ForName("last") == nil || l.Schema.Types[field.Type.Name()].Fields.ForName("pageInfo") == nil {
				continue // which checkConnections says
			}
			where := object.Name + "." + field.Name
			way, ok := l.wayTo(object.Name)
			if !ok {
				found.report("%s cannot be reached from Query by fields without arguments or by node(id:), so that nobody sees whether it has a cap: let a field lead to it", where)
				continue
			}
			l.checkCap(ctx, where, way, field, &found)
			l.checkOrder(ctx, where, way, field, &found)
		}
	}
	return found
}

// checkCap holds that a page has 1 to 100 items.
func (l living) checkCap(ctx context.Context, where string, way way, field *ast.FieldDefinition, found *faults) {
	for _, size := range []string{"first: 101", "first: 0", "last: 101"} {
		answer := l.ask(ctx, ours, way.role(field), way.to(l.list(field, size)))
		if answer.Code() != "BAD_USER_INPUT" {
			found.report("%s has no cap: %s is answered with %s instead of BAD_USER_INPUT. Let its resolver in graph take its page from a list's page(first, after, last, before), as Organization.documents does",
				where, size, brief(answer.Body))
		}
	}
}

// checkOrder holds that an index gives the order of a list's pages, in each order that can be asked for.
func (l living) checkOrder(ctx context.Context, where string, way way, field *ast.FieldDefinition, found *faults) {
	for _, order := range l.orders(field) {
		var queries []query
		heard := listen(ctx, &queries)
		if answer := l.ask(heard, ours, way.role(field), way.to(l.list(field, "first: 2"+order))); len(answer.Errors) > 0 {
			found.report("%s cannot be asked for a page (first: 2%s): %s", where, order, brief(answer.Body))
			continue
		}
		for _, q := range queries {
			sorts, err := q.sorts(ctx, l.conn)
			if err != nil {
				found.report("%s: how PostgreSQL reads its pages cannot be seen: %s", where, err)
			} else if sorts != "" {
				found.report("%s sorts all of the organization's rows for a page (first: 2%s): no index has its order. Write CREATE INDEX ON <its table> (organization_id, <the columns of ORDER BY>) in a migration in store/migrations, for: %s",
					where, order, sorts)
			}
		}
	}
}

// list is a selection of a page. Its other required arguments are made up.
func (l living) list(field *ast.FieldDefinition, arguments string) string {
	for _, argument := range field.Arguments {
		if argument.Type.NonNull && argument.DefaultValue == nil {
			arguments += fmt.Sprintf(", %s: %s", argument.Name, l.madeUp(argument.Type))
		}
	}
	return fmt.Sprintf("%s(%s) { pageInfo { hasNextPage endCursor } }", field.Name, arguments)
}

// orders are the ways in which a list can be ordered, as further arguments: "" is the one that it has by itself.
func (l living) orders(field *ast.FieldDefinition) []string {
	orders := []string{""}
	for _, argument := range field.Arguments {
		if definition := l.Schema.Types[argument.Type.Name()]; definition.Kind == ast.Enum && argument.Type.Elem == nil {
			for _, value := range definition.EnumValues {
				orders = append(orders, fmt.Sprintf(", %s: %s", argument.Name, value.Name))
			}
		}
	}
	return orders
}

func (l living) madeUp(t *ast.Type) string {
	if t.Elem != nil {
		return "[" + l.madeUp(t.Elem) + "]"
	}
	switch definition := l.Schema.Types[t.Name()]; {
	case definition.Kind == ast.Enum:
		return definition.EnumValues[0].Name
	case definition.Kind == ast.InputObject:
		var fields []string
		for _, field := range definition.Fields {
			if field.Type.NonNull {
				fields = append(fields, field.Name+": "+l.madeUp(field.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case t.Name() == "Int", t.Name() == "Float":
		return "1"
	case t.Name() == "Boolean":
		return "true"
	}
	return `"made_up"`
}

func brief(body string) string {
	if len(body) > 200 {
		return body[:200] + "..."
	}
	return body
}

package probe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// However many types an organization has, the tour asks for the fields of each.
func TestTourReachesEveryType(t *testing.T) {
	t.Parallel()
	var lists, types strings.Builder
	const count = 30
	for i := range count {
		fmt.Fprintf(&lists, " list%d: [Type%d]", i, i)
		fmt.Fprintf(&types, "type Type%d { id: ID a: Int b: Int c: Int d: Int e: Int f: Int g: Int h: Int last: Int }\n", i)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: "type Query { organization: Organization }\ntype Organization {" + lists.String() + " }\n" + types.String()})
	if err != nil {
		t.Fatal(err)
	}
	known := newHoldings()
	asked := map[string]bool{}
	for _, o := range (&run{Attack: &Attack{Schema: schema}}).tour(&known) {
		for _, list := range o.roots[0].children {
			for _, field := range list.children {
				asked[field.on.Name] = asked[field.on.Name] || field.key == "last"
			}
		}
	}
	for i := range count {
		if name := fmt.Sprint("Type", i); !asked[name] {
			t.Errorf("the tour leaves out %s.last", name)
		}
	}
}

package graph_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/attack"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// For each right that the schema names, somebody who has all others walks every path to depth 6. Nothing of what it guards
// comes back, each closed field says why, and nothing is changed that it guards.
func TestWhoLacksOneRight(t *testing.T) {
	t.Parallel()
	for _, right := range attack.Rights(graph.DescribedSchema()) {
		t.Run(right.String(), func(t *testing.T) {
			t.Parallel()
			a := newAttacker(t, right, graph.NewSchema)
			control, lacking := a.walk(right)
			for _, fault := range control.faults {
				t.Errorf("with every right: %s", fault)
			}
			for _, fault := range lacking.faults {
				t.Errorf("without it: %s", fault)
			}
			if control.secrets == nil && len(control.done) == len(lacking.done) && control.claims == 0 {
				t.Errorf("with every right nothing of the %v was seen or done: give the attacker an object that it guards", right)
			}
			if control.secrets != nil && !strings.Contains(strings.Join(control.secrets, "\n"), attack.Canary) {
				t.Errorf("no canary of the attacker's is among %q", control.secrets)
			}
			for _, mutation := range graph.DescribedSchema().Mutation.Fields {
				if control.done[mutation.Name] == 0 {
					t.Errorf("with every right %s does nothing: give the attacker an input that it accepts", mutation.Name)
				}
			}
			if lacking.denials == 0 && lacking.claims == control.claims {
				t.Errorf("nothing was denied for want of the %v", right)
			}
			t.Logf("%d paths in %d operations. With every right: %d fields looked at, %d texts that only it opens, done %v. Without it: %d fields, %d denied, %d of those texts, done %v, which other rights guard",
				control.paths, control.operations, control.probes, len(control.secrets), control.done, lacking.probes, lacking.denials, lacking.leaks, lacking.done)
		})
	}
}

// The attack finds what a hole lets out: with the check in node removed, and with a @hasPermission that asks for nothing.
func TestAttackFindsHoles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		schema func(*store.Store, graph.Manager) (graphql.ExecutableSchema, error)
		open   func(attack.Right) bool
	}{
		"node":           {graph.NewSchemaWithOpenNodes, guardsNodes},
		"@hasPermission": {graph.NewSchemaWithoutHasPermission, func(attack.Right) bool { return true }},
	} {
		for _, right := range attack.Rights(graph.DescribedSchema()) {
			if name == "node" && !strings.HasSuffix(right.Name, ":read") {
				continue // it reads only
			}
			if !shipped.MatchString(right.Name) {
				continue // what the attack finds in Document, it finds in the types of an app
			}
			t.Run(name+" "+right.Name, func(t *testing.T) {
				t.Parallel()
				a := newAttacker(t, right, test.schema)
				control, lacking := a.walk(right)
				if found := len(lacking.faults) > 0; found != test.open(right) {
					t.Errorf("%d faults, of which the first are %q", len(lacking.faults), lacking.faults[:min(3, len(lacking.faults))])
				}
				if reads := strings.HasSuffix(right.Name, ":read"); test.open(right) && (reads && lacking.leaks == 0 || !reads && !maps.Equal(lacking.done, control.done)) {
					t.Errorf("the hole lets out %d of %d texts and does %v of %v", lacking.leaks, len(control.secrets), lacking.done, control.done)
				}
				t.Logf("%d faults, %d of %d texts", len(lacking.faults), lacking.leaks, len(control.secrets))
			})
		}
	}
}

// shipped matches what the schema requires before an app adds types of its own.
var shipped = regexp.MustCompile(`^org:(sys_\w+|documents|audit_log):|^[^:]*$`)

// guardsNodes reports whether a type that implements Node requires the right.
func guardsNodes(right attack.Right) bool {
	return slices.ContainsFunc(graph.DescribedSchema().PossibleTypes["Node"], func(definition *ast.Definition) bool {
		return slices.Contains(attack.Asked(definition.Directives), right)
	})
}

// attacker is an organization full of canaries, and who asks for them.
type attacker struct {
	*api
	right   attack.Right
	targets []attack.Target
	// freshened are objects of every other type.
	freshened []attack.Target
	made      int
	conn      *pgx.Conn
}

func newAttacker(t *testing.T, right attack.Right, newSchema func(*store.Store, graph.Manager) (graphql.ExecutableSchema, error)) *attacker {
	a := &attacker{api: newAPIWith(t, newSchema), right: right}
	conn, err := pgx.Connect(t.Context(), a.ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	a.conn = conn
	canary := func(what string) *string { text := attack.Canary + " " + what; return &text }
	for _, user := range []string{"user_author", "user_hidden"} {
		dbtest.Member(t, a.ownerURL, models.Member{
			OrganizationID: acme, UserID: user, Name: canary("name of " + user), Email: canary("email of " + user),
			ImageURL: canary("image of " + user), Role: "org:" + attack.Canary,
		})
	}
	for i := range 3 {
		dbtest.Document(t, a.store.Org(acme), models.Document{
			Title: *canary(fmt.Sprint("title ", i)), Content: *canary(fmt.Sprint("content ", i)), AuthorID: "user_author", ImpersonatorID: canary("impersonator"),
		})
	}
	// Only the audit log still has the title of what is gone.
	gone := dbtest.Document(t, a.store.Org(acme), models.Document{Title: *canary("title of what is gone")})
	if err := a.store.Org(acme).DeleteDocument(t.Context(), models.Actor{UserID: "user_author"}, gone.ID); err != nil {
		t.Fatal(err)
	}
	dbtest.Invitation(t, a.ownerURL, models.Invitation{OrganizationID: acme, ID: "orginv_acme", Email: canary("email of an invitation")})
	members, err := a.store.Org(acme).MembersByUser(t.Context(), []string{"user_author"})
	if err != nil {
		t.Fatal(err)
	}
	a.targets = []attack.Target{{TypeName: "Organization", ID: acme}, {TypeName: "Member", ID: members[0].GlobalID()}, {TypeName: "Invitation", ID: "orginv_acme"}}
	a.freshened = a.freshTargets()
	return a
}

// onlyBehind leaves out texts that are in others, which other rights open, and names of types, which are no secret.
func onlyBehind(secrets []string, seen map[string]map[attack.Right]bool) []string {
	found := func(secret string) bool {
		for text := range seen {
			if !slices.Contains(secrets, text) && strings.Contains(text, secret) {
				return true
			}
		}
		return graph.DescribedSchema().Types[secret] != nil
	}
	return slices.DeleteFunc(slices.Clone(secrets), found)
}

// freshTargets are an object of each type that targets has none of, which no mutation has touched.
func (a *attacker) freshTargets() (fresh []attack.Target) {
	a.t.Helper()
	for _, definition := range graph.DescribedSchema().PossibleTypes["Node"] {
		if slices.ContainsFunc(a.targets, func(target attack.Target) bool { return target.TypeName == definition.Name }) {
			continue
		}
		factory := dbtest.Factories[definition.Name]
		if factory == nil {
			a.t.Fatalf("%s implements Node and has no factory in internal/dbtest/nouns.go", definition.Name)
		}
		a.made++
		mark := fmt.Sprint(attack.Canary, a.made)
		fresh = append(fresh, attack.Target{TypeName: definition.Name, ID: factory(a.t, dbtest.World{Store: a.store, OwnerURL: a.ownerURL}, acme, mark)})
	}
	return fresh
}

// holding is somebody's rights, and a viewer who has them.
type holding struct {
	viewer *auth.Viewer
	holds  func(attack.Right) bool
}

// holding is a viewer with every right but one. Of several roles somebody can have one: the one in question.
func (a *attacker) holding(role, without attack.Right) holding {
	v := viewer("user_ada", acme, "org:nobody")
	held := map[attack.Right]bool{}
	for _, right := range attack.Rights(graph.DescribedSchema()) {
		if right == without || right.Kind == without.Kind && right.Kind == "reverification" || right.Kind == "role" && role.Kind == "role" && right != role {
			continue
		}
		if right.Kind == "role" && v.Organization.Role != "org:nobody" {
			continue
		}
		held[right] = true
		switch right.Kind {
		case "permission":
			v.Organization.Permissions = append(v.Organization.Permissions, right.Name)
		case "role":
			v.Organization.Role = right.Name
		case "feature":
			v.Features = append(v.Features, "ou:"+right.Name)
		case "plan":
			v.Plans = append(v.Plans, "ou:"+right.Name)
		}
	}
	if without.Kind == "reverification" {
		v.FactorVerificationAge = &[2]int{100_000, 100_000} // minutes: too long ago for every preset
	}
	return holding{v, func(right attack.Right) bool { return held[right] }}
}

// walked is what a walk over all paths showed.
type walked struct {
	operations, paths, probes, denials, claims int
	// done is how many operations changed rows or called the manager, by mutation.
	done   map[string]int
	faults []string
	// seen are the texts that queries answered, secrets those of them that only the right opens, leaks how many of these
	// came back without it.
	seen    map[string]map[attack.Right]bool
	secrets []string
	leaks   int
	bodies  strings.Builder
}

func newWalked() *walked {
	return &walked{seen: map[string]map[attack.Right]bool{}, done: map[string]int{}}
}

// walk asks for every path, first with every right and then without the one. Between the two rounds of queries nothing
// is changed.
func (a *attacker) walk(right attack.Right) (control, lacking *walked) {
	control, lacking = newWalked(), newWalked()
	all, fewer := a.holding(right, attack.Right{}), a.holding(right, right)
	before := a.state()
	a.query(control, all)
	a.query(lacking, fewer)
	if a.state() != before {
		a.t.Error("queries change rows or call the manager")
	}
	control.secrets = onlyBehind(attack.Secrets(control.seen, right), control.seen)
	for _, secret := range control.secrets {
		if strings.Contains(lacking.bodies.String(), secret) {
			lacking.leaks++
			lacking.faults = append(lacking.faults, fmt.Sprintf("leaks %q", secret))
		}
	}
	a.mutate(control, all)
	a.mutate(lacking, fewer)
	return control, lacking
}

func (a *attacker) query(w *walked, as holding) {
	for _, operation := range a.plan().Queries() {
		attack.Meet(w.seen, a.attack(w, operation, as))
	}
}

// mutate gives each operation objects that none has touched.
func (a *attacker) mutate(w *walked, as holding) {
	for _, field := range graph.DescribedSchema().Mutation.Fields {
		for i := range a.plan().Calls(field) {
			a.freshened = a.freshTargets()
			operation, before := a.plan().Calls(field)[i], a.state()
			a.attack(w, operation, as)
			if a.state() == before {
				continue
			}
			w.done[field.Name]++
			if slices.ContainsFunc(attack.Asked(field.Directives), func(right attack.Right) bool { return !as.holds(right) }) {
				w.faults = append(w.faults, "is done: "+operation.Text)
			}
		}
	}
}

func (a *attacker) plan() attack.Plan {
	return attack.Plan{Schema: graph.DescribedSchema(), Depth: 6, Targets: slices.Concat(a.targets, a.freshened), Right: a.right, Texts: map[string]string{
		"role": "org:" + attack.Canary, "slug": attack.Canary, "email": attack.Canary + "@example.com",
	}}
}

// attack asks one operation, and notes what is wrong with its answer.
func (a *attacker) attack(w *walked, operation attack.Operation, as holding) map[string]map[attack.Right]bool {
	if _, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: operation.Text}, 1000); err != nil {
		a.t.Fatalf("%v: %s", err, operation.Text)
	}
	got := a.send(as.viewer, operation.Text, nil)
	if got.Data == nil {
		a.t.Fatalf("refused as a whole: %s\n%s", got, operation.Text)
	}
	answer := attack.Answer{Data: got.Data}
	for _, e := range got.Errors {
		if strings.Contains(e.Message, attack.Canary) {
			w.faults = append(w.faults, "leaks in an error: "+e.Message)
		}
		answer.Errors = append(answer.Errors, attack.Error{Path: e.Path, Extensions: e.Extensions})
	}
	plan := a.plan()
	verdict := plan.Judge(operation, answer, as.holds)
	w.operations++
	w.paths += operation.Paths
	w.probes += verdict.Probes
	w.denials += verdict.Denials
	w.claims += verdict.Claims
	w.faults = append(w.faults, verdict.Faults...)
	if operation.Mutation == nil {
		w.bodies.WriteString(got.Body)
	}
	return verdict.Seen
}

// state is what a mutation can change: every row, and what the manager was asked for.
func (a *attacker) state() string {
	return a.rows() + strings.Join(a.manager.calls, "\n")
}

// rows is the count and the hash of every row of every table.
func (a *attacker) rows() string {
	rows, _ := a.conn.Query(a.t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 5 {
		a.t.Fatal(tables, err)
	}
	for i, table := range tables {
		tables[i] = fmt.Sprintf(`SELECT '%s ' || count(*) || ' ' || coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') AS one FROM %s AS r`, table, table)
	}
	var all string
	if err := a.conn.QueryRow(a.t.Context(), `SELECT string_agg(one, ', ') FROM (`+strings.Join(tables, " UNION ALL ")+`) AS every`).Scan(&all); err != nil {
		a.t.Fatal(err)
	}
	return all
}

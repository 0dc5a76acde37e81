package probe

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// library has what a schema of somebody's may have: a type with a parent, a type under results, and one of which there is one.
const library = `
interface Node { id: ID! }
type Shelf implements Node { id: ID! label: String! }
type Book implements Node { id: ID! title: String! shelf: Shelf }
type Card implements Node { id: ID! }
type House implements Node { id: ID! name: String! }
type Query { house: House node(id: ID!): Node }
input CreateShelfInput { label: String! }
input CreateBookInput { shelfId: ID! title: String! subtitle: String }
input RenameBookInput { id: ID! title: String! }
input MoveBookInput { bookId: ID! shelfId: ID! }
input IssueCardsInput { holders: [String!]! }
input RenameHouseInput { name: String! }
type CreateShelfPayload { shelf: Shelf }
type CreateBookPayload { bookEdge: BookEdge book: Book }
type BookEdge { cursor: String! node: Book }
type IssueCardsPayload { results: [CardResult!] }
type CardResult { card: Card }
type RenameHousePayload { house: House }
type Mutation {
  renameBook(input: RenameBookInput!): CreateBookPayload
  moveBook(input: MoveBookInput!): CreateBookPayload
  createBook(input: CreateBookInput!): CreateBookPayload
  createShelf(input: CreateShelfInput!): CreateShelfPayload
  issueCards(input: IssueCardsInput!): IssueCardsPayload
  renameHouse(input: RenameHouseInput!): RenameHousePayload
}
type Subscription { bookAdded(shelfId: ID!): Book }
`

func librarySchema() *ast.Schema {
	return gqlparser.MustLoadSchema(&ast.Source{Name: "library", Input: library})
}

func TestMakerFindsTheMutationThatMakesAType(t *testing.T) {
	t.Parallel()
	ways := map[string][]string{}
	for typeName, fields := range waysOf(librarySchema()) {
		for _, field := range fields {
			ways[typeName] = append(ways[typeName], field.Name)
		}
	}
	for typeName, want := range map[string][]string{"Shelf": {"createShelf"}, "Book": {"createBook"}, "Card": {"issueCards"}, "House": nil} {
		if !slices.Equal(ways[typeName], want) {
			t.Errorf("%s is made by %q, want %q", typeName, ways[typeName], want)
		}
	}
}

var shelfGiven = regexp.MustCompile(`shelfId: "(shelf_\d+)"`)

func TestMakerMakesWhatAnObjectNeeds(t *testing.T) {
	t.Parallel()
	var asked []string
	answer := func(text string) string {
		switch {
		case strings.Contains(text, "createShelf"):
			return fmt.Sprintf(`{"data":{"createShelf":{"shelf":{"__typename":"Shelf","id":"shelf_%d"}}}}`, len(asked))
		case strings.Contains(text, "subtitle: "):
			return `{"errors":[{"message":"No.","extensions":{"fields":[{"path":"subtitle","message":"must be shorter"}]}}],"data":{"createBook":null}}`
		case shelfGiven.MatchString(text):
			return fmt.Sprintf(`{"data":{"createBook":{"bookEdge":{"node":{"__typename":"Book","id":"book_%d"}}}}}`, len(asked))
		}
		return `{"data":{"issueCards":{"results":[{"card":null}]}}}`
	}
	m := NewMaker(librarySchema(), func(_ context.Context, operation string, _ map[string]any) (Answer, error) {
		asked = append(asked, operation)
		return Answer{200, []byte(answer(operation))}, nil
	}, "mark", map[string]string{"title": "Title of *"}, func(context.Context, string) (string, error) { return "", nil })

	first, err := m.Make(t.Context(), "Book")
	second, again := m.Make(t.Context(), "Book")
	if err != nil || again != nil || first == second || !strings.HasPrefix(second, "book_") {
		t.Fatalf("%q, %v; %q, %v", first, err, second, again)
	}
	if !strings.Contains(asked[0], `label: "mark-`) || !strings.Contains(asked[len(asked)-1], `title: "Title of mark-`) {
		t.Errorf("the mark is not in every text: %q", asked)
	}
	if id, err := m.Make(t.Context(), "Card"); id != "" || !errors.Is(err, ErrNotMade) || !strings.Contains(err.Error(), "issueCards: its answer has nothing new") {
		t.Errorf("a card that was refused: %q, %v", id, err)
	}
	if id, err := m.Make(t.Context(), "House"); id != "" || err != nil {
		t.Errorf("a house: %q, %v", id, err)
	}
	m.voice = func(context.Context, string, map[string]any) (Answer, error) { return Answer{}, errRefusing }
	if _, err := m.Make(t.Context(), "Card"); !errors.Is(err, errRefusing) || errors.Is(err, ErrNotMade) {
		t.Errorf("without an answer: %v", err)
	}
}

var errRefusing = errors.New("nobody there")

// Subscriptions are not attacked, so they are missed whether or not something may be written.
func TestSubscriptionsCountAsNotReached(t *testing.T) {
	t.Parallel()
	schema := librarySchema()
	for _, writing := range []bool{false, true} {
		r := newReach(schema, positionsOf(schema, 4))
		fields, positions := r.coverage(nil, writing)
		if !slices.Contains(fields.Missed, "Subscription.bookAdded") ||
			!slices.ContainsFunc(positions.Missed, func(p string) bool { return strings.HasPrefix(p, "Subscription.bookAdded(shelfId):") }) {
			t.Errorf("writing %v: %q, %q", writing, fields.Missed, positions.Missed)
		}
		if slices.Contains(fields.Missed, "Mutation.createBook") != writing {
			t.Errorf("writing %v: mutations count wrongly", writing)
		}
	}
	for _, p := range (&run{positions: positionsOf(schema, 4), Attack: &Attack{}}).inwards() {
		if strings.HasPrefix(p.name, "Subscription") {
			t.Errorf("%s is asked for as a mutation", p.name)
		}
	}
}

// What is spared is excused, and so is what lies behind it alone.
func TestSparedMutationsAreExcused(t *testing.T) {
	t.Parallel()
	schema := librarySchema()
	positions := positionsOf(schema, 4)
	r := &run{positions: positions, reached: newReach(schema, positions), Attack: &Attack{
		Schema: schema, Spared: map[string]string{"issueCards": "it costs", "Mutation.createBook(input.shelfId) Shelf": "shelves are everybody's"},
	}}
	excuses := r.excuses()
	for name, want := range map[string]string{
		"Mutation.issueCards": "it costs", "Mutation.issueCards(input.holders)": "it costs", "CardResult.card": "behind a mutation that is not tried",
		"Mutation.createBook": "", "Book.title": "", "Card.id": "", "Mutation.createBook(input.shelfId)": "",
	} {
		if excuses[name] != want {
			t.Errorf("%s: %q, want %q", name, excuses[name], want)
		}
	}
	for _, p := range r.inwards() {
		if strings.Contains(p.name, "issueCards") {
			t.Errorf("%s is attacked", p.name)
		}
	}
}

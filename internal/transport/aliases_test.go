package transport

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestRequestsOfOneField(t *testing.T) {
	t.Parallel()
	introspection, err := os.ReadFile("testdata/introspection.graphql")
	if err != nil {
		t.Fatal(err)
	}
	spread := func(count int) string { // each spread in a place of its own
		return "{" + aliases(count, "self{...F}") + "} fragment F on Query {fail}"
	}
	tests := []struct{ name, query, code string }{
		{"thirty aliases", "{" + aliases(maxAliases, "hello") + "}", ""},
		{"thirty-one aliases", "{" + aliases(maxAliases+1, "hello") + "}", codeTooComplex},
		{"thirty of each of two fields", "{" + aliases(maxAliases, "hello") + strings.ReplaceAll(aliases(maxAliases, "slow"), "a", "b") + "}", ""},
		{"the same selection often", "{" + strings.Repeat("hello ", maxRepeats) + "}", ""},
		{"the same selection in many fragments", "{" + strings.Repeat("...{hello self{fail}} ", 60) + "}", ""},
		{"one fragment in thirty places", spread(maxAliases), ""},
		{"one fragment in thirty-one places", spread(maxAliases + 1), codeTooComplex},
		{"split by inline fragments", "{...{" + aliases(20, "hello") + "} ...{" + strings.ReplaceAll(aliases(20, "hello"), "a", "b") + "}}", codeTooComplex},
		{"split by fragments", "{...A ...B} fragment A on Query {" + aliases(20, "hello") + "} fragment B on Query {" +
			strings.ReplaceAll(aliases(20, "hello"), "a", "b") + "}", codeTooComplex},
		{"below aliased parents", "{" + aliases(6, "self{"+aliases(6, "hello")+"}") + "}", codeTooComplex},
		{"below aliased parents by a fragment", "{" + aliases(6, "self{...F}") + "} fragment F on Query {" + aliases(6, "hello") + "}", codeTooComplex},
		{"at different depths", "{" + aliases(16, "hello") + " self{" + aliases(16, "hello") + "}}", codeTooComplex},
		{"left out by a condition", "query($no: Boolean = false) {" + aliases(maxAliases+1, "hello @include(if: $no)") + "}", codeTooComplex},
		{"in the second operation", "query A {hello} query B {" + aliases(maxAliases+1, "hello") + "}", codeTooComplex},
		{"one parent selected often", "{" + strings.Repeat("self{...F} ", 60) + "} fragment F on Query {hello}", ""},
		{"ten mutations", "mutation {" + aliases(maxMutations, "hello") + "__typename}", ""},
		{"eleven mutations", "mutation {" + aliases(maxMutations+1, "hello") + "}", codeTooComplex},
		{"eleven mutations by a fragment", "mutation {...F z:hello} fragment F on Mutation {" + aliases(maxMutations, "hello") + "}", codeTooComplex},
		{"the schema, as graphql-js asks for it", string(introspection), ""},
	}
	documents := newDocuments(testSchema, true)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, errs := documents.prepare(test.query)
			code := ""
			if errs != nil {
				code = codeOf(errs[0])
			}
			if code != test.code {
				t.Errorf("got %q, want %q: %v", code, test.code, errs)
			}
		})
	}
}

func TestTheRefusalNamesTheField(t *testing.T) {
	t.Parallel()
	got := newServer(&fakeSchema{}, Options{}).query(t, "{"+aliases(maxAliases+1, "hello")+"}")
	want := "The operation requests Query.hello more than 30 times. Request it less often, or send several requests."
	if message, _ := got.first(t); message != want || got.Code != 200 || got.body["data"] != nil {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

// Execution would follow each of the spreads to the end of the chain, and so does the count.
func TestAChainOfFragmentsIsCountedQuickly(t *testing.T) {
	t.Parallel()
	query := strings.Replace(chained(60, "NEXT"), "{...F0}", "{"+strings.Repeat("...F0 ", 150)+"}", 1)
	documents := newDocuments(testSchema, false)
	document, errs := documents.prepare(query)
	if errs != nil {
		t.Fatal(errs)
	}
	began := time.Now()
	if err := checkRequests(document.doc); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

package graph_test

import "testing"

func BenchmarkCreateDocument(b *testing.B) {
	a := newAPI(b)
	a.benchmark(b, `mutation { createDocument(input: {title: "One", content: "first"}) { document { id title version } } }`, nil)
}

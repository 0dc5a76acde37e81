package newtype

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// others are added after the README's own Note.
var others = []Options{
	{Name: "Task", Fields: []string{"title:string", "done:bool", "due:datetime?"}},
	{Name: "Person", Plural: "People", Fields: []string{"name:string", "born:datetime?"}},
	{Name: "Category", Fields: []string{"name:string", "rank:int"}},
}

var provenBlock = regexp.MustCompile("(?s)\n```sh prove-types\n(.*?)\n```\n")

// What README.md tells to do for a type of one's own works: its Note is added and served, and with it, and with three other
// types beside it, the README's tests pass. TENANTRY_PROVE_TYPES=each adds each type alone as well, and runs every test.
func TestReadmesTypes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := provenBlock.FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 || !strings.HasPrefix(blocks[0][1], "go run . new type Note ") || !strings.HasPrefix(blocks[1][1], "go test ") {
		t.Fatalf("README.md adds and tests a type with %q", blocks)
	}
	adding, tests := strings.Split(blocks[0][1], "\n"), strings.Split(blocks[1][1], "\n")
	for i := range tests {
		tests[i] += " -timeout 30m"
	}
	proof := os.Getenv("TENANTRY_PROVE_TYPES")
	if proof == "" {
		return
	}
	folder := scratch(t)
	if _, err := MakePlan(folder, Options{Name: "Note", Fields: []string{"title:string"}, Now: december}); err != nil {
		t.Skip("this checkout has a Note of its own: ", err)
	}
	for _, line := range adding {
		if line == "go run ." {
			serves(t, folder)
		} else {
			goes(t, folder, line)
		}
	}
	switch proof {
	case "together": // in minutes: without the tests of the attack itself, and the one that asks for each right anew
		tests[0] += " -skip Holes|Sees|WhoLacks"
	case "each":
		for _, line := range tests {
			goes(t, folder, line)
		}
		for _, other := range others {
			alone := scratch(t)
			add(t, alone, other)
			for _, line := range tests {
				goes(t, alone, line)
			}
		}
		tests = []string{"go test -timeout 30m ./..."}
	}
	add(t, folder, others...)
	for _, line := range tests {
		goes(t, folder, line)
	}
}

// add writes types and what is generated from them.
func add(t *testing.T, folder string, types ...Options) {
	t.Helper()
	for _, o := range types {
		o.Now = december
		if err := plan(t, folder, o).Write(); err != nil {
			t.Fatal(err)
		}
	}
	var said strings.Builder
	if err := Generate(t.Context(), folder, &said); err != nil {
		t.Fatal(err)
	}
}

// serves starts the server with `go run .` on a free port, waits until it greets, and stops it.
func serves(t *testing.T, folder string) {
	t.Helper()
	binary := t.TempDir() + "/server" // go run does not pass signals on
	goes(t, folder, "go build -o "+binary+" .")
	var problems bytes.Buffer
	server := exec.Command(binary)
	server.Dir, server.Env, server.Stderr = folder, append(os.Environ(), "TENANTRY_ADDR=127.0.0.1:0"), &problems
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = server.Process.Kill() })
	defer late.Stop()
	var said strings.Builder
	for piece := make([]byte, 4096); !strings.Contains(said.String(), "serves GraphQL"); {
		n, err := stdout.Read(piece)
		said.Write(piece[:n])
		if err != nil {
			break
		}
	}
	_ = server.Process.Signal(os.Interrupt)
	if err := server.Wait(); err != nil || !strings.Contains(said.String(), "serves GraphQL") {
		t.Fatalf("go run .: %v\n%s%s", err, said.String(), problems.String())
	}
}

package newtype

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// steps follow the writing: they write what is generated.
var steps = []struct{ variable, command string }{
	{"", "go generate ./..."},
	{"TENANTRY_UPDATE_SCHEMA=1", "go test -count=1 -run TestSchemaFile ./store"},
}

// Generate writes what follows from the files: the generated code, docs/ and store/schema.sql. It says on w what it runs.
func Generate(ctx context.Context, folder string, w io.Writer) error {
	for _, step := range steps {
		fmt.Fprintln(w, strings.TrimSpace(step.variable+" "+step.command))
		words := strings.Fields(step.command)
		command := exec.CommandContext(ctx, words[0], words[1:]...)
		command.Dir, command.Env = folder, append(os.Environ(), step.variable)
		if step.variable == "" {
			command.Env = os.Environ()
		}
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", step.command, err, output)
		}
	}
	return nil
}

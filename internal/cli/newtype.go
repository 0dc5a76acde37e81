package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/newtype"
)

// newCommand is `tenantry new`.
type newCommand struct {
	Type newTypeCommand `cmd:"" help:"Write a type that belongs to an organization into this checkout: its migration, code, schema, rights and tests."`
}

type newTypeCommand struct {
	Name     string   `arg:"" help:"The type, such as Note or LineItem."`
	Fields   []string `arg:"" help:"Its fields, such as title:string body:text due:datetime?. The kinds are string (1 to 200 characters), text, int, bool and datetime; ? behind one means that it may be missing."`
	Plural   string   `help:"The plural of the name." placeholder:"NAME" unset:"by rule: Notes, Entries, Boxes"`
	DryRun   bool     `help:"Show what would be written, and write nothing." unset:"false"`
	Generate bool     "negatable:\"\" default:\"true\" help:\"Run `go generate ./...` and write store/schema.sql afterwards.\" unset:\"true\""
}

// Run writes the type into the current folder.
func (n *newTypeCommand) Run(ctx context.Context, c *console) error {
	plan, err := newtype.MakePlan(".", newtype.Options{Name: n.Name, Fields: n.Fields, Plural: n.Plural, Now: time.Now()})
	if err != nil {
		return err
	}
	plan.Describe(c.stdout, n.DryRun)
	if n.DryRun {
		return nil
	}
	if err := plan.Write(); err != nil {
		return err
	}
	if n.Generate {
		if err := newtype.Generate(ctx, ".", c.stdout); err != nil {
			return fmt.Errorf("the type is written, but not what is generated from it: %w", err)
		}
	}
	fmt.Fprintf(c.stdout, "%s", plan.Next())
	return nil
}

// renameCommand is `tenantry rename`.
type renameCommand struct {
	Module string `arg:"" help:"The new module path, such as github.com/acme/backend."`
	Force  bool   `help:"Also where the tree has changes that are not committed." unset:"false"`
}

// Run renames the module of the current folder.
func (r *renameCommand) Run(ctx context.Context, c *console) error {
	renamed, err := newtype.Rename(ctx, ".", r.Module, r.Force)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s is %s now: %d places in %d files\nNext: go build ./... && go test ./...\n", renamed.From, r.Module, renamed.Places, renamed.Files)
	return nil
}

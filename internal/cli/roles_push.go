package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tenantry/tenantry/internal/mirror"
)

type pushRolesCommand struct {
	rolesFlags
	Yes   bool `help:"Do not ask. Without a terminal nothing is changed otherwise." unset:"false"`
	Prune bool `help:"Also delete the roles and permissions that only Clerk has. A role that has members is never deleted." unset:"false"`
}

// Run shows the plan, asks, and carries it out.
func (p *pushRolesCommand) Run(ctx context.Context, c *console) error {
	compared, err := p.compare(ctx, c)
	if err != nil {
		return err
	}
	if err := compared.write(c.stdout); err != nil {
		return err
	}
	steps := len(compared.plan.Steps)
	if p.Prune {
		steps += len(compared.plan.OnlyInClerk)
	} else if len(compared.plan.OnlyInClerk) > 0 {
		fmt.Fprintln(c.stdout, "what is only in Clerk stays: --prune deletes it")
	}
	if steps > 0 {
		if err := p.confirm(c, fmt.Sprintf("Make %s in %s?", counted(steps, "change", "changes"), compared.issuer)); err != nil {
			return err
		}
		err := compared.api.Apply(ctx, compared.plan, p.Prune, func(step mirror.Step) {
			fmt.Fprintf(c.stdout, "done: %s\n", printable(step.String()))
		})
		if err != nil {
			return fmt.Errorf("%w; what was done stays, and `tenantry roles push` goes on with the rest", compared.explain(ctx, err))
		}
	}
	if n := len(compared.plan.Impossible); n > 0 {
		return fmt.Errorf("Clerk does not have %s that roles are to hold: take them out of %s", //nolint:staticcheck // Clerk is a name
			counted(n, "system permission", "system permissions"), compared.file)
	}
	return nil
}

// confirm returns nil if the person at the terminal says yes, or if --yes did.
func (p *pushRolesCommand) confirm(c *console, question string) error {
	if p.Yes {
		return nil
	}
	if !canAsk(c.stdin) {
		return errors.New("nothing was changed: there is no terminal to ask at; if the plan above is right, repeat with --yes")
	}
	fmt.Fprintf(c.stderr, "%s [y/N] ", question)
	if !saysYes(c.stdin) {
		return errors.New("nothing was changed")
	}
	return nil
}

func saysYes(in io.Reader) bool {
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}

// canAsk tells whether somebody may answer. The null device is a character device, too.
func canAsk(in io.Reader) bool {
	file, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && !os.SameFile(info, null)
}

// write shows a comparison to people.
func (r *comparedRoles) write(w io.Writer) error {
	var text strings.Builder
	section := func(title string, steps []mirror.Step) {
		if len(steps) == 0 {
			return
		}
		fmt.Fprintln(&text, title)
		for _, step := range steps {
			fmt.Fprintf(&text, "  %s\n", printable(step.String()))
		}
	}
	if r.plan.Equal() {
		fmt.Fprintf(&text, "%s is as %s says\n", r.issuer, r.file)
	}
	section(fmt.Sprintf("to be as %s says, %s has to", r.file, r.issuer), r.plan.Steps)
	section("only in Clerk, not in the file; to be without it, it has to", r.plan.OnlyInClerk)
	section("impossible, since Clerk has no such system permission", r.plan.Impossible)
	for _, permission := range r.unknown {
		fmt.Fprintf(&text, "the schema asks for %s, which neither %s nor Clerk knows\n", permission, r.file)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

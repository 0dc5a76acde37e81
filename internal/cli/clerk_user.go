package cli

import (
	"context"
	"fmt"
	"net/http"
)

// userFlags say which user of which server.
type userFlags struct {
	User string `required:"" help:"Who: ada, max, gus, nora, or a user id." placeholder:"NAME"`
	Dir  string `help:"The folder that the server runs in." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
}

type (
	banCommand    struct{ userFlags }
	unbanCommand  struct{ userFlags }
	lockCommand   struct{ userFlags }
	unlockCommand struct{ userFlags }
)

// Run bans the user.
func (b *banCommand) Run(ctx context.Context, c *console) error {
	return b.restrict(ctx, c, restriction{Banned: new(true)}, "banned")
}

// Run ends the ban.
func (u *unbanCommand) Run(ctx context.Context, c *console) error {
	return u.restrict(ctx, c, restriction{Banned: new(false)}, "not banned any more")
}

// Run locks the user's sign-in.
func (l *lockCommand) Run(ctx context.Context, c *console) error {
	return l.restrict(ctx, c, restriction{Locked: new(true)}, "locked")
}

// Run ends the lock.
func (u *unlockCommand) Run(ctx context.Context, c *console) error {
	return u.restrict(ctx, c, restriction{Locked: new(false)}, "not locked any more")
}

type restriction struct {
	User   string `json:"user"`
	Banned *bool  `json:"banned,omitempty"`
	Locked *bool  `json:"locked,omitempty"`
}

// restrict asks the local Clerk for it and says what came of it.
func (u *userFlags) restrict(ctx context.Context, c *console, request restriction, did string) error {
	if err := c.variables.problems.err(); err != nil {
		return err
	}
	server, err := connect(u.Dir, useDashboard)
	if err != nil {
		return err
	}
	request.User = u.User
	var answer struct {
		User string `json:"user"`
		delivery
	}
	if err := server.call(ctx, http.MethodPatch, "/users", request, &answer); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s is %s; %s\n", answer.User, did, answer.delivery)
	return err
}

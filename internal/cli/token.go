package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// tokenCommand is `tenantry token`.
type tokenCommand struct {
	As    string `required:"" help:"Whose session: ada, max, gus, nora, or a user id." placeholder:"NAME"`
	Org   string `help:"Slug or id of the active organization." placeholder:"SLUG" unset:"none is active"`
	Actor string `help:"Who acts in this person's name: person (an impersonator) or agent." enum:"person,agent," default:"" placeholder:"WHO" unset:"nobody"`
	V1    bool   `name:"v1" help:"Write the older claims, version 1." unset:"false, version 2"`
	Dir   string `help:"The folder that the server runs in." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
}

type tokenRequest struct {
	User         string `json:"user"`
	Organization string `json:"organization"`
	Version      int    `json:"version"`
	Actor        string `json:"actor,omitempty"`
}

// Run prints the token and nothing else, so that it can stand in $(...).
func (t *tokenCommand) Run(ctx context.Context, c *console) error {
	if err := c.variables.problems.err(); err != nil {
		return err
	}
	server, err := connect(t.Dir, useDashboard)
	if err != nil {
		return err
	}
	request := tokenRequest{User: t.As, Organization: t.Org, Version: 2, Actor: t.Actor}
	if t.V1 {
		request.Version = 1
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := server.call(ctx, http.MethodPost, "/tokens", request, &answer); err != nil {
		return err
	}
	if answer.Token == "" {
		return errors.New("the server answered without a token")
	}
	_, err = fmt.Fprintln(c.stdout, answer.Token)
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/mirror"
)

// rolesCommand is `tenantry roles`.
type rolesCommand struct {
	Diff diffRolesCommand `cmd:"" help:"Say how Clerk differs from roles.yml, and change nothing; exit code 1 where it does."`
	Push pushRolesCommand `cmd:"" help:"Create and change permissions and roles in Clerk until they are as in roles.yml."`
}

// rolesFlags say which file is compared with which Clerk.
type rolesFlags struct {
	clerkFlags
	File string `help:"The file with the roles." placeholder:"FILE" unset:"roles.yml in the current folder, or else the one of this build"`
	Dir  string `help:"The folder that the server runs in; without Clerk keys its local Clerk is meant." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
}

const rolesFile = "roles.yml"

// comparedRoles are a file and a Clerk instance, and how they differ.
type comparedRoles struct {
	file   string // its name, for people
	issuer string
	url    string
	api    *mirror.RightsAPI
	plan   mirror.RightsPlan
	// unknown are the permissions that the schema names and neither the file nor Clerk knows.
	unknown []string
}

// compare reads the file and the instance. Returns a *SettingsError, or an error that says what to do.
func (f rolesFlags) compare(ctx context.Context, c *console) (*comparedRoles, error) {
	r := newReader(&serveCommand{clerkFlags: f.clerkFlags, ClerkJWTKey: c.variables.get(varJWTKey)}, c.variables)
	config := Config{Mode: r.chooseMode(), Dir: stateDir(f.Dir)}
	if config.Mode != ModeLocal {
		r.readClerk(&config)
	}
	if err := c.variables.problems.err(); err != nil {
		return nil, err
	}
	text, name, err := f.read(c)
	if err != nil {
		return nil, err
	}
	catalogue, err := auth.ParseCatalogue(text)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", name, err)
	}
	found, err := findClerk(config)
	if err != nil {
		return nil, err
	}
	found.api.Logger = slog.New(slog.DiscardHandler)
	compared := &comparedRoles{file: name, issuer: found.issuer, url: found.api.URL, api: mirror.NewRightsAPI(found.api)}
	have, err := compared.api.Read(ctx)
	if err != nil {
		return nil, compared.explain(ctx, err)
	}
	compared.plan = mirror.PlanRights(wantedRights(catalogue), have)
	for _, permission := range have.Unknown(c.roles.Asked()) {
		if !slices.ContainsFunc(catalogue.Permissions, func(p auth.CataloguePermission) bool { return p.Key == permission }) {
			compared.unknown = append(compared.unknown, permission)
		}
	}
	return compared, nil
}

// read gives the text and the name of the file.
func (f rolesFlags) read(c *console) (text []byte, name string, err error) {
	if f.File != "" {
		text, err = os.ReadFile(f.File)
		return text, f.File, err
	}
	text, err = os.ReadFile(rolesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c.roles.File, "the roles.yml of this build", nil
	}
	return text, rolesFile, err
}

func wantedRights(catalogue auth.Catalogue) mirror.Rights {
	var rights mirror.Rights
	for _, p := range catalogue.Permissions {
		rights.Permissions = append(rights.Permissions, mirror.Permission{Key: p.Key, Name: p.Name, Description: p.Description})
	}
	for _, r := range catalogue.Roles {
		rights.Roles = append(rights.Roles, mirror.Role{Key: r.Key, Name: r.Name, Description: r.Description, Permissions: r.Permissions, All: r.All})
	}
	return rights
}

// explain says what to do about a request that failed.
func (r *comparedRoles) explain(ctx context.Context, err error) error {
	var refused *mirror.RefusedError
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped; what was done stays")
	case errors.Is(err, mirror.ErrUnauthorized):
		return fmt.Errorf("%s does not take the secret key: see %s", r.url, placeSecretKey)
	case errors.As(err, &refused):
		return errors.New(printable(err.Error()))
	}
	return err
}

type diffRolesCommand struct {
	rolesFlags
	JSON bool `name:"json" help:"Write one JSON object, for programs." unset:"false, text"`
}

// rolesJSON is a comparison for programs.
type rolesJSON struct {
	Clerk string `json:"clerk"`
	File  string `json:"file"`
	Equal bool   `json:"equal"`
	mirror.RightsPlan
	// Unknown are permissions that the schema asks for and neither the file nor Clerk knows.
	Unknown []string `json:"unknown"`
}

// Run compares.
func (d *diffRolesCommand) Run(ctx context.Context, c *console) error {
	compared, err := d.compare(ctx, c)
	if err != nil {
		return err
	}
	if d.JSON {
		err = writeJSON(c.stdout, rolesJSON{
			Clerk: compared.issuer, File: compared.file, Equal: compared.plan.Equal(), RightsPlan: compared.plan,
			Unknown: append([]string{}, compared.unknown...),
		})
	} else {
		err = compared.write(c.stdout)
	}
	if err != nil || compared.plan.Equal() {
		return err
	}
	return fmt.Errorf("%s differs from %s: `tenantry roles push` brings it there", compared.issuer, compared.file)
}

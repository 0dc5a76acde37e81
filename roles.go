package main

import (
	_ "embed"
	"fmt"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/local/clerk"
)

//go:embed roles.yml
var rolesFile []byte

// localRights are the roles of the local Clerk: those of roles.yml.
func localRights() (clerk.Rights, error) {
	catalogue, err := auth.ParseCatalogue(rolesFile)
	if err != nil {
		return clerk.Rights{}, fmt.Errorf("roles.yml: %w", err)
	}
	var rights clerk.Rights
	for _, p := range catalogue.Permissions {
		rights.Permissions = append(rights.Permissions, clerk.Permission{Key: p.Key, Name: p.Name, Description: p.Description})
	}
	for _, r := range catalogue.Roles {
		rights.Roles = append(rights.Roles, clerk.Role{Key: r.Key, Name: r.Name, Description: r.Description, Permissions: r.Permissions})
	}
	return rights, nil
}

// rolesForCommands is what `tenantry roles` works with.
func rolesForCommands() cli.Roles {
	return cli.Roles{File: rolesFile, Asked: func() []string { return graph.NamedPermissions(graph.DescribedSchema()) }}
}

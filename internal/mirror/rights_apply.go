package mirror

import (
	"context"
	"fmt"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organizationpermission"
	"github.com/clerk/clerk-sdk-go/v2/organizationrole"
)

// Apply carries out the steps of a plan, and with prune deletes what is only in Clerk, one request after the other; none
// is tried twice. done is told of each step that Clerk did. Returns ErrUnauthorized, ErrBackendUnavailable or a
// *RefusedError for the first step that failed: what was done stays, and a new plan has the rest.
func (a *RightsAPI) Apply(ctx context.Context, plan RightsPlan, prune bool, done func(Step)) error {
	work := applying{RightsAPI: a, plan: plan, ids: map[string]string{}}
	for _, p := range plan.have.Permissions {
		work.ids[p.Key] = p.id
	}
	for _, r := range plan.have.Roles {
		work.ids[r.Key] = r.id
	}
	steps := plan.Steps
	if prune {
		steps = append(steps[:len(steps):len(steps)], plan.OnlyInClerk...)
	}
	for _, step := range steps {
		err := call(ctx, func(ctx context.Context) error { return work.step(ctx, step) })
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		done(step)
	}
	return nil
}

// applying is a plan that is being carried out.
type applying struct {
	*RightsAPI
	plan RightsPlan
	ids  map[string]string // Clerk's, by key; those of what was created, too
}

func (a applying) step(ctx context.Context, s Step) (err error) {
	permission, _ := a.plan.want.permission(s.Permission)
	role, _ := a.plan.want.role(s.Role)
	permissionID, roleID := a.ids[s.Permission], a.ids[s.Role]
	// An empty one would make another path, of another meaning.
	if known := s.Action == CreatePermission || s.Action == CreateRole; !known &&
		(s.Permission != "" && permissionID == "" || s.Role != "" && roleID == "" || permissionID+roleID == "") {
		return permanent("Clerk's list does not have what is to be changed")
	}
	switch s.Action {
	case CreatePermission:
		var made *clerk.OrganizationPermission
		made, err = a.permissions.Create(ctx, &organizationpermission.CreateParams{
			Name: &permission.Name, Key: &permission.Key, Description: &permission.Description,
		})
		if err == nil && !pathID.MatchString(made.ID) {
			err = permanent("the new permission has no id")
		}
		if err == nil {
			a.ids[permission.Key] = made.ID
		}
	case UpdatePermission:
		_, err = a.permissions.Update(ctx, permissionID, &organizationpermission.UpdateParams{
			Name: &permission.Name, Description: &permission.Description,
		})
	case CreateRole:
		_, err = a.roles.Create(ctx, a.newRole(role))
	case UpdateRole:
		_, err = a.roles.Update(ctx, roleID, &organizationrole.UpdateParams{Name: &role.Name, Description: &role.Description})
	case AddToRole:
		_, err = a.roles.AssignPermission(ctx, roleID, permissionID)
	case RemoveFromRole:
		_, err = a.roles.RemovePermission(ctx, roleID, permissionID)
	case DeleteRole:
		_, err = a.roles.Delete(ctx, roleID)
	case DeletePermission:
		_, err = a.permissions.Delete(ctx, permissionID)
	}
	return err
}

// newRole is a role with all that it holds. It is put into the initial role set, or no organization could use it.
func (a applying) newRole(role Role) *organizationrole.CreateParams {
	ids := []string{}
	held := role.Permissions
	if role.All {
		held = nil
		for _, p := range a.plan.have.Permissions {
			held = append(held, p.Key)
		}
		for _, p := range a.plan.want.Permissions {
			if _, there := a.plan.have.permission(p.Key); !there {
				held = append(held, p.Key)
			}
		}
	}
	for _, key := range held {
		if id := a.ids[key]; id != "" {
			ids = append(ids, id)
		}
	}
	return &organizationrole.CreateParams{
		Name: &role.Name, Key: &role.Key, Description: &role.Description, Permissions: &ids, IncludeInInitialRoleSet: clerk.Bool(true),
	}
}

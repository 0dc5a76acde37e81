package mirror

import (
	"fmt"
	"slices"
)

// Action is what a step does.
type Action string

// The actions, in the order in which a plan has them: what is named later is there by then.
const (
	CreatePermission Action = "createPermission"
	UpdatePermission Action = "updatePermission"
	CreateRole       Action = "createRole"
	UpdateRole       Action = "updateRole" // its name and description
	AddToRole        Action = "addToRole"
	RemoveFromRole   Action = "removeFromRole"
	DeleteRole       Action = "deleteRole"
	DeletePermission Action = "deletePermission"
)

// Step is one thing that Clerk has otherwise than it is wanted.
type Step struct {
	Action Action `json:"action"`
	// Role and Permission are keys; which are given depends on the action.
	Role       string `json:"role,omitempty"`
	Permission string `json:"permission,omitempty"`
}

// String says it in words, for people.
func (s Step) String() string {
	switch s.Action {
	case CreatePermission:
		return "create the permission " + s.Permission
	case UpdatePermission:
		return "change name and description of the permission " + s.Permission
	case CreateRole:
		return "create the role " + s.Role
	case UpdateRole:
		return "change name and description of the role " + s.Role
	case AddToRole:
		return "let " + s.Role + " hold " + s.Permission
	case RemoveFromRole:
		return "take " + s.Permission + " from " + s.Role
	case DeleteRole:
		return "delete the role " + s.Role
	case DeletePermission:
		return "delete the permission " + s.Permission
	}
	return fmt.Sprintf("%s %s %s", s.Action, s.Role, s.Permission)
}

// RightsPlan is how an instance differs from what is wanted.
type RightsPlan struct {
	// Steps bring the instance there. What it has beyond that is not among them.
	Steps []Step `json:"steps"`
	// OnlyInClerk are steps that delete what the instance has and nobody wants, so that they may be left out.
	OnlyInClerk []Step `json:"onlyInClerk"`
	// Impossible names system permissions that a role is to hold and that Clerk does not have.
	Impossible []Step `json:"impossible"`

	want, have Rights
}

// Equal tells whether the instance is as it is wanted, with nothing beyond.
func (p RightsPlan) Equal() bool { return len(p.Steps)+len(p.OnlyInClerk)+len(p.Impossible) == 0 }

// PlanRights compares what is wanted with what an instance has. Clerk's own permissions are never created, changed or
// deleted; roles are given them and lose them. A role with All loses nothing.
func PlanRights(want, have Rights) RightsPlan {
	p := RightsPlan{want: want, have: have, Steps: []Step{}, OnlyInClerk: []Step{}, Impossible: []Step{}}
	var create, update, add, remove []Step
	for _, permission := range want.Permissions {
		there, known := have.permission(permission.Key)
		switch {
		case !known:
			create = append(create, Step{Action: CreatePermission, Permission: permission.Key})
		case there.Name != permission.Name || there.Description != permission.Description:
			update = append(update, Step{Action: UpdatePermission, Permission: permission.Key})
		}
	}
	p.Steps = append(append(p.Steps, create...), update...)
	create, update = nil, nil
	for _, role := range want.Roles {
		there, known := have.role(role.Key)
		if !known {
			create = append(create, Step{Action: CreateRole, Role: role.Key})
		} else if there.Name != role.Name || there.Description != role.Description {
			update = append(update, Step{Action: UpdateRole, Role: role.Key})
		}
		for _, key := range role.Permissions {
			step := Step{Action: AddToRole, Role: role.Key, Permission: key}
			switch {
			case !p.possible(key):
				if !role.All {
					p.Impossible = append(p.Impossible, step)
				}
			case known && !slices.Contains(there.Permissions, key):
				add = append(add, step)
			}
		}
		for _, key := range there.Permissions {
			if !role.All && !slices.Contains(role.Permissions, key) {
				remove = append(remove, Step{Action: RemoveFromRole, Role: role.Key, Permission: key})
			}
		}
	}
	p.Steps = slices.Concat(p.Steps, create, update, add, remove)
	for _, role := range have.Roles {
		if _, wanted := want.role(role.Key); !wanted {
			p.OnlyInClerk = append(p.OnlyInClerk, Step{Action: DeleteRole, Role: role.Key})
		}
	}
	for _, permission := range have.Permissions {
		if _, wanted := want.permission(permission.Key); !wanted && !permission.system {
			// A role loses it by itself, too: of a permission's end alone, Clerk may not say which roles change.
			for _, role := range want.Roles {
				if there, _ := have.role(role.Key); role.All && slices.Contains(there.Permissions, permission.Key) {
					p.OnlyInClerk = append(p.OnlyInClerk, Step{Action: RemoveFromRole, Role: role.Key, Permission: permission.Key})
				}
			}
			p.OnlyInClerk = append(p.OnlyInClerk, Step{Action: DeletePermission, Permission: permission.Key})
		}
	}
	return p
}

// possible tells whether a permission is there when roles are given it.
func (p RightsPlan) possible(key string) bool {
	_, wanted := p.want.permission(key)
	_, there := p.have.permission(key)
	return wanted || there
}

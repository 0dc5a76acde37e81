package clerk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Rights are the roles of an instance and the permissions that they hold, as
// somebody would set them up in Clerk's dashboard.
type Rights struct {
	Permissions []Permission // custom ones; Clerk's own are there anyway
	Roles       []Role
}

// Permission is a custom permission.
type Permission struct {
	Key, Name, Description string
}

// Role is a role.
type Role struct {
	Key, Name, Description string
	Permissions            []string // keys, Clerk's own too
}

// newInstance is what Clerk itself gives to a new instance.
var newInstance = Rights{Roles: []Role{
	{"org:admin", "Admin", "Role with elevated permissions", systemKeys()},
	{"org:member", "Member", "Role with non-privileged permissions", []string{"org:sys_memberships:read", "org:sys_billing:read"}},
}}

// systemPermissions are Clerk's own, which nobody can change.
var systemPermissions = []Permission{
	{"org:sys_profile:manage", "Manage organization", "Permission to manage an organization."},
	{"org:sys_profile:delete", "Delete organization", "Permission to delete an organization."},
	{"org:sys_memberships:read", "Read members", "Permission to read the members of an organization."},
	{"org:sys_memberships:manage", "Manage members", "Permission to manage the members of an organization."},
	{"org:sys_domains:read", "Read domains", "Permission to read the domains of an organization."},
	{"org:sys_domains:manage", "Manage domains", "Permission to manage the domains of an organization."},
	{"org:sys_billing:read", "Read billing", "Permission to read the billing of an organization."},
	{"org:sys_billing:manage", "Manage billing", "Permission to manage the billing of an organization."},
	{"org:sys_entconns:manage", "Manage enterprise connections", "Permission to manage the enterprise connections of an organization."},
}

func systemKeys() []string {
	keys := make([]string, len(systemPermissions))
	for i, p := range systemPermissions {
		keys[i] = p.Key
	}
	return keys
}

// digest tells rights that differ apart.
func (r Rights) digest() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // there is nothing in it but text
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// check returns an error for what the local Clerk cannot be.
func (r Rights) check() error {
	known := systemKeys()
	for _, p := range r.Permissions {
		known = append(known, p.Key)
	}
	for _, role := range r.Roles {
		for _, key := range role.Permissions {
			if !slices.Contains(known, key) {
				return fmt.Errorf("%s holds %s, which there is not", role.Key, key)
			}
		}
	}
	for _, m := range seededMemberships {
		if !slices.ContainsFunc(r.Roles, func(role Role) bool { return role.Key == m.role }) {
			return fmt.Errorf("there is no %s, which the people of the local Clerk have: keep it among the roles", m.role)
		}
	}
	for _, role := range r.Roles {
		if role.Key == creatorRole && !elevated(role.Permissions) {
			return fmt.Errorf("%s does not hold %s, as the role of whoever makes an organization must", creatorRole, strings.Join(elevatedKeys, ", "))
		}
	}
	if custom := len(r.Roles) - 2; custom > mostCustomRoles {
		return fmt.Errorf("there are %d roles beside %s and %s, and Clerk allows %d", custom, creatorRole, domainRole, mostCustomRoles)
	}
	return nil
}

// follow brings roles and permissions to what rights say, and queues the events
// that Clerk would send of it. It changes nothing if they said the same when
// the state last followed them: what was changed since, through the Backend
// API, stays. A role that has members is kept, as Clerk does not delete it; log
// is told.
func (s *state) follow(rights Rights, now time.Time, log *slog.Logger) error {
	digest := rights.digest()
	if s.Rights == digest {
		return nil
	}
	for _, p := range rights.Permissions {
		if err := s.followPermission(p, now); err != nil {
			return err
		}
	}
	// Before others are made, or there could be too many for a moment.
	kept, err := s.endRoles(rights, now)
	if err != nil {
		return err
	}
	for _, r := range rights.Roles {
		if err := s.followRole(r, now); err != nil {
			return err
		}
	}
	if err := s.endPermissions(rights, now); err != nil {
		return err
	}
	for _, key := range kept {
		log.Warn("local Clerk: a role that is no longer among the roles still has members and is kept; give them another one", "role", key)
	}
	if len(kept) == 0 { // else the next start tries again
		s.Rights = digest
	}
	return nil
}

func (s *state) followPermission(wanted Permission, now time.Time) error {
	there, known := s.permissionByKey(wanted.Key)
	if !known {
		_, err := s.createPermission(wanted, now)
		return err
	}
	if there.Name == wanted.Name && there.Description == wanted.Description {
		return nil
	}
	_, err := s.changePermission(there.ID, permissionChange{Name: &wanted.Name, Description: &wanted.Description}, now)
	return err
}

func (s *state) followRole(wanted Role, now time.Time) error {
	there, known := s.roleByKey(wanted.Key)
	if !known {
		_, err := s.createRole(wanted, now)
		return err
	}
	if there.Name == wanted.Name && there.Description == wanted.Description && slices.Equal(there.Permissions, s.ordered(wanted.Permissions)) {
		return nil
	}
	_, err := s.changeRole(there.ID, roleChange{
		Name: &wanted.Name, Description: &wanted.Description, Permissions: &wanted.Permissions,
	}, now)
	return err
}

// endRoles deletes the roles that rights do not have, and returns the keys of
// those that it keeps because they have members.
func (s *state) endRoles(rights Rights, now time.Time) (kept []string, err error) {
	for _, r := range slices.Clone(s.Roles) {
		switch {
		case slices.ContainsFunc(rights.Roles, func(wanted Role) bool { return wanted.Key == r.Key }):
		case s.hasMembers(r.Key):
			kept = append(kept, r.Key)
		default:
			if err := s.deleteRole(r.ID, now); err != nil {
				return nil, err
			}
		}
	}
	return kept, nil
}

// endPermissions deletes the custom permissions that rights do not have. A role
// that is kept loses them first.
func (s *state) endPermissions(rights Rights, now time.Time) error {
	for _, p := range slices.Clone(s.Permissions) {
		if p.system() || slices.ContainsFunc(rights.Permissions, func(wanted Permission) bool { return wanted.Key == p.Key }) {
			continue
		}
		for _, r := range s.Roles {
			if slices.Contains(r.Permissions, p.Key) {
				if _, err := s.removePermission(r.ID, p.ID, now); err != nil {
					return err
				}
			}
		}
		if err := s.deletePermission(p.ID, now); err != nil {
			return err
		}
	}
	return nil
}

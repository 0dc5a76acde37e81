package mirror

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// write does what a request asks for and returns the answer, nil for what is not there.
func (c *clinic) write(method string, segments []string, in object) object {
	switch what := method + " " + strings.Join(masked(segments), "/"); what {
	case "POST users":
		return c.make("users", "user", "user", in)
	case "PATCH users/*":
		return c.amend("users", segments[1], "user", in)
	case "POST users/*/ban", "POST users/*/unban":
		return c.restrict(segments[1], "banned", segments[2] == "ban")
	case "POST users/*/lock", "POST users/*/unlock":
		return c.restrict(segments[1], "locked", segments[2] == "lock")
	case "DELETE users/*":
		return c.deleteOwner("users", segments[1], "user", func(m object) string { return userOf(m) })
	case "POST organizations":
		o := c.make("organizations", "org", "organization", in)
		c.join(o, in["created_by"].(string), "org:admin")
		return o
	case "PATCH organizations/*":
		return c.amend("organizations", segments[1], "organization", in)
	case "DELETE organizations/*":
		return c.deleteOwner("organizations", segments[1], "organization", func(m object) string { return organizationOf(m) })
	case "POST organizations/*/memberships":
		o := c.lists["organizations"][find(c.lists["organizations"], segments[1])]
		return c.join(o, in["user_id"].(string), in["role"].(string))
	case "PATCH organizations/*/memberships/*":
		return c.amend("organization_memberships", c.pair(segments), "organizationMembership", in)
	case "DELETE organizations/*/memberships/*":
		return c.leave(c.pair(segments))
	case "POST organizations/*/invitations":
		return c.make("invitations", "orginv", "", in)
	case "POST organizations/*/invitations/*/revoke":
		return c.amend("invitations", segments[3], "organizationInvitation", object{"status": "revoked"})
	case "POST organization_roles":
		return c.make("organization_roles", "role", "role", in)
	case "POST organization_roles/*/permissions/*":
		return c.amend("organization_roles", segments[1], "role", object{"permissions": []object{{"id": segments[3], "key": "org:sys_memberships:read"}}})
	case "DELETE organization_roles/*":
		return c.deleteOwner("organization_roles", segments[1], "role", func(object) string { return "" })
	case "POST sessions":
		return object{"id": c.id("sess"), "active": in["active_organization_id"]}
	case "POST sessions/*/tokens":
		return object{"object": "token", "jwt": c.token("org_1")}
	default:
		panic("no such request: " + what)
	}
}

// masked are a path's segments with * for ids.
func masked(segments []string) []string {
	shown := slices.Clone(segments)
	for i := 1; i < len(shown); i += 2 {
		shown[i] = "*"
	}
	return shown
}

func userOf(m object) string         { return m["public_user_data"].(object)["user_id"].(string) }
func organizationOf(m object) string { return m["organization"].(object)["id"].(string) }

// pair is the id of the membership that a path names by organization and user.
func (c *clinic) pair(segments []string) string {
	found := c.members(func(m object) bool { return organizationOf(m) == segments[1] && userOf(m) == segments[3] })
	if len(found) == 0 {
		return ""
	}
	return found[0]["id"].(string)
}

func (c *clinic) make(list, prefix, noun string, in object) object {
	at := c.moment()
	o := object{"id": c.id(prefix), "created_at": at, "updated_at": at}
	for name, value := range in {
		o[name] = value
	}
	if list == "users" {
		o["email_addresses"] = []object{{"id": "idn_1", "email_address": fmt.Sprint(in["email_address"])}}
	}
	c.lists[list] = append(c.lists[list], o)
	if noun != "" {
		c.event(noun+".created", o)
	}
	return o
}

// restrict bans a user or locks their sign-in, or ends that.
func (c *clinic) restrict(id, field string, value bool) object {
	return c.amendAs("users", id, field, "user", object{field: value})
}

func (c *clinic) amend(list, id, noun string, in object) object {
	return c.amendAs(list, id, noun, noun, in)
}

// amendAs is amend of what touch knows by another kind than the noun.
func (c *clinic) amendAs(list, id, kind, noun string, in object) object {
	i := find(c.lists[list], id)
	if i < 0 {
		return nil
	}
	o := object{} // a new one: answers and events of before stay as they were
	for name, value := range c.lists[list][i] {
		o[name] = value
	}
	for name, value := range in {
		o[name] = value
	}
	c.touch(kind, o)
	c.lists[list][i] = o
	if noun != "organizationInvitation" {
		c.event(noun+".updated", o)
	}
	return o
}

func (c *clinic) join(organization object, user, role string) object {
	m := c.membership(organization, user, role)
	if c.sameID {
		m["id"] = "orgmem_" + strings.ReplaceAll(organization["id"].(string)+user, "_", "")
	}
	c.lists["organization_memberships"] = append(c.lists["organization_memberships"], m)
	c.event("organizationMembership.created", m)
	return m
}

func (c *clinic) leave(id string) object {
	i := find(c.lists["organization_memberships"], id)
	if i < 0 {
		return nil
	}
	m := object{}
	for name, value := range c.lists["organization_memberships"][i] {
		m[name] = value
	}
	c.lists["organization_memberships"] = slices.Delete(c.lists["organization_memberships"], i, i+1)
	at := c.moment()
	if c.deletions {
		m["updated_at"] = at
	}
	c.event("organizationMembership.deleted", m)
	return m
}

func (c *clinic) deleteOwner(list, id, noun string, owner func(object) string) object {
	i := find(c.lists[list], id)
	if i < 0 {
		return nil
	}
	c.lists[list] = slices.Delete(c.lists[list], i, i+1)
	c.moment()
	c.event(noun+".deleted", object{"id": id, "deleted": true})
	for _, m := range c.members(func(m object) bool { return owner(m) == id }) {
		if c.cascades {
			c.leave(m["id"].(string))
			continue
		}
		members := c.lists["organization_memberships"]
		j := find(members, m["id"].(string))
		c.lists["organization_memberships"] = slices.Delete(members, j, j+1)
	}
	return object{"id": id, "deleted": true}
}

// unchanged says that nothing of a trial is left, and nothing else is gone.
func (c *clinic) unchanged() (found string) {
	c.set(func() {
		for list, entries := range c.lists {
			for _, o := range entries {
				if list != "invitations" && strings.Contains(fmt.Sprint(o), "tenantry") {
					found += fmt.Sprintf("%s %v is left\n", list, o["id"])
				}
			}
		}
		for list, want := range map[string]int{"organizations": 2, "users": 2, "organization_memberships": 2, "organization_roles": 2} {
			if got := len(c.lists[list]); got != want {
				found += fmt.Sprintf("%d %s, want %d\n", got, list, want)
			}
		}
	})
	return found
}

var _ http.Handler = (*clinic)(nil)

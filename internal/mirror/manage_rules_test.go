package mirror

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// change makes a change as Clerk would, or refuses it by Clerk's rules. The fake's lock is held.
func (c *manageClerk) change(w http.ResponseWriter, method, path string, raw []byte) {
	segments, body := strings.Split(strings.Trim(path, "/"), "/"), decodeBody(raw)
	done := func(data object) {
		c.made = append(c.made, did{method, path, raw})
		answerJSON(w, data)
	}
	if len(segments) == 1 {
		c.createOrganization(w, body, done)
		return
	}
	i := find(c.lists["organizations"], segments[1])
	if i < 0 {
		refuseAs(w, http.StatusNotFound, "resource_not_found", "")
		return
	}
	o := c.lists["organizations"][i]
	if body["role"] == "org:unknown" {
		refuseAs(w, http.StatusNotFound, "resource_not_found", "")
		return
	}
	switch kind := strings.Join(append([]string{method}, segments[2:]...), " "); {
	case kind == "PATCH":
		c.updateOrganization(w, o, body, done)
	case kind == "PATCH metadata":
		metadata := maps.Clone(o["public_metadata"].(object))
		maps.Copy(metadata, body["public_metadata"].(object))
		o["public_metadata"], o["updated_at"] = metadata, c.tick()
		c.emit("organization.updated", o)
		done(o)
	case kind == "DELETE":
		c.lists["organizations"] = slices.Delete(c.lists["organizations"], i, i+1)
		for _, list := range []string{"organization_memberships", "organization_invitations"} {
			c.lists[list] = slices.DeleteFunc(c.lists[list], func(x object) bool {
				inside, _ := x["organization"].(object)
				return x["organization_id"] == segments[1] || inside["id"] == segments[1]
			})
		}
		c.tick()
		gone := object{"object": "organization", "id": segments[1], "deleted": true}
		c.emit("organization.deleted", gone)
		done(gone)
	case kind == "POST memberships":
		c.createMembership(w, o, body["user_id"].(string), body["role"].(string), done)
	case kind == "POST invitations":
		c.createInvitation(w, o, body, done)
	case len(segments) == 5 && segments[4] == "revoke":
		c.revokeInvitation(w, segments[3], done)
	case len(segments) == 4 && segments[2] == "memberships":
		c.changeMembership(w, method, c.member(segments[1], segments[3]), body, done)
	default:
		panic("the fake has no " + kind)
	}
}

func (c *manageClerk) createOrganization(w http.ResponseWriter, body object, done func(object)) {
	creator := body["created_by"].(string)
	if slices.ContainsFunc(c.lists["organizations"], func(o object) bool { return body["slug"] != nil && o["slug"] == body["slug"] }) {
		refuseAs(w, http.StatusUnprocessableEntity, "form_identifier_exists", "slug")
		return
	}
	if strings.Contains(body["name"].(string), "http") {
		refuseAs(w, http.StatusUnprocessableEntity, "form_param_format_invalid", "name")
		return
	}
	now := c.tick()
	o := object{
		"object": "organization", "id": c.id("org"), "name": body["name"], "slug": body["slug"], "image_url": nil, "has_image": false,
		"max_allowed_memberships": 5, "admin_delete_enabled": true, "created_by": creator,
		"public_metadata": object{}, "private_metadata": body["private_metadata"], "created_at": now, "updated_at": now,
	}
	c.lists["organizations"] = append(c.lists["organizations"], o)
	c.emit("organization.created", o)
	c.join(o, creator, "org:admin")
	done(o)
}

// join makes a membership.
func (c *manageClerk) join(o object, userID, role string) object {
	name := strings.TrimPrefix(userID, "user_")
	now := c.tick()
	m := object{
		"object": "organization_membership", "id": c.id("orgmem"), "role": role, "role_name": role, "permissions": []string{},
		"public_metadata": object{}, "created_at": now, "updated_at": now, "organization": o,
		"public_user_data": object{
			"user_id": userID, "first_name": strings.ToUpper(name[:1]) + name[1:], "last_name": nil, "image_url": nil,
			"has_image": false, "identifier": name + "@example.com", "username": nil,
		},
	}
	c.lists["organization_memberships"] = append(c.lists["organization_memberships"], m)
	c.emit("organizationMembership.created", m)
	return m
}

func (c *manageClerk) updateOrganization(w http.ResponseWriter, o, body object, done func(object)) {
	if slices.ContainsFunc(c.lists["organizations"], func(x object) bool { return body["slug"] != nil && x["slug"] == body["slug"] && x["id"] != o["id"] }) {
		refuseAs(w, http.StatusUnprocessableEntity, "form_identifier_exists", "slug")
		return
	}
	maps.Copy(o, body)
	o["updated_at"] = c.tick()
	c.emit("organization.updated", o)
	done(o)
}

func (c *manageClerk) members(organizationID any) (members []object) {
	for _, m := range c.lists["organization_memberships"] {
		if m["organization"].(object)["id"] == organizationID {
			members = append(members, m)
		}
	}
	return members
}

func (c *manageClerk) createMembership(w http.ResponseWriter, o object, userID, role string, done func(object)) {
	switch {
	case c.member(o["id"].(string), userID) >= 0:
		refuseAs(w, http.StatusBadRequest, "already_a_member_in_organization", "")
	case len(c.members(o["id"])) >= c.limits.members:
		refuseAs(w, http.StatusForbidden, "organization_membership_quota_exceeded", "")
	case find(c.lists["users"], userID) < 0:
		refuseAs(w, http.StatusNotFound, "resource_not_found", "")
	default:
		done(c.join(o, userID, role))
	}
}

func (c *manageClerk) changeMembership(w http.ResponseWriter, method string, i int, body object, done func(object)) {
	if i < 0 {
		refuseAs(w, http.StatusNotFound, "resource_not_found", "")
		return
	}
	m := c.lists["organization_memberships"][i]
	admins := 0
	for _, other := range c.members(m["organization"].(object)["id"]) {
		if other["role"] == "org:admin" {
			admins++
		}
	}
	if m["role"] == "org:admin" && body["role"] != "org:admin" && admins == 1 {
		refuseAs(w, http.StatusBadRequest, "organization_minimum_permissions_needed", "")
		return
	}
	if method == http.MethodDelete {
		c.lists["organization_memberships"] = slices.Delete(c.lists["organization_memberships"], i, i+1)
		c.tick()
		c.emit("organizationMembership.deleted", m)
		done(m)
		return
	}
	m["role"], m["updated_at"] = body["role"], c.tick()
	c.emit("organizationMembership.updated", m)
	done(m)
}

func (c *manageClerk) createInvitation(w http.ResponseWriter, o, body object, done func(object)) {
	email := body["email_address"]
	switch {
	case slices.ContainsFunc(c.lists["organization_invitations"], func(i object) bool {
		return i["organization_id"] == o["id"] && i["email_address"] == email && i["status"] == "pending"
	}):
		refuseAs(w, http.StatusBadRequest, "organization_invitation_not_unique", "")
		return
	case email == "refused@example.com":
		refuseAs(w, http.StatusUnprocessableEntity, "form_param_format_invalid", "email_address")
		return
	case len(c.members(o["id"]))+len(c.lists["organization_invitations"]) >= c.limits.members:
		refuseAs(w, http.StatusForbidden, "organization_membership_quota_exceeded", "")
		return
	}
	now := c.tick()
	i := object{
		"object": "organization_invitation", "id": c.id("orginv"), "email_address": email, "role": body["role"], "role_name": body["role"],
		"organization_id": o["id"], "inviter_id": body["inviter_user_id"], "status": "pending", "url": nil,
		"public_metadata": object{}, "private_metadata": body["private_metadata"], "expires_at": now + 30*24*3600*1000,
		"created_at": now, "updated_at": now,
	}
	c.lists["organization_invitations"] = append(c.lists["organization_invitations"], i)
	c.emit("organizationInvitation.created", i)
	done(i)
}

func (c *manageClerk) revokeInvitation(w http.ResponseWriter, id string, done func(object)) {
	i := find(c.lists["organization_invitations"], id)
	switch {
	case i < 0:
		refuseAs(w, http.StatusNotFound, "resource_not_found", "")
		return
	case c.lists["organization_invitations"][i]["status"] != "pending":
		refuseAs(w, http.StatusNotFound, "organization_invitation_not_pending", "")
		return
	}
	invitation := c.lists["organization_invitations"][i]
	invitation["status"], invitation["updated_at"] = "revoked", c.tick()
	c.emit("organizationInvitation.revoked", invitation)
	done(invitation)
}

// accept is what a person does with the letter.
func (c *manageClerk) accept(email, userID string) {
	for _, i := range c.lists["organization_invitations"] {
		if i["email_address"] == email && i["status"] == "pending" {
			i["status"], i["updated_at"] = "accepted", c.tick()
			accepted := maps.Clone(i)
			accepted["user_id"] = userID
			c.emit("organizationInvitation.accepted", accepted)
			o := c.lists["organizations"][find(c.lists["organizations"], i["organization_id"].(string))]
			c.join(o, userID, i["role"].(string))
			return
		}
	}
	panic("no invitation for " + email)
}

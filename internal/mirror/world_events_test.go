package mirror

import (
	"encoding/json"
	"fmt"
)

type object = map[string]any

func (w *world) organizationData(o *worldOrganization, own bool) object {
	data := object{
		"object": "organization", "id": o.id, "name": o.name, "slug": o.slug, "image_url": nil,
		"created_at": o.created, "updated_at": o.updated, "members_count": w.random.IntN(9),
	}
	if own {
		data["private_metadata"] = object{}
	}
	return data
}

func (w *world) userData(u *worldUser) object {
	return object{
		"object": "user", "id": u.id, "first_name": u.first, "last_name": u.last, "image_url": "https://img.example/" + u.id,
		"primary_email_address_id": "idn_1", "created_at": u.created, "updated_at": u.updated,
		"banned": u.banned, "locked": u.locked,
		"email_addresses": []object{{"id": "idn_0", "email_address": "other@acme.example"}, {"id": "idn_1", "email_address": u.email}},
	}
}

func (w *world) roleData(r *worldRole) object {
	permissions := make([]object, len(r.permissions))
	for i, key := range r.permissions {
		permissions[i] = object{"object": "permission", "key": key}
	}
	return object{"id": r.id, "key": r.key, "name": r.name, "permissions": permissions, "created_at": r.created, "updated_at": r.updated}
}

func (w *world) memberData(m *worldMember) object {
	m.shownFirst, m.shownLast = m.user.first, m.user.last
	return object{
		"object": "organization_membership", "id": m.id, "role": m.role, "created_at": m.created, "updated_at": m.updated,
		"organization": w.organizationData(m.organization, false),
		"public_user_data": object{
			"user_id": m.user.id, "first_name": m.user.first, "last_name": m.user.last, "identifier": m.user.email,
			"image_url": "https://img.example/" + m.user.id,
		},
	}
}

func (w *world) emitMember(what string, m *worldMember) (deletedAt int64) {
	return w.emit("organizationMembership."+what, w.memberData(m))
}

// emit sends an event and returns when, by its envelope, a deletion happened.
func (w *world) emit(kind string, data object) (deletedAt int64) {
	at := w.now
	if w.jitter > 0 {
		at += w.random.Int64N(w.jitter + 1)
	}
	envelope := object{"object": "event", "type": kind, "timestamp": at, "instance_id": "ins_1", "data": data}
	if w.seconds {
		envelope["timestamp"], at = at/1000, at/1000*1000+999
	}
	body, err := json.Marshal(envelope)
	if err != nil {
		panic(err)
	}
	decoded, err := decode(body)
	if err != nil {
		panic(fmt.Sprintf("%s: %s", err, body))
	}
	w.events = append(w.events, worldEvent{id: fmt.Sprintf("msg_%s%d", w.prefix, len(w.events)), kind: kind, body: body, event: decoded})
	return at
}

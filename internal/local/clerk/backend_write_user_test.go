package clerk

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// userChanges make Bob, rename and delete him.
func userChanges() []wantedChange {
	const users, one = "/users", "/users/{id}"
	post, patch, remove := http.MethodPost, http.MethodPatch, http.MethodDelete
	return []wantedChange{
		{post, users, users, object{"email_address": []string{"Bob@acme.example"}, "first_name": "Bob", "skip_password_requirement": true, "skip_user_requirement": true, "skip_legal_checks": true}, 200, "", "user.created"},
		{post, users, users, object{"email_address": []string{"bob@globex.example"}}, 200, "", "user.created"},
		{post, users, users, object{"email_address": []string{"ADA@acme.example"}}, 422, "form_identifier_exists", ""},
		{post, users, users, object{"email_address": []string{"bob"}}, 422, "form_param_format_invalid", ""},
		{post, users, users, object{"email_address": []string{}}, 422, "form_param_value_invalid", ""},
		{post, users, users, object{"first_name": "Bob"}, 422, "form_param_value_invalid", ""},
		{post, users, users, object{"email_address": []string{"b@b.example"}, "username": "bob"}, 422, "form_param_unknown", ""},
		{patch, one, users + "/" + SeededAda, object{"first_name": "Augusta"}, 200, "", "user.updated"},
		{patch, one, users + "/user_none", object{"first_name": "Augusta"}, 404, "resource_not_found", ""},
		{patch, one, users + "/" + SeededAda, object{"public_metadata": object{}}, 422, "form_param_unknown", ""},
		{post, one + "/ban", users + "/" + SeededAda + "/ban", nil, 200, "", "user.updated"},
		{post, one + "/unban", users + "/" + SeededAda + "/unban", nil, 200, "", "user.updated"},
		{post, one + "/lock", users + "/" + SeededAda + "/lock", nil, 200, "", "user.updated"},
		{post, one + "/unlock", users + "/" + SeededAda + "/unlock", nil, 200, "", "user.updated"},
		{post, one + "/ban", users + "/user_none/ban", nil, 404, "resource_not_found", ""},
		{remove, one, users + "/" + seededID("user", "Nora"), nil, 200, "", "user.deleted"},
		{remove, one, users + "/user_none", nil, 404, "resource_not_found", ""},
	}
}

func TestBackendWritesUsers(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	b.tryWrites(c, userChanges())
	s := c.current.Load()
	var handles []string
	for _, u := range s.Users {
		handles = append(handles, u.Handle+" "+u.FirstName)
	}
	if diff := cmp.Diff([]string{"ada Augusta", "max Max", "gus Gus", "bob Bob", "bob-2 "}, handles); diff != "" {
		t.Error(diff)
	}
	// With a member go the memberships, in every organization, and no other's.
	b.tryWrites(c, []wantedChange{{"DELETE", "/users/{id}", "/users/" + SeededAda, nil, 200, "", "user.deleted"}})
	if s = c.current.Load(); len(s.Memberships) != 2 || s.membersCount(SeededAcme) != 1 || s.membersCount(SeededGlobex) != 1 {
		t.Errorf("left: %+v", s.Memberships)
	}
}

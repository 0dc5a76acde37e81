package clerk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openPopulated(t *testing.T, p Population) *Clerk {
	t.Helper()
	c := openUnlimited(t)
	if err := c.Populate(p); err != nil {
		t.Fatal(err)
	}
	return c
}

// walk reads a list page by page.
func (b backend) walk(path string, limit int) (ids []string) {
	b.t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for offset := 0; ; offset += limit {
		var body list[struct{ ID string }]
		b.read(fmt.Sprintf("%s%slimit=%d&offset=%d", path, join, limit, offset), &body)
		if len(body.Data) > limit {
			b.t.Fatalf("%s: %d on a page of %d", path, len(body.Data), limit)
		}
		for _, item := range body.Data {
			ids = append(ids, item.ID)
		}
		if len(body.Data) < limit {
			if body.TotalCount != len(ids) {
				b.t.Errorf("%s: total_count %d of %d", path, body.TotalCount, len(ids))
			}
			return ids
		}
	}
}

func TestListsHaveEverythingOnceNewestFirst(t *testing.T) {
	t.Parallel()
	c := openPopulated(t, Population{Organizations: 30, Users: 40, MembersEach: 20})
	b := serveBackend(t, c)
	s := c.current.Load()
	created := map[string]int64{}
	for _, o := range s.Organizations {
		created[o.ID] = o.CreatedAt
	}
	for _, m := range s.Memberships {
		created[m.ID] = m.CreatedAt
	}
	for path, want := range map[string]int{"/organizations": 32, "/organization_memberships": 604} {
		for _, limit := range []int{1, 7, 500} {
			if limit == 1 && want > 100 {
				continue
			}
			ids := b.walk(path, limit)
			if distinct := len(slices.Compact(slices.Sorted(slices.Values(ids)))); len(ids) != want || distinct != want {
				t.Errorf("%s by %d: %d, %d of them distinct, want %d", path, limit, len(ids), distinct, want)
			}
			if !slices.IsSortedFunc(ids, func(a, b string) int { return int(created[b] - created[a]) }) {
				t.Errorf("%s by %d is not newest first", path, limit)
			}
		}
	}
	// What each organization and each user has adds up to the whole.
	var ofOrganizations, ofUsers []string
	for _, o := range s.Organizations {
		ofOrganizations = append(ofOrganizations, b.walk("/organizations/"+o.ID+"/memberships", 7)...)
	}
	for _, u := range s.Users {
		ofUsers = append(ofUsers, b.walk("/users/"+u.ID+"/organization_memberships", 7)...)
	}
	all := slices.Sorted(slices.Values(b.walk("/organization_memberships", 500)))
	for _, part := range [][]string{ofOrganizations, ofUsers} {
		if diff := cmp.Diff(all, slices.Sorted(slices.Values(part))); diff != "" {
			t.Error(diff)
		}
	}
	if n := len(b.ids("/organization_memberships")); n != 10 {
		t.Errorf("%d without a limit, want 10", n)
	}
}

func TestUsersAreABareArrayWithACursor(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openPopulated(t, Population{Users: 45}))
	type person struct{ ID string }
	read := func(query string) []person {
		var page []person
		b.read("/users"+query, &page)
		return page
	}
	all := read("?limit=500")
	if len(all) != 49 || len(read("")) != 10 {
		t.Fatalf("%d users, want 49", len(all))
	}
	var byOffset, byCursor []person
	for offset := 0; offset < 60; offset += 10 {
		byOffset = append(byOffset, read(fmt.Sprintf("?offset=%d", offset))...)
	}
	for after := ""; ; {
		page := read("?limit=8" + after)
		byCursor = append(byCursor, page...)
		if len(page) < 8 {
			break
		}
		after = "&starting_after=" + page[7].ID
	}
	slices.Reverse(all)
	if diff := cmp.Diff(all, read("?order_by=created_at&limit=500")); diff != "" {
		t.Errorf("oldest first:\n%s", diff)
	}
	slices.Reverse(all)
	for _, got := range [][]person{byOffset, byCursor} {
		if diff := cmp.Diff(all, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, query := range []string{
		"?starting_after=user_none", "?starting_after=", "?starting_after=" + SeededAda + "&offset=1",
		"?starting_after=" + SeededAda + "&order_by=-email_address",
	} {
		b.refused(b.get("/users"+query), 422, "form_param_value_invalid")
	}
	if n := len(read("?starting_after=" + SeededAda + "&order_by=created_at&offset=0&limit=500")); n != 3 {
		t.Errorf("%d users after Ada, oldest first; want 3", n)
	}
	var count totalCount
	b.read("/users/count", &count)
	if count != (totalCount{"total_count", 49}) {
		t.Errorf("%+v", count)
	}
}

func TestListsAreFilteredAndOrdered(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openUnlimited(t))
	ada, planck, gus, nora := SeededAda, seededID("user", "Max"), SeededGus, seededID("user", "Nora")
	membership := func(user, organization string) string { return seededID("orgmem", user+organization) }
	members := "/organizations/" + SeededAcme + "/memberships"
	for path, want := range map[string][]string{
		"/organizations":                                     {SeededGlobex, SeededAcme},
		"/organizations?order_by=name":                       {SeededAcme, SeededGlobex},
		"/organizations?order_by=%2Bname":                    {SeededAcme, SeededGlobex},
		"/organizations?order_by=+name":                      {SeededAcme, SeededGlobex},
		"/organizations?order_by=-name&order_by=name":        {SeededGlobex, SeededAcme},
		"/organizations?order_by=members_count":              {SeededGlobex, SeededAcme},
		"/organizations?query=CM":                            {SeededAcme},
		"/organizations?query=" + SeededGlobex:               {SeededGlobex},
		"/organizations?query=" + SeededGlobex[:20]:          {},
		"/organizations?user_id=" + gus:                      {SeededGlobex},
		"/organizations?user_id=" + ada + "&user_id=-" + gus: {SeededAcme},
		"/organizations?user_id=user_none":                   {},
		"/organizations?user_id=":                            {},
		"/organizations?user_id=user_none&user_id=" + planck: {SeededAcme},
		"/organizations?organization_id=+" + SeededAcme:      {SeededAcme},
		"/organizations?organization_id=-" + SeededAcme:      {SeededGlobex},
		members:                                                       {membership("Max", "Acme"), membership("Ada", "Acme")},
		members + "?order_by=first_name":                              {membership("Ada", "Acme"), membership("Max", "Acme")},
		members + "?order_by=-first_name":                             {membership("Max", "Acme"), membership("Ada", "Acme")},
		members + "?order_by=username":                                {membership("Max", "Acme"), membership("Ada", "Acme")},
		members + "?user_id=" + planck:                                {membership("Max", "Acme")},
		members + "?user_id=" + gus:                                   {},
		members + "?user_id=%2B" + ada + "&user_id=" + planck:         {membership("Max", "Acme"), membership("Ada", "Acme")},
		members + "?user_id=-" + ada:                                  {membership("Max", "Acme")},
		members + "?role=org:admin":                                   {membership("Ada", "Acme")},
		members + "?role=org:guest":                                   {},
		members + "?role=org:guest&role=org:member":                   {membership("Max", "Acme")},
		members + "?role=admin":                                       {},
		members + "?email_address=MAX@acme.example":                   {membership("Max", "Acme")},
		members + "?query=love":                                       {membership("Ada", "Acme")},
		"/organization_memberships?order_by=-email_address&limit=2":   {membership("Max", "Acme"), membership("Gus", "Globex")},
		"/users/" + ada + "/organization_memberships":                 {membership("Ada", "Globex"), membership("Ada", "Acme")},
		"/users/" + nora + "/organization_memberships":                {},
		"/organization_invitations?status=pending":                    {},
		"/organizations/" + SeededAcme + "/invitations":               {},
		"/organizations/" + SeededAcme + "/domains?verified=true":     {},
		"/organization_roles":                                         {seededID("role", "Guest"), seededID("role", "Member"), seededID("role", "Admin")},
		"/organization_roles?query=mem":                               {seededID("role", "Member")},
		"/organization_permissions?query=documents&order_by=-name":    {seededID("perm", "DocumentsUpdate"), seededID("perm", "DocumentsRead"), seededID("perm", "DocumentsDelete"), seededID("perm", "DocumentsCreate")},
		"/organization_permissions?query=sys_billing&order_by=%2Bkey": {seededID("perm", "SysBillingManage"), seededID("perm", "SysBillingRead")},
	} {
		if diff := cmp.Diff(want, b.ids(path)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	for query, want := range map[string][]string{
		"":                                       {nora, gus, planck, ada},
		"?email_address=ADA@acme.example":        {ada},
		"?email_address=none@example.com":        {},
		"?user_id=" + gus + "&user_id=user_none": {gus},
		"?user_id=-" + gus + "&user_id=-" + ada:  {nora, planck},
		"?organization_id=" + SeededGlobex:       {gus, ada},
		"?organization_id=-" + SeededGlobex:      {nora, planck},
		"?query=acme":                            {planck, ada},
		"?order_by=last_name":                    {gus, ada, nora, planck},
		"?order_by=-web3wallet&limit=1&offset=3": {ada},
		"?offset=4":                              {},
		"?offset=9223372036854775807":            {},
	} {
		var page []struct{ ID string }
		b.read("/users"+query, &page)
		got := []string{}
		for _, u := range page {
			got = append(got, u.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("/users%s:\n%s", query, diff)
		}
	}
	var count totalCount
	if b.read("/users/count?query=acme&limit=1&offset=1&order_by=created_at", &count); count.TotalCount != 2 {
		t.Errorf("%d match, want 2", count.TotalCount)
	}
}

// A filter that is not understood would make a wrong answer look right.
func TestListsRefuseWhatTheyCannotAnswer(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openUnlimited(t))
	members := "/organizations/" + SeededAcme + "/memberships"
	for _, test := range []struct{ path, code, says string }{
		{"/users?limit=0", "form_param_value_invalid", "limit must be between 1 and 500"},
		{"/users?limit=501", "form_param_value_invalid", "limit must be between 1 and 500"},
		{"/users?limit=-1", "form_param_value_invalid", "limit"},
		{"/users?limit=1e2", "form_param_format_invalid", "limit must be a whole number"},
		{"/users?limit=", "form_param_format_invalid", "limit"},
		{"/users?limit=99999999999999999999", "form_param_format_invalid", "limit"},
		{"/users?offset=-1", "form_param_value_invalid", "offset must be at least 0"},
		{"/users?order_by=", "form_param_value_invalid", "order_by"},
		{"/users?order_by=--created_at", "form_param_value_invalid", "created_at"},
		{"/users?banned=true", "form_param_unknown", "banned"},
		{"/users?user_id[]=" + SeededAda, "form_param_unknown", "user_id[]"},
		{"/users/count?banned=true", "form_param_unknown", "banned"},
		{"/users/" + SeededAda + "?limit=1", "form_param_unknown", "limit"},
		{members + "?order_by=role", "form_param_value_invalid", "last_name"},
		{members + "?" + strings.Repeat("user_id=user_x&", 101), "form_param_value_invalid", "100"},
		{"/organization_memberships?user_id=" + SeededAda, "form_param_unknown", "user_id"},
		{"/organizations?include_members_count=perhaps", "form_param_format_invalid", "true or false"},
		{"/organization_invitations?status=", "form_param_value_invalid", "pending"},
		{"/organization_invitations?order_by=status", "form_param_value_invalid", "email_address"},
		{"/organizations/" + SeededAcme + "/domains?enrollment_mode=all", "form_param_value_invalid", "manual_invitation"},
		{"/organizations?x%1b=" + strings.Repeat("y", 1000), "form_param_unknown", `"x\x1b"`},
	} {
		if long := b.refused(b.get(test.path), 422, test.code); !strings.Contains(long, test.says) || len(long) > 500 {
			t.Errorf("%s: %q does not say %q", test.path, long, test.says)
		}
	}
	for path, code := range map[string]string{
		"/organizations/org_none":                        "organization_not_found_or_unauthorized",
		"/organizations/org_none/memberships?limit=0":    "organization_not_found_or_unauthorized",
		"/organizations/acme/memberships":                "organization_not_found_or_unauthorized",
		"/organizations/org_none/invitations":            "organization_not_found_or_unauthorized",
		"/organizations/org_none/domains":                "organization_not_found_or_unauthorized",
		"/users/ada":                                     "resource_not_found",
		"/users/user_none/organization_memberships":      "resource_not_found",
		"/organization_roles/org:admin":                  "resource_not_found",
		"/organization_permissions/org:documents:read":   "resource_not_found",
		"/organizations/" + SeededAcme + "/role_sets":    "resource_not_found",
		"/organizations/" + SeededAcme + "/memberships/": "resource_not_found",
	} {
		b.refused(b.get(path), 404, code)
	}
}

func TestOneOrganizationByIDOrSlug(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openUnlimited(t))
	for _, path := range []string{SeededAcme, "acme"} {
		var plain, counted object
		b.read("/organizations/"+path, &plain)
		b.read("/organizations/"+path+"?include_members_count=true", &counted)
		if plain["id"] != SeededAcme || counted["members_count"] != 2.0 || counted["pending_invitations_count"] != 0.0 {
			t.Errorf("%v, counted %v", plain, counted)
		}
		delete(counted, "members_count")
		delete(counted, "pending_invitations_count")
		if diff := cmp.Diff(counted, plain); diff != "" {
			t.Errorf("without counts:\n%s", diff)
		}
	}
	var empty object
	b.read("/organizations?include_members_count=true&query=globex", &empty)
	if o := empty["data"].([]any)[0].(object); o["members_count"] != 2.0 {
		t.Errorf("%v", o)
	}
}

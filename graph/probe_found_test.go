package graph_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What the attack on isolation found, and was no leak: an internal error where there was none.
func TestUsersWithoutANameAndTextsThatNothingHas(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	conn, err := pgx.Connect(t.Context(), a.ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `INSERT INTO clerk.users (id, email, created_at, updated_at) VALUES ('user_ada', 'ada@acme.example', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	if got := a.ask(ada, `{ viewer { user { id name } } }`, nil); got.Code() != "" || got.At("viewer", "user", "id") != "user_ada" || got.At("viewer", "user", "name") != nil {
		t.Errorf("a user without a name: %s", got)
	}
	for _, argument := range []string{"action", "actor", "targetId"} {
		got := a.ask(ada, `{ organization { auditLog(`+argument+`: "a\u0000") { totalCount } } }`, nil)
		if fields, _ := got.Errors[0].Extensions["fields"].([]any); got.Code() != "BAD_USER_INPUT" || fields[0].(map[string]any)["path"] != argument {
			t.Errorf("%s: %s", argument, got)
		}
	}
	if got := a.askInVain(ada, `mutation { addMember(input: {userId: "user_x\u0000", role: "org:member"}) { member { id } } }`, nil); got.Code() != "NOT_FOUND" || len(a.manager.calls) > 0 {
		t.Errorf("a user that cannot exist: %s, %q", got, a.manager.calls)
	}
}

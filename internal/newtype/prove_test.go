package newtype

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// goes runs a command in a scratch copy and returns what it says; it must succeed.
func goes(t *testing.T, folder, text string) string {
	t.Helper()
	output, err := runIn(t, folder, text)
	if err != nil {
		t.Fatalf("%s: %v\n%s", text, err, output)
	}
	return output
}

func runIn(t *testing.T, folder, text string) (string, error) {
	t.Helper()
	began := time.Now()
	words := strings.Fields(text)
	command := exec.Command(words[0], words[1:]...)
	command.Dir = folder
	output, err := command.CombinedOutput()
	t.Logf("%s: %s", text, time.Since(began).Round(time.Second))
	return string(output), err
}

// prove holds that a written type is whole: generated alike by hand and by command, tested, attacked and looked at by the
// linter, which names each step that is left out.
func prove(t *testing.T, byCommand, byHand string) {
	t.Helper()
	for _, folder := range []string{byCommand, byHand} {
		var said strings.Builder
		if err := Generate(t.Context(), folder, &said); err != nil {
			t.Fatal(err)
		}
	}
	if diff := changed(tree(t, byCommand), tree(t, byHand)); len(diff) != 0 {
		t.Fatalf("generated otherwise by hand: %d files", len(diff))
	}
	// The trees are the same, so what holds of one holds of both.
	goes(t, byCommand, "go test ./models ./store -run Nook|TestSchema|TestModels")
	goes(t, byCommand, "go test . -run ^TestTypes$")
	attacked := goes(t, byCommand, "go test ./graph -v -run ^(TestNookMutations|TestSchemaKindsAreNodes|TestIsolation|TestWhoLacksOneRight)$")
	for _, want := range []string{"TestWhoLacksOneRight/permission_org:nooks:delete", "createNook:"} {
		if !strings.Contains(attacked, want) {
			t.Errorf("the attack does not speak of %s:\n%s", want, attacked)
		}
	}
	for _, line := range strings.Split(attacked, "\n") {
		if strings.Contains(line, "leaks") || strings.Contains(line, "org:nooks") && strings.Contains(line, "---") {
			t.Log(line)
		}
	}

	migration := "store/migrations/20261201120000_nooks.sql"
	for name, left := range map[string]struct{ path, text, instead, want string }{
		"policy":                 {migration, "CALL tenantry.own_table('nooks');\n", "", "CALL tenantry.own_table('public.nooks')"},
		"comparison of a policy": {migration, "CALL tenantry.own_table('nooks');\n", "CALL tenantry.own_table('nooks');\nCREATE POLICY named ON nooks USING (id IS NOT NULL);\n", "has the policy named, which does not begin with the comparison"},
		"index":                  {migration, "CREATE INDEX nooks_by_creation ON nooks (organization_id, created_at, id);\n", "", "Organization.nooks sorts all of the organization's rows"},
		"guard":                  {"schema.graphqls", `type Nook implements Node @hasPermission(permission: "org:nooks:read")`, "type Nook implements Node", "type Nook implements Node and has no directive"},
		"factory":                {"internal/dbtest/nouns.go", plan(t, scratch(t), nook()).Changes[10].Text, "", "type Nook implements Node and has no factory"},
	} {
		full := filepath.Join(byCommand, left.path)
		whole, err := os.ReadFile(full)
		if err != nil || !strings.Contains(string(whole), left.text) {
			t.Fatal(left.path, err)
		}
		if err := os.WriteFile(full, []byte(strings.Replace(string(whole), left.text, left.instead, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		output, err := runIn(t, byCommand, "go test . -run ^TestTypes$")
		if err == nil || !strings.Contains(output, left.want) {
			t.Errorf("without the %s the linter does not say %q: %v\n%s", name, left.want, err, output)
		}
		for _, line := range strings.Split(output, "\n") {
			if strings.Contains(line, left.want) {
				t.Logf("without the %s: %s", name, strings.TrimSpace(line))
			}
		}
		if err := os.WriteFile(full, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/mirror"
)

func aReport() mirror.Report {
	return mirror.Report{Took: 2345 * time.Millisecond, Kinds: map[string]*mirror.KindReport{
		"organizations": {Listed: 1000},
		"memberships":   {Listed: 20000, Missing: 3, Differing: 1, Extra: 40, Changed: 4, Tombstoned: 2, Refused: 38, Unreadable: 1},
		"members":       {Listed: 20010, Extra: 1, Refused: 1},
	}}
}

func TestWriteReport(t *testing.T) {
	t.Parallel()
	for changes, want := range map[bool]string{
		false: `
  KIND           LISTED  MISSING  DIFFERING  EXTRA  REFUSED  UNREADABLE
  organizations    1000        0          0      0        0           0
  memberships     20000        3          1     40       38           1
  members         20010        0          0      1        1           0
45 rows are not as Clerk has them; 2.3 s
1 of Clerk's entries could not be read or merged, and nothing is known of how they are here
`,
		true: `
  KIND           LISTED  MISSING  DIFFERING  EXTRA  CHANGED  ENDED  REFUSED  UNREADABLE
  organizations    1000        0          0      0        0      0        0           0
  memberships     20000        3          1     40        4      2       38           1
  members         20010        0          0      1        0      0        1           0
45 rows were not as Clerk has them, 39 of them left alone; 2.3 s
1 of Clerk's entries could not be read or merged, and nothing is known of how they are here
`,
	} {
		var out bytes.Buffer
		if err := writeReport(&out, aReport(), changes); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), out.String()); diff != "" {
			t.Errorf("changes %v (-want +got):\n%s", changes, diff)
		}
	}
	if got := summary(mirror.Report{Resumed: true}, true); got != "the copy is as Clerk is; 0.0 s, gone on with after it was cut off" {
		t.Errorf("without drift: %s", got)
	}
}

func TestReportAsJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := writeReportJSON(&out, aReport()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	memberships := got["kinds"].(map[string]any)["memberships"]
	delete(got, "kinds")
	if diff := cmp.Diff(map[string]any{"drift": 45.0, "refused": 39.0, "resumed": false, "seconds": 2.345}, got); diff != "" {
		t.Error(diff)
	}
	want := map[string]any{
		"listed": 20000.0, "changed": 4.0, "missing": 3.0, "differing": 1.0, "extra": 40.0, "tombstoned": 2.0, "refused": 38.0, "unreadable": 1.0,
	}
	if diff := cmp.Diff(want, memberships); diff != "" {
		t.Error(diff)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	drift := func(k mirror.KindReport) mirror.Report {
		return mirror.Report{Kinds: map[string]*mirror.KindReport{"users": &k}}
	}
	verify, repair := comparison{name: "verify"}, comparison{name: "repair", changes: true}
	for name, test := range map[string]struct {
		what   comparison
		report mirror.Report
		want   []string // none: no error
	}{
		"verify, equal":    {verify, drift(mirror.KindReport{Listed: 5, Unreadable: 1}), nil},
		"verify, missing":  {verify, drift(mirror.KindReport{Missing: 1}), []string{"`tenantry mirror repair` mends it"}},
		"verify, too many": {verify, drift(mirror.KindReport{Extra: 20, Refused: 20}), []string{"mends it", "20 of the users", "only with --allow-mass-deletion"}},
		"repair, mended":   {repair, drift(mirror.KindReport{Missing: 1, Differing: 2, Extra: 3, Changed: 3, Tombstoned: 3}), nil},
		"repair, too many": {repair, drift(mirror.KindReport{Extra: 20, Refused: 20}), []string{"20 of the users", "none of them was ended", "`tenantry mirror repair --allow-mass-deletion`"}},
		"members of nobody": {
			repair,
			mirror.Report{Kinds: map[string]*mirror.KindReport{"members": {Extra: 2, Refused: 2}}},
			[]string{"2 of the members never had a membership"},
		},
	} {
		err := test.what.verdict(test.report)
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, part := range test.want {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%s: want %q in: %v", name, part, err)
			}
		}
		if name == "members of nobody" && err != nil && strings.Contains(err.Error(), "mass") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

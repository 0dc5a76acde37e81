package gqltest

import "testing"

func TestAudited(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]int{
		`{"data":{"createDocument":{"document":null},"deleteDocument":null},"errors":[{"path":["deleteDocument"],"extensions":{"code":"FORBIDDEN"}}]}`:   {1, 1},
		`{"data":{"a":{},"b":null},"errors":[{"path":["b"],"extensions":{"code":"NOT_FOUND"}}]}`:                                                         {2, 2},
		`{"data":{"a":{}},"errors":[{"path":["a","document","author"],"extensions":{"code":"INTERNAL"}}]}`:                                               {1, 1},
		`{"data":{"a":null},"errors":[{"path":["a"],"extensions":{"code":"UPSTREAM_UNAVAILABLE"}}]}`:                                                     {0, 1},
		`{"data":{"a":null},"errors":[{"path":["a"],"extensions":{"code":"BAD_USER_INPUT","fields":[{"path":"title","message":"must not be empty"}]}}]}`: {0, 0},
		`{"data":{"a":null},"errors":[{"path":["a"],"extensions":{"code":"BAD_USER_INPUT","fields":[{"path":"slug","message":"is not accepted"}]}}]}`:    {1, 1},
		`{"data":{"createOrganization":null},"errors":[{"path":["createOrganization"],"extensions":{"code":"CONFLICT"}}]}`:                               {0, 0},
		`{"data":{"inviteMembers":{"results":[{"code":"INVALID_EMAIL"},{"code":null}]}}}`:                                                                {1, 1},
		`{"data":{"inviteMembers":{"results":[{"code":"INVALID_EMAIL"}]}}}`:                                                                              {0, 1},
		`{"errors":[{"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`:                                                                                    {0, 0},
	} {
		if least, most := Read(t, 200, []byte(body)).Audited(); least != want[0] || most != want[1] {
			t.Errorf("%d to %d, want %v: %s", least, most, want, body)
		}
	}
}

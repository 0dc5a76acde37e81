package gqltest

import "slices"

// Audited is how many entries the mutations of an answered operation must have left in the audit log: one for each that
// reached the store or Clerk, none for what was denied or invalid. Where the answer does not tell, it is from least to most.
func (a Answer) Audited() (least, most int) {
	add := func(from, to int) { least, most = least+from, most+to }
	for mutation, payload := range a.Data {
		switch {
		case payload == nil:
		case allInvalid(mutation, payload):
			add(0, 1)
		default:
			add(1, 1)
		}
	}
	for _, e := range a.Errors {
		if len(e.Path) == 1 {
			add(e.audited())
		}
	}
	return least, most
}

// allInvalid is whether all invitations were called invalid, so that none needs to have been sent.
func allInvalid(mutation string, payload any) bool {
	if mutation != "inviteMembers" {
		return false
	}
	results, _ := payload.(map[string]any)["results"].([]any)
	return !slices.ContainsFunc(results, func(result any) bool {
		return result.(map[string]any)["code"] != "INVALID_EMAIL"
	})
}

func (e Error) audited() (least, most int) {
	switch e.Extensions["code"] {
	case "UPSTREAM_UNAVAILABLE", "UNAVAILABLE", "TIMEOUT", "INTERNAL":
		return 0, 1
	case "NOT_FOUND", "CONFLICT", "UNKNOWN_OUTCOME":
	case "BAD_USER_INPUT":
		if !e.fromClerk() {
			return 0, 0
		}
	default:
		return 0, 0
	}
	if e.Path[0] == "createOrganization" { // there is no log yet
		return 0, 0
	}
	return 1, 1
}

// fromClerk tells Clerk's refusal of a value from ours.
func (e Error) fromClerk() bool {
	fields, _ := e.Extensions["fields"].([]any)
	for _, field := range fields {
		if field.(map[string]any)["message"] == "is not accepted" {
			return true
		}
	}
	return false
}

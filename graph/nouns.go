package graph

import "github.com/tenantry/tenantry/models"

// nodeKinds are the types that implement Node. Each is described in its noun's file.
var nodeKinds = kindsOf(
	documentKind,
	invitationKind,
	memberKind,
	organizationKind,
)

func kindsOf(kinds ...nodeKind) map[models.Kind]nodeKind {
	byKind := make(map[models.Kind]nodeKind, len(kinds))
	for _, kind := range kinds {
		byKind[kind.kind] = kind
	}
	return byKind
}

package auth

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// The permissions of a token, read a second time. Written from what Clerk documents and what its JavaScript library does
// (@clerk/shared, jwtPayloadParser.ts), with other means than auth's own: big integers instead of walking over digits, sets
// instead of sorted lists.

// referenceOrganization is what a claim set says of the active organization; nil where it names none.
type referenceOrganization struct {
	id, slug, role string
	permissions    map[string]bool
	ambiguous      bool
}

// referenceDecode reads a claim set as JSON decodes it into maps.
func referenceDecode(claims map[string]any) *referenceOrganization {
	if claims["v"] == 2.0 {
		return referenceV2(claims)
	}
	id := stringAt(claims, "org_id")
	if id == "" {
		return nil
	}
	o := &referenceOrganization{id: id, slug: stringAt(claims, "org_slug"), role: stringAt(claims, "org_role"), permissions: map[string]bool{}}
	list, _ := claims["org_permissions"].([]any)
	for _, permission := range list {
		o.permissions[permission.(string)] = true
	}
	return o
}

func referenceV2(claims map[string]any) *referenceOrganization {
	organization, _ := claims["o"].(map[string]any)
	id := stringAt(organization, "id")
	if id == "" {
		return nil
	}
	o := &referenceOrganization{id: id, slug: stringAt(organization, "slg")}
	if role := stringAt(organization, "rol"); role != "" {
		o.role = "org:" + role
	}
	var all, ofOrganization []string // the features by position, "" for one that is not the organization's
	for entry := range strings.SplitSeq(stringAt(claims, "fea"), ",") {
		scope, feature, found := strings.Cut(strings.TrimSpace(entry), ":")
		if !found { // there JavaScript throws, and nothing of the token is granted
			all, ofOrganization = nil, nil
			break
		}
		if slices.Contains([]string{"o", "ou", "uo"}, scope) {
			all, ofOrganization = append(all, feature), append(ofOrganization, feature)
		} else {
			all = append(all, "")
		}
	}
	per, fpm := stringAt(organization, "per"), stringAt(organization, "fpm")
	byJavaScript, byDocumentation := referenceGrant(ofOrganization, per, fpm), referenceGrant(all, per, fpm)
	o.ambiguous = !maps.Equal(byJavaScript, byDocumentation)
	maps.DeleteFunc(byJavaScript, func(permission string, _ bool) bool { return !byDocumentation[permission] })
	o.permissions = byJavaScript
	return o
}

// referenceGrant gives each feature the permissions whose bits are set in the mask of its position.
func referenceGrant(features []string, per, fpm string) map[string]bool {
	granted := map[string]bool{}
	if per == "" || fpm == "" {
		return granted
	}
	permissions, masks := strings.Split(per, ","), strings.Split(fpm, ",")
	for i, feature := range features {
		if feature == "" || i >= len(masks) {
			continue
		}
		mask := referenceMask(strings.TrimSpace(masks[i]))
		for bit, permission := range permissions {
			// An empty name would be the permission "org:documents:", which Clerk has not.
			if permission = strings.TrimSpace(permission); permission != "" && mask.Bit(bit) == 1 {
				granted["org:"+feature+":"+permission] = true
			}
		}
	}
	return granted
}

// referenceMask is 0 for what is not written in digits alone.
func referenceMask(text string) *big.Int {
	digits := func(c rune) bool { return c >= '0' && c <= '9' }
	mask, ok := new(big.Int).SetString(text, 10)
	if !ok || strings.TrimFunc(text, digits) != "" || strings.ContainsAny(text, "_+-") {
		return new(big.Int)
	}
	return mask
}

func stringAt(object map[string]any, name string) string {
	text, _ := object[name].(string)
	return text
}

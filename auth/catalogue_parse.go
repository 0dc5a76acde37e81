package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The forms that Clerk's Backend API takes.
var (
	cataloguePermissionForm = regexp.MustCompile(`^org:[a-z0-9_]+:[a-z0-9_]+$`)
	catalogueRoleForm       = regexp.MustCompile(`^org:[a-z0-9_]+$`)
)

// allPermissions stands in a role for a list of every permission.
const allPermissions = "all"

// ParseCatalogue reads the text of a roles.yml. Its error names everything that is wrong, one to a line, each with the
// line of the file and what to do.
func ParseCatalogue(text []byte) (Catalogue, error) {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&document)
	if err == nil {
		err = decoder.Decode(&second)
	}
	p := &catalogueParser{}
	switch {
	case errors.Is(err, io.EOF) && len(document.Content) == 0:
		p.fault(nil, "there is nothing here: write permissions: and roles:")
	case errors.Is(err, io.EOF):
		p.read(document.Content[0])
	case err != nil:
		return Catalogue{}, notYAML(err)
	default:
		p.fault(&second, "a second document begins here: take the --- before it away")
	}
	if len(p.faults) > 0 {
		return Catalogue{}, errors.Join(p.faults...)
	}
	return p.catalogue, nil
}

var yamlError = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

func notYAML(err error) error {
	if parts := yamlError.FindStringSubmatch(err.Error()); parts != nil {
		return fmt.Errorf("line %s: this is not YAML: %s", parts[1], parts[2])
	}
	return fmt.Errorf("this is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
}

// catalogueParser collects what is wrong, so that one attempt is enough to mend it all.
type catalogueParser struct {
	catalogue Catalogue
	faults    []error
}

func (p *catalogueParser) fault(at *yaml.Node, format string, values ...any) {
	line := 1
	if at != nil {
		line = at.Line
	}
	p.faults = append(p.faults, fmt.Errorf("line %d: "+format, append([]any{line}, values...)...))
}

func (p *catalogueParser) read(file *yaml.Node) {
	if !p.isMapping(file, "the file") {
		return
	}
	// The permissions first, wherever they stand: roles name them.
	sections := p.entries(file, "the file", "permissions", "roles")
	for _, section := range sections {
		if section.name == "permissions" && !isNull(section.value) && p.isMapping(section.value, "permissions") {
			p.readPermissions(section.value)
		}
	}
	for _, section := range sections {
		if section.name == "roles" {
			p.readRoles(section)
			return
		}
	}
	p.fault(file, "roles: is missing: an organization without roles has no members")
}

// entry is one of a mapping.
type entry struct {
	name       string
	key, value *yaml.Node
}

func (p *catalogueParser) isMapping(node *yaml.Node, what string) bool {
	if node.Kind != yaml.MappingNode {
		p.fault(node, "%s must be names, each with a colon and what belongs to it", what)
		return false
	}
	return true
}

// entries are those of a mapping, each once. Where names are known, others are a fault.
func (p *catalogueParser) entries(mapping *yaml.Node, what string, known ...string) []entry {
	var read []entry
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name, isText := plainText(key)
		switch {
		case !isText:
			p.fault(key, "a name must be text here, and not %s", shown(key))
		case slices.ContainsFunc(read, func(other entry) bool { return other.name == name }):
			p.fault(key, "%s is here a second time: take one of them away", name)
		case len(known) > 0 && !slices.Contains(known, name):
			p.fault(key, "%s is not known in %s: it may have %s", name, what, strings.Join(known, ", "))
		default:
			read = append(read, entry{name, key, value})
		}
	}
	return read
}

// plainText is the text of a node that is nothing but text.
func plainText(node *yaml.Node) (string, bool) {
	if node.Kind != yaml.ScalarNode || node.Tag != "!!str" || node.Anchor != "" {
		return "", false
	}
	return strings.TrimSpace(node.Value), true
}

// shown is a node for a message about it.
func shown(node *yaml.Node) string {
	if node.Kind != yaml.ScalarNode {
		return "what stands here"
	}
	return node.Value
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func (p *catalogueParser) readPermissions(node *yaml.Node) {
	for _, e := range p.entries(node, "permissions") {
		switch {
		case !cataloguePermissionForm.MatchString(e.name):
			p.fault(e.key, "%s is not a permission: write org:feature:permission, in small letters, digits and _", e.name)
			continue
		case system(e.name):
			p.fault(e.key, "%s begins with org:sys_, which is for Clerk's own permissions: a role may hold them, but they are not made here", e.name)
			continue
		}
		if fields, ok := p.fields(e, "name", "description"); ok {
			p.catalogue.Permissions = append(p.catalogue.Permissions, CataloguePermission{
				Key: e.name, Name: fields.name, Description: fields.description,
			})
		}
	}
}

// fields are what a permission or a role has.
type fields struct {
	name, description string
	permissions       *entry // nil where nothing is given
}

// fields reads them. ok is false where they are no mapping.
func (p *catalogueParser) fields(of entry, known ...string) (f fields, ok bool) {
	named := false
	if !isNull(of.value) {
		if !p.isMapping(of.value, of.name) {
			return f, false
		}
		for _, e := range p.entries(of.value, of.name, known...) {
			if e.name == "permissions" {
				if !isNull(e.value) {
					f.permissions = &e
				}
				continue
			}
			text, isText := plainText(e.value)
			if !isText {
				p.fault(e.key, "%s of %s must be text: put it in quotes", e.name, of.name)
			}
			if e.name == "name" {
				f.name, named = text, !isText || text != ""
			} else {
				f.description = text
			}
		}
	}
	if !named {
		p.fault(of.key, "%s has no name: write name: and what people are to read", of.name)
	}
	return f, true
}

func (p *catalogueParser) readRoles(section entry) {
	if isNull(section.value) {
		p.fault(section.key, "roles: is empty: an organization without roles has no members")
		return
	}
	if !p.isMapping(section.value, "roles") {
		return
	}
	before := len(p.faults)
	for _, e := range p.entries(section.value, "roles") {
		if !catalogueRoleForm.MatchString(e.name) {
			p.fault(e.key, "%s is not a role: write org:role, in small letters, digits and _", e.name)
			continue
		}
		p.catalogue.Roles = append(p.catalogue.Roles, p.readRole(e))
	}
	// Said only where nothing else is wrong, which may be why.
	if len(p.faults) == before && !slices.ContainsFunc(p.catalogue.Roles, CatalogueRole.fitsCreator) {
		p.fault(section.key, "no role holds %s, which Clerk wants of whoever makes an organization: give them to one", strings.Join(creatorPermissions, ", "))
	}
}

func (r CatalogueRole) fitsCreator() bool {
	return !slices.ContainsFunc(creatorPermissions, func(key string) bool { return !slices.Contains(r.Permissions, key) })
}

func (p *catalogueParser) readRole(of entry) CatalogueRole {
	f, ok := p.fields(of, "name", "description", "permissions")
	r := CatalogueRole{Key: of.name, Name: f.name, Description: f.description}
	if !ok {
		return r
	}
	held := f.permissions
	if held == nil {
		p.fault(of.key, "%s does not say what it holds: write permissions: with a list, [] for none, or all", of.name)
		return r
	}
	if text, isText := plainText(held.value); isText && text == allPermissions {
		r.All, r.Permissions = true, p.catalogue.permissionKeys()
		return r
	}
	if held.value.Kind != yaml.SequenceNode {
		p.fault(held.key, "permissions of %s must be a list of permissions, [] for none, or all", of.name)
		return r
	}
	named := map[string]bool{}
	for _, node := range held.value.Content {
		p.readHeld(of.name, node, named)
	}
	r.Permissions = slices.DeleteFunc(p.catalogue.permissionKeys(), func(key string) bool { return !named[key] })
	return r
}

// readHeld notes one permission of a role.
func (p *catalogueParser) readHeld(role string, node *yaml.Node, named map[string]bool) {
	key, isText := plainText(node)
	switch {
	case !isText || !cataloguePermissionForm.MatchString(key):
		p.fault(node, "%s holds %s, which is not a permission: write org:feature:permission, in small letters, digits and _", role, shown(node))
	case named[key]:
		p.fault(node, "%s holds %s twice: take one of them away", role, key)
	case p.catalogue.HasPermission(key):
		named[key] = true
	case system(key):
		p.fault(node, "%s holds %s, which is none of Clerk's own permissions%s: those are %s", role, key,
			p.didYouMean(key), strings.Join(systemPermissions, ", "))
	default:
		p.fault(node, "%s holds %s, which is not declared%s: add it under permissions:", role, key, p.didYouMean(key))
	}
}

func (p *catalogueParser) didYouMean(key string) string {
	if near := p.catalogue.NearestPermission(key); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}

package graph

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// maxSearch is how many characters of a name or an address are compared.
const maxSearch = 100

var memberKind = nodeKind{kind: models.KindMember, typeName: "Member", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
	members, err := r.org(ctx).MembersByID(ctx, uuids(models.KindMember, ids))
	return byID[models.Member](members), err
}}

type (
	memberResolver           struct{ *Resolver }
	memberConnectionResolver struct{ *Resolver }
)

// Member answers the fields of Member.
func (r *Resolver) Member() MemberResolver { return memberResolver{r} }

func (r memberResolver) ViewerCan(context.Context, *models.Member) (*MemberViewerCan, error) {
	return &MemberViewerCan{}, nil // @can answers its fields
}

// MemberConnection answers the fields of MemberConnection.
func (r *Resolver) MemberConnection() MemberConnectionResolver { return memberConnectionResolver{r} }

func (r organizationResolver) Members(
	ctx context.Context, _ *models.Organization, first *int32, after *string, last *int32, before *string,
	search, role *string, orderBy *MemberOrder, includeFormer bool,
) (*MemberConnection, error) {
	filter, err := memberFilter(search, role, orderBy, includeFormer)
	if err != nil {
		return nil, err
	}
	list := memberList(ctx, filter)
	page, err := list.page(first, after, last, before)
	if err != nil {
		return nil, err
	}
	slice, err := r.org(ctx).Members(ctx, filter, page)
	if err != nil {
		return nil, err
	}
	connection := &MemberConnection{
		Edges:    make([]*MemberEdge, len(slice.Items)),
		Nodes:    make([]*models.Member, len(slice.Items)),
		PageInfo: pageInfo(list, slice),
		Count:    newCounter(func() (int64, error) { return r.org(ctx).CountMembers(ctx, filter) }),
	}
	for i := range slice.Items {
		member := &slice.Items[i]
		connection.Nodes[i] = &member.Member
		connection.Edges[i] = &MemberEdge{Cursor: list.cursor(member.Position()), Node: &member.Member}
	}
	return connection, nil
}

// memberFilter turns the arguments of Organization.members into a filter, or an InvalidError that names each bad one.
func memberFilter(search, role *string, orderBy *MemberOrder, includeFormer bool) (store.MemberFilter, error) {
	filter := store.MemberFilter{Former: includeFormer}
	var bad []models.FieldError
	refuse := func(path, message string) { bad = append(bad, models.FieldError{Path: path, Message: message}) }
	if search != nil {
		filter.Search = strings.TrimSpace(*search)
		if length := utf8.RuneCountInString(filter.Search); length < 1 || length > maxSearch || !utf8.ValidString(filter.Search) || strings.ContainsRune(filter.Search, 0) {
			refuse("search", "must have 1 to 100 characters")
		}
		if orderBy != nil {
			refuse("orderBy", "must not be given together with search")
		}
	}
	if role != nil {
		if filter.Role = *role; !roleForm.MatchString(filter.Role) {
			refuse("role", "must be the key of a role: org:role")
		}
	}
	if orderBy != nil {
		filter.ByName = *orderBy == MemberOrderName || *orderBy == MemberOrderNameDesc
		filter.Descending = *orderBy == MemberOrderJoinedAtDesc || *orderBy == MemberOrderNameDesc
	}
	if bad != nil {
		return store.MemberFilter{}, &models.InvalidError{Fields: bad}
	}
	return filter, nil
}

func memberList(ctx context.Context, filter store.MemberFilter) list {
	l := list{organizationID: organizationID(ctx), name: "members", keyed: filter.Search != "" || filter.ByName}
	if filter != (store.MemberFilter{}) {
		l.name = fmt.Sprintf("members %+q", []string{filter.Search, filter.Role, fmt.Sprint(filter.Former, filter.ByName, filter.Descending)})
	}
	return l
}

func (r memberConnectionResolver) TotalCount(_ context.Context, connection *MemberConnection) (*int32, error) {
	return connection.Count.total()
}

func (r memberConnectionResolver) TotalCountIsCapped(_ context.Context, connection *MemberConnection) (*bool, error) {
	return connection.Count.isCapped()
}

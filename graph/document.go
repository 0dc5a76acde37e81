package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

type (
	documentResolver           struct{ *Resolver }
	documentConnectionResolver struct{ *Resolver }
)

var documentKind = nodeKind{kind: models.KindDocument, typeName: "Document", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
	documents, err := r.org(ctx).DocumentsByID(ctx, uuids(models.KindDocument, ids))
	for i := range documents {
		expectAuthors(ctx, &documents[i])
	}
	return byID[models.Document](documents), err
}}

// Document answers the fields of Document.
func (r *Resolver) Document() DocumentResolver { return documentResolver{r} }

// DocumentConnection answers the fields of DocumentConnection.
func (r *Resolver) DocumentConnection() DocumentConnectionResolver {
	return documentConnectionResolver{r}
}

func documentList(ctx context.Context) list {
	return list{organizationID: organizationID(ctx), name: "documents"}
}

func (r queryResolver) Document(ctx context.Context, id string) (*models.Document, error) {
	key, err := models.ParseUUID(models.KindDocument, id)
	if err != nil {
		key = uuid.Nil // the same query as for any other id
	}
	return missingIsNull(r.org(ctx).Document(ctx, key))
}

func (r organizationResolver) Documents(ctx context.Context, _ *models.Organization, first *int32, after *string, last *int32, before *string) (*DocumentConnection, error) {
	list := documentList(ctx)
	page, err := list.page(first, after, last, before)
	if err != nil {
		return nil, err
	}
	slice, err := r.org(ctx).Documents(ctx, page)
	if err != nil {
		return nil, err
	}
	connection := &DocumentConnection{
		Edges:    make([]*DocumentEdge, len(slice.Items)),
		Nodes:    make([]*models.Document, len(slice.Items)),
		PageInfo: pageInfo(list, slice),
		Count:    newCounter(func() (int64, error) { return r.org(ctx).CountDocuments(ctx) }),
	}
	for i := range slice.Items {
		connection.Nodes[i] = &slice.Items[i]
		connection.Edges[i] = documentEdge(ctx, &slice.Items[i])
	}
	expectAuthors(ctx, connection.Nodes...)
	return connection, nil
}

func documentEdge(ctx context.Context, document *models.Document) *DocumentEdge {
	return &DocumentEdge{Cursor: documentList(ctx).cursor(document.Position()), Node: document}
}

// expectAuthors has the authors of documents read together, if anybody asks for one.
func expectAuthors(ctx context.Context, documents ...*models.Document) {
	for _, document := range documents {
		expectMember(ctx, document.OrganizationID, document.AuthorID)
	}
}

func (r documentConnectionResolver) TotalCount(_ context.Context, connection *DocumentConnection) (*int32, error) {
	return connection.Count.total()
}

func (r documentConnectionResolver) TotalCountIsCapped(_ context.Context, connection *DocumentConnection) (*bool, error) {
	return connection.Count.isCapped()
}

func (r documentResolver) Author(ctx context.Context, document *models.Document) (*models.Member, error) {
	return loadMember(ctx, document.OrganizationID, document.AuthorID)
}

func (r documentResolver) ViewerCan(context.Context, *models.Document) (*DocumentViewerCan, error) {
	return &DocumentViewerCan{}, nil // @can answers its fields
}

func (r mutationResolver) CreateDocument(ctx context.Context, input CreateDocumentInput) (*CreateDocumentPayload, error) {
	document, err := r.org(ctx).CreateDocument(ctx, actor(ctx),
		store.DocumentInput{Title: &input.Title, Content: &input.Content})
	if err != nil {
		return nil, err
	}
	return &CreateDocumentPayload{Document: document, DocumentEdge: documentEdge(ctx, document)}, nil
}

func (r mutationResolver) UpdateDocument(ctx context.Context, input UpdateDocumentInput) (*UpdateDocumentPayload, error) {
	id, err := models.ParseUUID(models.KindDocument, input.ID)
	if err != nil {
		return nil, err
	}
	document, err := r.org(ctx).UpdateDocument(ctx, actor(ctx), id, int(input.ExpectedVersion),
		store.DocumentInput{Title: input.Title, Content: input.Content})
	if err != nil {
		return nil, err
	}
	return &UpdateDocumentPayload{Document: document}, nil
}

func (r mutationResolver) DeleteDocument(ctx context.Context, input DeleteDocumentInput) (*DeleteDocumentPayload, error) {
	id, err := models.ParseUUID(models.KindDocument, input.ID)
	if err != nil {
		return nil, err
	}
	if err := r.org(ctx).DeleteDocument(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	return &DeleteDocumentPayload{DeletedDocumentID: &input.ID}, nil
}

package store

import (
	"context"
	"reflect"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tenantry/tenantry/models"
)

// Newest first.
var documentOrder = order{columns: []string{"created_at", "id"}, of: timeAndID, descending: true}

// DocumentInput is what a client says of a document. A nil field is left as it is.
type DocumentInput struct {
	Title   *string
	Content *string
}

func (in DocumentInput) apply(document *models.Document) {
	if in.Title != nil {
		document.Title = *in.Title
	}
	if in.Content != nil {
		document.Content = *in.Content
	}
}

// Document returns one document, or ErrNotFound.
func (o Org) Document(ctx context.Context, id uuid.UUID) (*models.Document, error) {
	var document models.Document
	err := o.read(ctx, func(tx scoped) (err error) {
		document, err = owned[models.Document](tx).Where("id = ?", id).Take(tx.ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &document, nil
}

// DocumentsByID returns those of the documents that the organization has, in no order.
func (o Org) DocumentsByID(ctx context.Context, ids []uuid.UUID) (documents []models.Document, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		documents, err = owned[models.Document](tx).Where("id IN ?", ids).Find(tx.ctx)
		return err
	})
	return documents, err
}

// Documents returns a page of the organization's documents, the newest first.
func (o Org) Documents(ctx context.Context, want models.Page) (slice models.Slice[models.Document], err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		slice, err = page(tx, owned[models.Document](tx), documentOrder, want)
		return err
	})
	return slice, err
}

// CountDocuments returns how many documents the organization has, models.MaxCount + 1 for more than models.MaxCount.
func (o Org) CountDocuments(ctx context.Context) (count int64, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		count, err = countRows(tx, rowsOf(owned[models.Document](tx), documentOrder))
		return err
	})
	return count, err
}

// CreateDocument stores a new document written by the author, or by no user where the author is empty. It returns an InvalidError for what cannot be stored.
func (o Org) CreateDocument(ctx context.Context, author models.Actor, in DocumentInput) (*models.Document, error) {
	now := o.store.now()
	document := models.Document{
		OrganizationID: o.id, ID: o.store.config.NewID(), AuthorID: author.UserID, ImpersonatorID: author.ImpersonatorID,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	in.apply(&document)
	if err := document.Validate(); err != nil {
		return nil, err
	}
	err := o.write(ctx, documentEntry(author, "document.create", document.ID), func(tx scoped) ([]models.AuditChange, error) {
		return models.Created(&document), gorm.G[models.Document](tx.db).Create(tx.ctx, &document)
	})
	if err != nil {
		return nil, err
	}
	return &document, nil
}

func documentEntry(by models.Actor, action string, id uuid.UUID) AuditEntry {
	return AuditEntry{Actor: by, Action: action, TargetType: "Document", TargetID: models.GlobalID(models.KindDocument, id)}
}

// UpdateDocument changes a document that still has expectedVersion. It returns a ConflictError with
// the version it has if that is another one, ErrNotFound, or an InvalidError; in each case nothing
// was changed. An update that changes nothing keeps the version.
func (o Org) UpdateDocument(ctx context.Context, by models.Actor, id uuid.UUID, expectedVersion int, in DocumentInput) (*models.Document, error) {
	var document models.Document
	err := o.write(ctx, documentEntry(by, "document.update", id), func(tx scoped) ([]models.AuditChange, error) {
		forUpdate := clause.Locking{Strength: clause.LockingStrengthUpdate}
		before, err := owned[models.Document](tx, forUpdate).Where("id = ?", id).Take(tx.ctx)
		if err != nil {
			return nil, err
		}
		if before.Version != expectedVersion {
			return nil, &models.ConflictError{CurrentVersion: before.Version}
		}
		document = before
		in.apply(&document)
		if err := document.Validate(); err != nil {
			return nil, err
		}
		if reflect.DeepEqual(before, document) {
			return nil, nil
		}
		document.Version++
		document.UpdatedAt = o.store.now()
		_, err = owned[models.Document](tx).Where("id = ?", id).
			Select("title", "content", "version", "updated_at").Updates(tx.ctx, document)
		return models.Changed(&before, &document), err
	})
	if err != nil {
		return nil, err
	}
	return &document, nil
}

// DeleteDocument deletes a document, or returns ErrNotFound.
func (o Org) DeleteDocument(ctx context.Context, by models.Actor, id uuid.UUID) error {
	return o.write(ctx, documentEntry(by, "document.delete", id), func(tx scoped) ([]models.AuditChange, error) {
		document, err := remove[models.Document](tx, "id = ?", id)
		return models.Deleted(&document), err
	})
}

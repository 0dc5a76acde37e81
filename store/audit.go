package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// AuditEntry is what a mutation says of itself for the audit log of its organization.
type AuditEntry struct {
	Actor models.Actor
	// Action is a noun, a dot and a verb: document.create.
	Action string
	// TargetType is the GraphQL type of what is changed, TargetID its id for clients.
	TargetType string
	TargetID   string
	// Outcome and Changes are filled in by Org.write; the write-through gives them itself, and Items of a bulk mutation.
	Outcome models.AuditOutcome
	Changes []models.AuditChange
	Items   []models.AuditItem
}

// Newest first.
var auditOrder = order{columns: []string{"at", "id"}, of: timeAndID, descending: true}

// AuditLog returns a page of what was done in the organization, the newest first.
func (o Org) AuditLog(ctx context.Context, filter models.AuditFilter, want models.Page) (slice models.Slice[models.AuditEntry], err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		slice, err = page(tx, audited(tx, filter), auditOrder, want)
		return err
	})
	return slice, err
}

// CountAuditEntries returns how many entries of the audit log the filter lets pass, models.MaxCount + 1 for more than
// models.MaxCount.
func (o Org) CountAuditEntries(ctx context.Context, filter models.AuditFilter) (count int64, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		count, err = countRows(tx, rowsOf(audited(tx, filter), auditOrder))
		return err
	})
	return count, err
}

func audited(tx scoped, filter models.AuditFilter) gorm.ChainInterface[models.AuditEntry] {
	chain := owned[models.AuditEntry](tx)
	if filter.Action != nil {
		chain = chain.Where("action = ?", *filter.Action)
	}
	if filter.ActorID != nil {
		chain = chain.Where("actor_id = ?", *filter.ActorID)
	}
	if filter.TargetID != nil {
		chain = chain.Where("target_id = ?", *filter.TargetID)
	}
	if filter.Since != nil {
		chain = chain.Where("at >= ?", *filter.Since)
	}
	if filter.Until != nil {
		chain = chain.Where("at < ?", *filter.Until)
	}
	return chain
}

// write runs fn in one transaction of the organization, and records the mutation in it: applied, with the changes that
// fn returns. What fn refuses with ErrNotFound or a ConflictError is undone and recorded by itself. After any other
// error nothing was done, or input was invalid, and nothing is recorded.
func (o Org) write(ctx context.Context, entry AuditEntry, fn func(tx scoped) ([]models.AuditChange, error)) error {
	err := o.through(ctx, o.way().transaction, func(tx scoped) (err error) {
		if entry.Changes, err = fn(tx); err != nil {
			return err
		}
		entry.Outcome = models.OutcomeApplied
		return o.record(tx, entry)
	})
	if !isRefusal(err) {
		return err
	}
	if unrecorded := o.RecordRefused(ctx, entry); unrecorded != nil {
		return unrecorded
	}
	return err
}

// RecordRefused records a mutation that changed nothing, because of what the organization has or has not.
func (o Org) RecordRefused(ctx context.Context, entry AuditEntry) error {
	entry.Outcome, entry.Changes = models.OutcomeRefused, nil
	err := o.through(ctx, o.way().one, func(tx scoped) error { return o.record(tx, entry) })
	if err != nil {
		return fmt.Errorf("recording a refused %s: %w", entry.Action, err)
	}
	return nil
}

func isRefusal(err error) bool {
	var conflict *models.ConflictError
	return errors.Is(err, models.ErrNotFound) || errors.As(err, &conflict)
}

func (o Org) record(tx scoped, entry AuditEntry) error {
	row := o.store.auditRow(o.id, entry)
	return gorm.G[models.AuditEntry](tx.db).Create(tx.ctx, &row)
}

func (s *Store) auditRow(organizationID string, entry AuditEntry) models.AuditEntry {
	row := models.AuditEntry{
		OrganizationID: organizationID, At: s.now(), ID: s.config.NewID(), Action: entry.Action, Outcome: entry.Outcome,
		ImpersonatorID: entry.Actor.ImpersonatorID, ImpersonatorType: entry.Actor.ImpersonatorType,
		TargetType: entry.TargetType, TargetID: entry.TargetID,
		Changes: make([]models.AuditChange, len(entry.Changes)), Items: append([]models.AuditItem{}, entry.Items...),
	}
	for i, change := range entry.Changes {
		row.Changes[i] = change.Bounded()
	}
	if entry.Actor.UserID != "" {
		row.ActorID = &entry.Actor.UserID
	}
	if entry.Actor.RequestID != "" {
		row.RequestID = &entry.Actor.RequestID
	}
	return row
}

// WriteAudit records in the audit log of an organization what was done to it in Clerk, in the transaction that brings it
// to the copy. Returns models.ErrNoOrganization where organizationID is no organization's id.
func (tx *MirrorTx) WriteAudit(organizationID string, entry AuditEntry) error {
	row := tx.store.auditRow(organizationID, entry)
	changes, err := json.Marshal(row.Changes)
	if err != nil {
		return err
	}
	items, err := json.Marshal(row.Items)
	if err != nil {
		return err
	}
	return tx.put(organizationID, `INSERT INTO public.audit_entries (organization_id, at, id, action, outcome, actor_id,
			impersonator_id, impersonator_type, target_type, target_id, changes, items, request_id)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?::jsonb, ? FROM inside`,
		row.OrganizationID, row.At, row.ID, row.Action, row.Outcome, row.ActorID, row.ImpersonatorID, row.ImpersonatorType,
		row.TargetType, row.TargetID, string(changes), string(items), row.RequestID)
}

package store

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

type statementsKey struct{}

// WithStatementCount returns a context whose statements are counted, and the function that returns how many were sent.
// Everything that is a statement to PostgreSQL counts: BEGIN, COMMIT and the setting of the organization, too.
func WithStatementCount(ctx context.Context) (context.Context, func() int) {
	var count atomic.Int64
	return context.WithValue(ctx, statementsKey{}, &count), func() int { return int(count.Load()) }
}

// statementCounter sees each statement that pgx sends, gorm's, too.
type statementCounter struct{}

func (statementCounter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if count, ok := ctx.Value(statementsKey{}).(*atomic.Int64); ok {
		count.Add(1)
	}
	return ctx
}

func (statementCounter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

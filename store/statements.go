package store

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

type statementsKey struct{}

// WithStatements returns a context whose statements heard is told of before each is sent, with its arguments. Everything
// that is a statement to PostgreSQL counts: BEGIN, COMMIT and the setting of the organization, too. heard may be called from
// several goroutines at once.
func WithStatements(ctx context.Context, heard func(sql string, arguments []any)) context.Context {
	if outer, ok := ctx.Value(statementsKey{}).(func(string, []any)); ok {
		inner := heard
		heard = func(sql string, arguments []any) {
			outer(sql, arguments)
			inner(sql, arguments)
		}
	}
	return context.WithValue(ctx, statementsKey{}, heard)
}

// WithStatementCount returns a context whose statements are counted, and the function that returns how many were sent.
func WithStatementCount(ctx context.Context) (context.Context, func() int) {
	var count atomic.Int64
	return WithStatements(ctx, func(string, []any) { count.Add(1) }), func() int { return int(count.Load()) }
}

// statementTracer sees each statement that pgx sends, gorm's, too.
type statementTracer struct{}

func (statementTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if heard, ok := ctx.Value(statementsKey{}).(func(string, []any)); ok {
		heard(data.SQL, data.Args)
	}
	return ctx
}

func (statementTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

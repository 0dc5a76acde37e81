package lint

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/store"
)

// query is a statement that was sent.
type query struct {
	sql       string
	arguments []any
}

var ordered = regexp.MustCompile(`(?is)^\s*(SELECT|WITH)\b.*\bORDER BY\b.*\bLIMIT\b`)

var (
	sorting = regexp.MustCompile(`(?m)^[ >-]*Sort$`)
	table   = regexp.MustCompile(`(Seq|Index|Index Only|Bitmap Heap) Scan (Backward )?(using \S+ )?on `)
)

// listen puts into heard what is sent under the context and reads rows in an order.
func listen(ctx context.Context, heard *[]query) context.Context {
	var mu sync.Mutex
	return store.WithStatements(ctx, func(sql string, arguments []any) {
		if !ordered.MatchString(sql) {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		*heard = append(*heard, query{sql, arguments})
	})
}

// sorts returns the statement where PostgreSQL can only read it by sorting, else "". With sorting made as costly as can be,
// it sorts where no index has the order, whatever the table's size.
func (q query) sorts(ctx context.Context, conn *pgx.Conn) (string, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, `SET LOCAL search_path = public; SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
		SELECT set_config('role', request_role, true), set_config('tenantry.organization', '`+ours+`', true) FROM tenantry.instance`); err != nil {
		return "", err
	}
	rows, err := tx.Query(ctx, "EXPLAIN (COSTS OFF) "+q.sql, q.arguments...)
	if err != nil {
		return "", err
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", err
	}
	// What a function returns has no index.
	read := strings.Join(plan, "\n")
	if sorting.MatchString(read) && table.MatchString(read) {
		return strings.Join(strings.Fields(q.sql), " "), nil
	}
	return "", nil
}

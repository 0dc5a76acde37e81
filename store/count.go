package store

import (
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tenantry/tenantry/models"
)

// rowsOf is a row for each of a chain's, for countRows. It reads no more of the list than is
// counted, in the list's order, so that it is one range of the list's index.
func rowsOf[T any](chain gorm.ChainInterface[T], by order) clause.Expression {
	return chain.Select("1").Order(by.by(false)).Limit(models.MaxCount + 1)
}

// countRows returns how many rows the parts of a list have together, and models.MaxCount + 1 for
// more than models.MaxCount.
func countRows(tx scoped, parts ...clause.Expression) (count int64, err error) {
	values := make([]any, len(parts))
	for i, part := range parts {
		values[i] = part
	}
	query := "SELECT count(*) FROM ((?)" + strings.Repeat(" UNION ALL (?)", len(parts)-1) + ") AS counted"
	err = tx.db.WithContext(tx.ctx).Raw(query, values...).Scan(&count).Error
	return min(count, models.MaxCount+1), err
}

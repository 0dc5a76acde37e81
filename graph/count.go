package graph

import (
	"sync"

	"github.com/tenantry/tenantry/models"
)

// Counter counts a list when one of the fields that need the count is asked for, and once for all of them.
type Counter func() (int64, error)

func newCounter(count func() (int64, error)) Counter { return sync.OnceValues(count) }

// total is totalCount.
func (c Counter) total() (*int32, error) {
	count, err := c()
	if err != nil {
		return nil, err
	}
	shown := int32(min(count, models.MaxCount))
	return &shown, nil
}

// isCapped is totalCountIsCapped.
func (c Counter) isCapped() (*bool, error) {
	count, err := c()
	if err != nil {
		return nil, err
	}
	capped := count > models.MaxCount
	return &capped, nil
}

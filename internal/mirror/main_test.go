package mirror

import (
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/spectest"
)

func TestMain(m *testing.M) {
	end := spectest.Begin()
	dbtest.Main(m)
	end()
}

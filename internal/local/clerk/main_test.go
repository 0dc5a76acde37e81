package clerk

import (
	"testing"

	"github.com/tenantry/tenantry/internal/spectest"
)

func TestMain(m *testing.M) {
	end := spectest.Begin()
	m.Run() // the testing package exits with its result
	end()
}

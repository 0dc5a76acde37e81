package cli

import (
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

package main

import (
	"context"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/gqltest"
)

// mutate sends a mutation and holds it to what it leaves in the audit log: exactly one entry if it reached the store or
// Clerk, and none otherwise.
func (p *program) mutate(token, query string, variables variables) gqltest.Answer {
	p.t.Helper()
	answer, recorded := p.recorded(token, query, variables)
	if least, most := answer.Audited(); recorded < least || recorded > most {
		p.t.Errorf("%d entries in the audit log, want %d to %d: %s: %s", recorded, least, most, query, answer)
	}
	p.mutations.Add(1)
	return answer
}

// askInVain is ask for a mutation of which nothing reaches the store or Clerk, though its answer does not show that.
func (p *program) askInVain(token, query string, variables variables) gqltest.Answer {
	p.t.Helper()
	answer, recorded := p.recorded(token, query, variables)
	if recorded != 0 {
		p.t.Errorf("%d entries in the audit log, want none: %s: %s", recorded, query, answer)
	}
	return answer
}

func (p *program) recorded(token, query string, variables variables) (answer gqltest.Answer, recorded int) {
	p.t.Helper()
	requestID := "audited-" + uuid.NewString()
	answer = p.sendAs(requestID, token, "application/json", p.body(query, variables))
	return answer, p.entries(requestID)
}

// entries is how many entries of all audit logs a request has left.
func (p *program) entries(requestID string) (count int) {
	p.t.Helper()
	address := p.database
	if address == "" {
		running, err := cli.ReadRunning(filepath.Join(p.dir, ".tenantry"))
		if err != nil {
			p.t.Fatal(err)
		}
		address = running.Database
	}
	owner, err := pgx.Connect(p.t.Context(), address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer owner.Close(context.Background())
	if err := owner.QueryRow(p.t.Context(), "SELECT count(*) FROM audit_entries WHERE request_id = $1", requestID).Scan(&count); err != nil {
		p.t.Fatal(err)
	}
	return count
}

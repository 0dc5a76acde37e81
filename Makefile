# What one does here, by name. `make` lists it.

BIN := $(CURDIR)/.cache/bin

.PHONY: help run test generate lint check prove prove-isolation prove-service prove-types bench

help: ## List these targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST)

run: ## Start the server; with nothing set, all is local.
	go run .

test: ## Run every test; a private PostgreSQL is started for them.
	go test ./...

generate: ## Write the generated code anew from schema.graphqls.
	go generate ./...

lint: $(BIN)/golangci-lint ## Format the code and say what the linters find.
	$(BIN)/golangci-lint fmt
	$(BIN)/golangci-lint run ./...
	cd tools && $(BIN)/golangci-lint run --config ../.golangci.yml ./...

check: ## Everything that must hold before a change is taken, some twenty minutes.
	.ci/run

# The same tests as in `go test`, on many more cases: the figures in docs/mirror.md come from here. PROVE=0.1 does a tenth.
# The whole takes some 20 minutes of one core, as a tenth of the models took two; add what runs on PostgreSQL.
PROVE ?= 1
PROOFS := Order|Nobody|Shortcuts|TokenAgainst|Lost|Exodus|Postgres|Concurrent|Killed|Backfill|Malformed|Endpoint|Revocation|StoryUnder

prove: prove-isolation ## The long proofs, of the mirror and of isolation, with their figures.
	TENANTRY_PROVE=$(PROVE) GOGC=400 go test -count=1 -p 1 -timeout 180m -v -run '$(PROOFS)' ./internal/mirror .

# Some ten minutes of two cores.
ATTACK := TENANTRY_PROVE=$(PROVE) GOGC=400 go test -count=1 -timeout 60m -v -run

prove-isolation: ## The attack on isolation, the twin worlds and the belts taken off: figures for docs/isolation.md.
	$(ATTACK) 'TestIsolation$$|TestTwinWorld$$' ./graph
	TENANTRY_TEST_SCOPE=transaction $(ATTACK) 'TestIsolation$$' ./graph
	TENANTRY_TEST_SCOPE=pgbouncer $(ATTACK) 'TestIsolation$$' ./graph
	$(ATTACK) KnockOut -tags knockout ./graph

# CI runs this as it is. TYPES=each adds one type at a time as well, and runs every test with all of them, half an hour.
TYPES ?= together

# Some five minutes of two cores, which should have nothing else to do: it measures times.
prove-service: ## Attacks on the built program that would stop, empty or outlive it, with their figures.
	TENANTRY_PROVE=$(PROVE) go test -count=1 -timeout 30m -v -run 'ServiceUnderAttack|GarbageToken|HeldBodies|RemovedMember' .

prove-types: ## Types added by command and by hand in scratch copies, with their tests, and each step left out, some minutes.
	TENANTRY_PROVE_TYPES=$(TYPES) go test -count=1 -timeout 90m -v -run 'ByHand|Rename|Readme' ./internal/newtype

bench: ## The benchmarks, with allocations.
	go test -run '^$$' -bench . -benchmem ./...

# All of tools/go.mod at once; the first build takes some minutes.
$(BIN)/golangci-lint: tools/go.mod tools/go.sum
	GOBIN=$(BIN) go -C tools install tool
	@touch $@

# Every target is one command that can be typed by hand as well.
GO    ?= go
TOOL   = $(GO) tool -modfile=tools/go.mod
FUZZTIME ?= 10s
BENCHTIME ?= 1s

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: build
build: ## the binary, ./meshnode
	CGO_ENABLED=0 $(GO) build -trimpath -o meshnode ./cmd/meshnode

.PHONY: test
test: ## all tests
	$(GO) test ./...

.PHONY: race
race: ## all tests with the race detector
	$(GO) test -race ./...

.PHONY: vet
vet: ## gofmt and go vet
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...

.PHONY: lint
lint: ## staticcheck, as staticcheck.conf says
	$(TOOL) staticcheck ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

.PHONY: bench
bench: ## every benchmark for BENCHTIME (1s), with allocations
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

.PHONY: lab
lab: ## hosts in network namespaces; needs root and iproute2
	$(GO) test -count=1 -v ./testground/netns/

.PHONY: hosts
hosts: ## 1,000 real nodes in one process, in virtual time
	MESHNODE_HOSTS=1000 $(GO) test -count=1 -v -timeout 30m -run TestHosts ./testground/hosts

.PHONY: testground
testground: ## Testground's plan with 200 instances, without Docker
	testground/run.sh discovery --instances 200 --param from=0.2

.PHONY: generate
generate: ## pkg/mesh/pb from mesh.proto
	$(TOOL) buf lint
	$(TOOL) buf generate

.PHONY: ci
ci: ## what a change must pass
	.ci/run

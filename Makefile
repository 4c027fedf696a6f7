# Ogham's tasks. `make` lists them. `make demo` and `make test` need Go and nothing else.

GO         ?= go
BIN        := bin/ogham
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PACKAGES   ?= ./...
FUZZTIME   ?= 60s

# The race detector needs a C compiler.
CC_FOUND   := $(shell command -v $$($(GO) env CC) 2>/dev/null)
ifneq ($(CC_FOUND),)
RACE       := -race
TEST_ENV   := CGO_ENABLED=1
else
RACE       :=
TEST_ENV   := CGO_ENABLED=0
endif

# Real Kafka and Druid for `make integration`: the folder of setup.sh, kafka.sh, dump-segment.sh and the others.
OGHAM_DRUID_TOOLS ?= $(abspath ../shared/tools/druid)

# Every package with tests that need them.
INTEGRATION = $(sort $(dir $(shell grep -rl --include='*_test.go' '^//go:build integration' .)))

.DEFAULT_GOAL := help
.PHONY: help build demo test integration bench bench-peers bench-curves fuzz lint clean

help: ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

build: ## build bin/ogham, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/ogham

demo: build ## run the whole product in one process: Kafka, a click stream, a supervisor, segments
	@./$(BIN) demo

test: ## run all tests that need Go only; with the race detector where there is a C compiler
	@if [ -z "$(RACE)" ]; then echo "no C compiler: the tests run without the race detector"; fi
	$(TEST_ENV) $(GO) test $(RACE) -timeout 25m $(PACKAGES)

integration: ## run the tests against a real Kafka and a real Druid (needs Java 17; fetch both first with setup.sh)
	@if [ ! -x "$(OGHAM_DRUID_TOOLS)/kafka.sh" ]; then \
	  echo "make integration: there is no kafka.sh in $(OGHAM_DRUID_TOOLS); set OGHAM_DRUID_TOOLS to the folder of the Druid scripts" >&2; exit 1; fi
	OGHAM_DRUID_TOOLS="$(OGHAM_DRUID_TOOLS)" $(GO) test -tags integration -count=1 -timeout 35m -p 1 $(INTEGRATION)

bench: build ## measure this machine: a task beside a raw consumer, the log beside raw JetStream, a start over a million events, 1,000 supervisors at rest
	@./$(BIN) bench

bench-peers: build ## measure a task of a real Druid beside Ogham's, on the same topic of a real Kafka (needs Java 17 and Maven; ROWS=5000000 for more)
	@OGHAM_DRUID_TOOLS="$(OGHAM_DRUID_TOOLS)" ./e2e/bench-peers.sh $(ROWS)

bench-curves: build ## measure how cost grows: rows, values, columns, tasks, message sizes, formats (LARGE=1: up to 100 million rows)
	@./$(BIN) bench -only curves $(if $(LARGE),-large)

fuzz: ## run every fuzz test for FUZZTIME (60s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for name in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$name"; $(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; done; done

lint: ## check the format, vet, and golangci-lint where it is installed
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted as gofmt does:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags integration ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo "golangci-lint is not installed: only gofmt and go vet ran"; fi

clean: ## remove what was built, and the demo's data
	rm -rf bin ogham-demo

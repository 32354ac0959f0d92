# The commands of this project. `make demo` shows it, `make test` proves it, `make check` is the fast gate.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo build web check fmt test interop bench clean

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

help: ## lists these commands
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: ## a shop on air with one command; Ctrl-C ends it (PUSH=0: waits for your own OBS; DATA=dir HTTP=addr RTMP=addr)
	@exec scripts/demo.sh

build: ## bin/vitrine, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/vitrine ./cmd/vitrine

web: ## builds the pages into web/dist, which is committed
	cd web && npm ci --no-audit --no-fund && npm run build

check: ## the fast gate: format, lint, vet, short tests under the race detector, the pages' lint and unit tests
	@exec scripts/check.sh

fmt: ## formats the Go code as the gate wants it
	@scripts/tool.sh golangci-lint fmt ./...

test: ## installs what the tests need and runs every test
	@exec scripts/test.sh

interop: ## pushes with OBS Studio and GStreamer and looks at what viewers get (installs half a gigabyte; CLIENTS="gstreamer obs")
	@exec scripts/interop.sh

bench: ## the Go benchmarks (PKG=./hls/... to choose, BENCH=regexp)
	go test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem $(or $(PKG),./...)

clean: ## removes what the commands above made, but for data/
	rm -rf bin .cache web/node_modules web/test-results

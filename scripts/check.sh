#!/usr/bin/env bash
# The fast gate, under two minutes once warm: format, lint, vet, short tests under the race detector, then the pages'
# lint and unit tests. Everything here runs again in test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_go
need cc=gcc /usr/include/stdio.h=libc6-dev

say "Format"
changes=$(scripts/tool.sh golangci-lint fmt --diff ./...) || true
if [ -n "$changes" ]; then
  printf '%s\n' "$changes"
  fail "not formatted; run: make fmt"
fi

say "Lint"
scripts/tool.sh golangci-lint run ./...

say "Vet"
go vet ./...

need_node
[ -d web/node_modules ] && [ web/node_modules -nt web/package-lock.json ] || (cd web && npm ci --no-audit --no-fund --silent && touch node_modules)
# The pages are checked while Go's tests wait for their clocks.
pages_log=$(mktemp)
trap 'rm -f "$pages_log"' EXIT
(cd web && npm run --silent lint && npm test --silent) >"$pages_log" 2>&1 &
pages=$!

say "Short tests"
tests=0
go test -race -shuffle=on -short ./... | { grep -v '\[no test files\]' || true; } || tests=$?

say "Pages"
wait "$pages" && ok=0 || ok=$?
cat "$pages_log"
exit $((tests + ok > 0))

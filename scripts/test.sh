#!/usr/bin/env bash
# Installs what the tests need and runs every test of the project; the closing lines are the runners' own summaries and
# then their sum. Logs stay in .cache/test. Stops at nothing: one failure does not hide the next.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_go
need_node
need cc=gcc /usr/include/stdio.h=libc6-dev git=git curl=curl ffmpeg=ffmpeg ffprobe=ffmpeg chromium=chromium \
  /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc=fonts-noto-cjk
need_servers

logs=$PWD/.cache/test
rm -rf "$logs"
mkdir -p "$logs"
failed=()

# step NAME COMMAND...: runs it, keeps what it prints, and remembers a failure.
step() {
  local name=$1
  shift
  say "== $name"
  if ! "$@" 2>&1 | tee "$logs/$name.log"; then
    failed+=("$name")
  fi
}

gate() {
  local changes
  changes=$(scripts/tool.sh golangci-lint fmt --diff ./...) || true
  [ -z "$changes" ] || { printf '%s\n' "$changes" "not formatted; run: make fmt"; return 1; }
  scripts/tool.sh golangci-lint run ./... # govet is among them
}

# The committed pages must be what their sources build to.
pages_drift() {
  npm run --silent build >/dev/null && git -C .. diff --exit-code --stat -- web/dist &&
    [ -z "$(git -C .. ls-files --others --exclude-standard -- web/dist)" ]
}

go_tests() {
  local out=$1
  shift
  # The gate has vetted everything; what a debugger would read takes a third of the linking of some ninety test binaries.
  scripts/tool.sh gotestsum --format pkgname-and-test-fails --hide-summary=skipped --jsonfile "$out" -- \
    -race -shuffle=on -timeout 20m -vet=off -ldflags='-s -w' "$@"
}

# What looks on from a browser or measures time must not share two cores with the other packages' tests.
e2e=./internal/e2e
mapfile -t packages < <(go list ./... | grep -v '/internal/e2e$')

step gate gate
step go go_tests "$logs/go.json" "${packages[@]}"
pushd web >/dev/null
step pages-install npm ci --no-audit --no-fund --silent
step pages-lint npm run --silent lint
step pages-unit npm test --silent
step pages-drift pages_drift
if grep -q '"test:browser"' package.json; then
  step pages-browser npm run --silent test:browser
fi
popd >/dev/null
step e2e go_tests "$logs/e2e.json" -parallel 3 "$e2e" # those that wait for a show rather than measure it

say "== Summary"
passed=0 broken=0

plain() { sed -E 's/\x1b\[[0-9;]*m//g' "$1"; }
# tests ACTION FILE: how many tests of a go test -json log, parts of tests too, ended so.
tests() { { grep -c "\"Action\":\"$1\".*\"Test\":" "$2" 2>/dev/null || true; } | grep . || echo 0; }
# pages WORD FILE: the number before WORD on a page runner's line about tests.
pages() { plain "$2" | sed -nE "s/^ *(Tests )?.*[^0-9]([0-9]+) $1.*/\2/p; s/^([0-9]+) $1.*/\1/p" | tail -n 1 | grep . || echo 0; }

for name in go e2e; do
  plain "$logs/$name.log" | grep -E '^(DONE|=== (Failed|FAIL))' || true
  passed=$((passed + $(tests pass "$logs/$name.json"))) broken=$((broken + $(tests fail "$logs/$name.json")))
done
for name in pages-unit pages-browser; do
  [ -f "$logs/$name.log" ] || continue
  plain "$logs/$name.log" | grep -E '^ *(Test Files|Tests|[0-9]+ (passed|failed))' || true
  passed=$((passed + $(pages passed "$logs/$name.log"))) broken=$((broken + $(pages failed "$logs/$name.log")))
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed step: %s\n' "${failed[@]}"
  [ "$broken" -gt 0 ] || broken=${#failed[@]}
fi
echo "$passed passed, $broken failed"
[ ${#failed[@]} -eq 0 ]

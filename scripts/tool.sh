#!/usr/bin/env bash
# tool.sh NAME ARGS...: runs a development tool of an exact version, built once into .cache/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
shift
case $name in
  golangci-lint) package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint version=v2.15.0 ;;
  gotestsum) package=gotest.tools/gotestsum version=v1.13.0 ;;
  *)
    echo "tool.sh: no such tool: $name" >&2
    exit 2
    ;;
esac

dir=$PWD/.cache/bin/$name-$version
if [ ! -x "$dir/$name" ]; then
  echo "Building $name $version (once; a few minutes for golangci-lint)" >&2
  mkdir -p "$dir"
  GOBIN=$dir go install "$package@$version"
fi
exec "$dir/$name" "$@"

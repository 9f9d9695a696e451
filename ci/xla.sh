#!/usr/bin/env bash
# The XLA backend on the CPU: the whole conformance suite, forty steps of
# every method, and a training, with the pinned PJRT plugin from PyPI. Needs a C
# compiler and python3 with pip; says so and ends well where the plugin cannot be
# had.
set -euo pipefail
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"

plugin=xla-cpu-pjrt==0.0.1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bayesbench/$plugin
if ! command -v cc >/dev/null || ! command -v python3 >/dev/null; then
  echo "not run: the XLA backend needs cc and python3"
  exit 0
fi
if [ ! -d "$cache" ] && ! python3 -m pip install --quiet --no-deps --target "$cache.part" "$plugin"; then
  rm -rf "$cache.part"
  echo "not run: pip could not install $plugin"
  exit 0
fi
[ -d "$cache" ] || mv "$cache.part" "$cache"
PJRT_PLUGIN_LIBRARY_PATH=$(find "$cache" -name '*.so' -printf '%h:' | head -c -1)
export PJRT_PLUGIN_LIBRARY_PATH CGO_ENABLED=1

go vet -tags xla ./backends/gomlx
go test -tags xla -timeout 900s ./backends/gomlx
go test -tags xla -timeout 900s -run 'TestTrajectories/gomlx:xla:cpu' ./methods/methodtest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -tags xla -o "$work/benchrun" ./cmd/benchrun
"$work/benchrun" doctor gomlx:xla:cpu
"$work/benchrun" -out "$work" -seed 0 -backend gomlx:xla:cpu ci/testdata/gate.toml

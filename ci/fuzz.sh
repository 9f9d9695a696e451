#!/usr/bin/env bash
# Usage: ci/fuzz.sh [SECONDS [PATTERN]]
#
# Every fuzz target of the tree whose package/name matches the extended regular
# expression PATTERN (all) for SECONDS (10), two at a time with a worker each. A new target joins by itself.
# It prints the rows of the table in docs/reliability.md. An input that makes a
# target fail is shown, and lies below testdata/fuzz of its package, to be
# committed with what mends it.
set -euo pipefail
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"
export seconds=${1:-10} logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

one() { # package/name
  local pkg=./${1%/*} name=${1##*/} log=$logs/${1//\//-} state=ok
  fuzz() {
    # Minimising may take a minute an input, which here is the time of all.
    go test -run '^$' -fuzz "^$name\$" -fuzztime "${seconds}s" -fuzzminimizetime 5x -parallel 1 "$pkg" >"$log" 2>&1
  }
  if ! fuzz; then
    # Before Go 1.27 the end of the time itself is at times reported as a
    # failure, without an input (go.dev/issue/75804). Then it is tried once more.
    if grep -q '^    context deadline exceeded$' "$log" && ! grep -q 'ailing input' "$log"; then
      fuzz || state=FAILED
    else
      state=FAILED
    fi
  fi
  local execs seeds
  execs=$(grep -o 'execs: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  seeds=$(go test -run "^$name\$" -v "$pkg" | grep -c "^ *--- PASS: $name/" || true)
  printf '| `%s` | `%s` | %s | %s s | %s | %s |\n' "$name" "${1%/*}" "${execs:-0}" "$seconds" "$seeds" "$state"
  if [ $state != ok ]; then
    cat "$log"
    local input
    input=$(grep -o 'testdata/fuzz/[^ ]*' "$log" | head -n 1)
    if [ -n "$input" ]; then head -c 4096 "$pkg/$input"; fi
    return 1
  fi
}
export -f one

targets=$(git grep -oE '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' | sed 's,/[^/]*:func ,/,' | grep -E -e "${2:-.}") || {
  echo "no fuzz target matches $2" >&2
  exit 2
}
xargs -P 2 -I{} bash -c 'one {}' <<<"$targets"

#!/usr/bin/env bash
# Gates the working tree against another commit: builds both, runs a suite with
# both, seed by seed, and exits 1 with the reasons if accuracy, calibration or
# sparsity got worse by more than a margin. It says what got slower, and fails
# for it if asked (-timing fail).
#
#   ci/gate.sh COMMIT [SUITE.toml [flags of benchstat-report gate]]
#
#   ci/gate.sh origin/main
#   SEEDS="0 1 2 3 4 5 6 7" ci/gate.sh HEAD~1 suites/quick.toml -margin error=0.002,timing=25% -timing fail
#
# The suite is suites/quick.toml if none is named, and both run it as COMMIT
# has it: what that could do must still be as good. See ci/paired.sh for SEEDS,
# OUT and the summary.
set -euo pipefail

if [ $# -lt 1 ]; then sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; fi
commit=$1 suite=${2:-suites/quick.toml}
shift; shift || true
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree" "$work/old" "$work/new"
git archive "$commit" | tar -x -C "$work/tree" || exit 2
if [ ! -f "$work/tree/$suite" ]; then
  echo "gate.sh: $commit has no $suite, so there is nothing to compare with" >&2
  exit 2
fi
go build -C "$work/tree" -trimpath -o "$work/old/" ./cmd/benchrun ./cmd/benchstat-report || exit 2
go build -trimpath -o "$work/new/" ./cmd/benchrun ./cmd/benchstat-report || exit 2

ci/paired.sh "$work/old" "$work/new" "$work/tree/$suite" "$@"

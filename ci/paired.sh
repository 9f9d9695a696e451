#!/usr/bin/env bash
# Gates one build of the program against another: runs a suite with both, in
# turns, and compares. Exits 0 if NEW is as good as OLD, 1 if it is not, 2 if
# that could not be found out.
#
#   ci/paired.sh OLD NEW SUITE.toml [flags of benchstat-report gate]
#
# OLD and NEW are directories with benchrun and benchstat-report in them.
#
#   SEEDS  seeds of the runs (default "0 1 2 3 4", whatever the suite says)
#   OUT    where the run directories old/ and new/ go (default: thrown away)
#
# The verdict is printed as Markdown, and appended to $GITHUB_STEP_SUMMARY
# where that is set.
set -uo pipefail

if [ $# -lt 3 ]; then sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; fi
old=$1 new=$2 suite=$3
shift 3
read -ra seeds <<<"${SEEDS:-0 1 2 3 4}"
out=${OUT:-}
if [ -z "$out" ]; then out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT || exit 2; fi

run() { # SIDE DIR SEED
  "$2/benchrun" -out "$out/$1" -set "seed=[$(IFS=,; echo "${seeds[*]}")]" -seed "$3" "$suite" >/dev/null || {
    echo "paired.sh: $2/benchrun failed on $suite, seed $3" >&2
    exit 2
  }
}

# Timings are compared as ratios at the same seed, so these two must run right
# after each other; who goes first alternates, for machines grow warm.
turn=0
for seed in "${seeds[@]}"; do
  if [ $((turn++ % 2)) = 0 ]; then
    run old "$old" "$seed"
    run new "$new" "$seed"
  else
    run new "$new" "$seed"
    run old "$old" "$seed"
  fi
done

summary=()
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then summary=(-summary "$GITHUB_STEP_SUMMARY"); fi
"$new/benchstat-report" gate "${summary[@]}" "$@" "$out"/old/* "$out"/new/*

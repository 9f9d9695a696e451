#!/usr/bin/env bash
# Gates one build of the program against another: runs a suite with both, seed
# by seed, and compares. Exits 0 if NEW is as good as OLD, 1 if it is not, 2 if
# that could not be found out. A slower program is told of; with the flag
# "-timing fail" it is worse.
#
#   ci/paired.sh OLD NEW SUITE.toml [flags of benchstat-report gate]
#
# OLD and NEW are directories with benchrun and benchstat-report in them.
#
#   SEEDS  seeds of the runs (default "0 1 2 3 4 5", whatever the suite says)
#   OUT    where the run directories old/ and new/ go (default: thrown away)
#
# The verdict is printed as Markdown, with the load of others meanwhile, and
# appended to $GITHUB_STEP_SUMMARY where that is set.
set -uo pipefail

if [ $# -lt 3 ]; then sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; fi
old=$1 new=$2 suite=$3
shift 3
read -ra seeds <<<"${SEEDS:-0 1 2 3 4 5}"
out=${OUT:-}
if [ -z "$out" ]; then out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT || exit 2; fi

run() { # SIDE DIR SEED
  "$2/benchrun" -out "$out/$1" -set "seed=[$(IFS=,; echo "${seeds[*]}")]" -seed "$3" "$suite" >/dev/null || {
    echo "paired.sh: $2/benchrun failed on $suite, seed $3" >&2
    exit 2
  }
}

# load prints ticks of the clock: for which the machine's processors were busy,
# of busy and idle together, and for which they worked for this script; nothing
# where the kernel does not say.
load() {
  local _ user nice system idle wait irq soft steal own
  [ -r /proc/stat ] && [ -r /proc/$$/stat ] || return 0
  read -r _ user nice system idle wait irq soft steal _ </proc/stat
  read -r own </proc/$$/stat
  read -ra own <<<"${own##*) }" # behind the name, from field 3 on
  local busy=$((user + nice + system + irq + soft + steal))
  echo "$busy $((busy + idle + wait)) $((own[13] + own[14]))"
}

# others says what share of the processors other processes had between two loads.
others() { # BUSY ALL OWN BUSY ALL OWN
  if [ $# -ne 6 ]; then
    echo "The load of others was not measured: this system does not say."
    return
  fi
  local all=$(($5 - $2)) other=$((($4 - $1) - ($6 - $3)))
  if [ "$all" -le 0 ] || [ "$other" -lt 0 ]; then other=0 all=1; fi
  echo "Other processes kept $((100 * other / all)) % of the processors busy while these ran."
}

# Timings are compared as ratios at the same seed, so these two must run right
# after each other. Lots decide who goes first: then the test of their ratios is
# exact, whatever else the machine does.
before=$(load)
for seed in "${seeds[@]}"; do
  if [ $((RANDOM % 2)) = 0 ]; then
    run old "$old" "$seed"
    run new "$new" "$seed"
  else
    run new "$new" "$seed"
    run old "$old" "$seed"
  fi
done
# shellcheck disable=SC2046 # three numbers each
load=$(others $before $(load))

summary=()
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then summary=(-summary "$GITHUB_STEP_SUMMARY"); fi
"$new/benchstat-report" gate "${summary[@]}" "$@" "$out"/old/* "$out"/new/*
code=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then echo "$load" >>"$GITHUB_STEP_SUMMARY"; fi
echo "$load"
exit $code

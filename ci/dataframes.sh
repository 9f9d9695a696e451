#!/usr/bin/env bash
# The Python of docs/dataframes.md on the committed results: pandas and polars print the means that
# benchstat-report prints. Needs python3 with pip; says so and ends well where they cannot be had.
set -euo pipefail
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"

packages="pandas==2.3.3 polars==1.35.2 pyarrow==22.0.0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=${XDG_CACHE_HOME:-$HOME/.cache}/bayesbench/dataframes
if ! [ -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import pandas, polars, pyarrow' 2>/dev/null; then
  # shellcheck disable=SC2086 # a list of packages
  if ! python3 -m venv "$venv" || ! "$venv/bin/pip" install --quiet $packages; then
    echo "not run: python3 -m venv and pip could not install $packages"
    exit 0
  fi
fi
go build -o "$work/benchstat-report" ./cmd/benchstat-report
"$work/benchstat-report" export -o "$work/quick.parquet" results/published/quick
"$work/benchstat-report" -metric nll -filter /predict:sample -format json results/published/quick >"$work/table.json"
"$venv/bin/python" ci/dataframes.py docs/dataframes.md "$work"

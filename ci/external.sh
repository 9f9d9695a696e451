#!/usr/bin/env bash
# External methods from Python: the example suite with its numpy method on generated data. Needs
# python3 with venv and pip; says so and ends well where numpy cannot be had.
set -euo pipefail
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"

numpy=numpy==2.3.5
venv=${XDG_CACHE_HOME:-$HOME/.cache}/bayesbench/venv-$numpy
if ! command -v python3 >/dev/null; then
  echo "not run: external methods in Python need python3"
  exit 0
fi
if [ ! -x "$venv/bin/python3" ]; then
  if ! { python3 -m venv "$venv.part" && "$venv.part/bin/python3" -m pip install --quiet "$numpy"; }; then
    rm -rf "$venv.part"
    echo "not run: pip could not install $numpy"
    exit 0
  fi
  mv "$venv.part" "$venv"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/benchrun" ./cmd/benchrun
PATH="$venv/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 "$work/benchrun" -out "$work" \
  -set data.name=blobs -set 'seed=[0,1]' examples/external/suite.toml | tee "$work/table"
grep -q '^ bagging' "$work/table"

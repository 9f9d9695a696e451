#!/usr/bin/env bash
# Everything that a change must pass. Needs Go, and installs what else it
# needs through Go. Run it from anywhere in the tree.
set -euo pipefail
cd "$(git -C "$(dirname "$0")" rev-parse --show-toplevel)"

step() { printf '\n== %s\n' "$*"; }

step gofmt
bad=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$bad" ]; then echo "gofmt would change:"; echo "$bad"; exit 1; fi

step go vet
go vet ./...
go vet -tags noasm ./backends/gonum/...

step staticcheck
go tool staticcheck ./...

step go test
go test -timeout 600s ./...

step "portable kernels (-tags noasm)"
go test -timeout 600s -tags noasm ./backends/gonum/...

// Package ci holds the checks of the tree as a whole that are Go tests; the
// scripts beside it (check.sh and what it calls) run everything that a change
// must pass.
package ci

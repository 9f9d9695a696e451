// Package cli holds what both commands do the same way: the exit codes, and
// flags that may stand between and behind the arguments.
package cli

// Package cli holds what both commands do the same way: the exit codes,
// an output whose write errors count, flags that may stand between and behind
// the arguments, and mistyped subcommands.
package cli

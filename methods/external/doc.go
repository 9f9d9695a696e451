// Package external is methods that are programs of their own, in any language: the suite names a
// command, and the harness gives it arrays and takes predictions. There is no loss, prior or KL
// here but the program's, and the plan is a [methods.Program] alone.
//
// The command runs once a job. It is told the seed, the budget of the suite's [train] and the
// number of posterior samples that are wanted, and writes as many predictions as it has, at most
// these. docs/external-methods.md states the protocol; cmd/benchrun/internal/external runs the
// program.
package external

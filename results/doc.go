// Package results holds what a run leaves behind: records (one benchmark line of metric values for
// one job at one number of posterior samples K), and the run directory that stores them with
// everything needed to trust them.
//
// record.go says what a record is, format.go writes and reads the Go benchmark format (stock
// benchstat reads it too), run.go is the run directory, job.go one job's directory in it, lock.go
// who may write where, checkpoint.go the resumable state. Every file is written atomically, so a
// run killed at any moment is a run that can go on. docs/results-format.md is the same for users.
package results

// Package slurm hands a suite's jobs to a Slurm cluster and follows them there.
// It is no scheduler: every job becomes a task of a job array that calls
// benchrun job, and results come together in the run directory, which lies on
// a file system that all nodes share.
//
// script.go is the text that sbatch gets, submit.go what is submitted in which
// arrays and the record of it, queue.go what squeue and sacct say, status.go
// what has become of every job, progress.go what a running job tells and when
// it gives up asking to be requeued. docs/slurm.md is the same for users.
package slurm

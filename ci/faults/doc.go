//go:build linux

// Command faults breaks runs on purpose and checks that nothing is lost: no
// metric bit changed, no finished job repeated, no file left that stops the next
// run. Run it with -h; docs/reliability.md is its table.
//
//	main.go      flags, and the table
//	faults.go    every fault: what it does and what it must lead to
//	campaign.go  processes, loads, and the check of a run directory after its faults
//	kill.go      SIGKILL at moments that the run directory's own files tell
//	storage.go   full disks, read-only directories, damaged files
//	process.go   clocks, two writers, memory
//	slurm.go     what needs a cluster, which ci/slurm.sh makes
package main

//go:build linux

package main

// fault is something that goes wrong, and what it must lead to.
type fault struct {
	group, name string
	does, must  string
	run         func(*campaign) (outcome string, err error)
}

const same = "the same command ends well; every metric bit is that of the undisturbed run, no finished job is repeated, no part-written file is left"

var faults = []fault{
	{"kill", "SIGKILL", "runs of the quick suite are killed while they plan, train, save on TERM, or write a checkpoint, records, a manifest or the run's results; the moment is random", same, randomKills},
	{"disk", "full disk", "the file system is full, grows a little, and is full again", "exit code 2 and one line with the file and *no space left on device*; once there is room, " + same, fullDisk},
	{"disk", "read-only directory", "the run directory's file system becomes read-only, with half of the jobs done and with all", "exit code 2 and one line; no byte changes, and reports read what is done; once it is writable, " + same, readOnly},
	{"files", "damaged files", "each kind of file of an interrupted run and of a finished one without its ensemble (`run.json`, the suite, results, timings, records, details, curves, manifests, checkpoints) is torn, emptied, has a bit flipped or a block zeroed", "the run goes on and mends it, or refuses it with the file's name and what to delete; after that, " + same, damagedFiles},
	{"files", "damaged data", "the same to the files of MNIST in the cache", "exit code 2 and the file's name, nothing is trained on them", damagedCache},
	{"clock", "clock going backwards", "the wall clock goes back by a minute every second, kills come between, and all files are dated a year ahead", same, backwards},
	{"writers", "two writers", "two runs of the suite at one directory, and two processes at each job of another", "one waits for the other; each job is done once; " + same, twoWriters},
	{"memory", "out of memory", "the kernel kills the run for memory, several times", same, outOfMemory},
	{"slurm", "Slurm: no fault", "the suite as job arrays over two nodes", "all jobs done, on both nodes, and every metric bit that of a local run", slurmArrays},
	{"slurm", "Slurm: a node dies", "SIGKILL to the daemon of one node and all that runs on it; Slurm itself requeues the tasks", "they go on elsewhere without anyone's doing; then " + same, slurmNodeRequeued},
	{"slurm", "Slurm: a node dies for good", "the same to tasks that Slurm may not requeue", "`benchrun status` calls them lost, `-resubmit` takes up these and no others; then " + same, slurmNodeLost},
	{"slurm", "Slurm: preemption", "jobs of a higher priority take both nodes", "TERM, checkpoint, requeue; then " + same, slurmPreempted},
	{"slurm", "Slurm: TERM", "all tasks of an array get TERM, as they do before their time limit", "each saves, asks to be requeued, and goes on; then " + same, slurmTerminated},
	{"slurm", "Slurm: time limit", "a job takes longer than a task may", "it saves before the limit, asks to be requeued and goes on; then " + same, slurmTimeLimit},
	{"slurm", "Slurm: scancel and memory", "one task is cancelled, then all are killed for memory", "both are lost, with the reason in `benchrun status`; `-resubmit -mem` takes them up; then " + same, slurmCancelled},
}

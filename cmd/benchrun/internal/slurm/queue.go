package slurm

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// task is one element of a job array.
type task struct {
	array string // Slurm's job id
	index int    // from 1
}

func (t task) String() string { return fmt.Sprintf("%s_%d", t.array, t.index) }

// entry is what Slurm says of a task.
type entry struct {
	state  string // Slurm's own word, as in RUNNING or NODE_FAIL
	reason string // why it waits or ended, "" for none
	node   string
}

// What Slurm's words come to. All others are endings.
var (
	waiting = []string{"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
	atWork  = []string{"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
)

func (e entry) waits() bool { return slices.Contains(waiting, e.state) }
func (e entry) works() bool { return slices.Contains(atWork, e.state) }

// errNoSlurm says that this machine has no Slurm to ask.
var errNoSlurm = errors.New("squeue is not on the PATH: this machine has no Slurm")

// queue asks squeue for the tasks of the arrays; of those that have ended it
// knows only the latest.
func queue(ctx context.Context, arrays []string) (map[task]entry, error) {
	if len(arrays) == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath("squeue"); err != nil {
		return nil, errNoSlurm
	}
	out, err := output(ctx, "squeue", "--noheader", "--array", "--states=all", "--jobs="+strings.Join(arrays, ","), "--format=%F|%K|%T|%r|%N")
	if err != nil && strings.Contains(err.Error(), "Invalid job id") {
		return nil, nil // they all ended long ago
	}
	if err != nil {
		return nil, err
	}
	return parseQueue(out)
}

func parseQueue(text string) (map[task]entry, error) {
	tasks := map[task]entry{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		f := strings.Split(line, "|")
		if line == "" {
			continue
		}
		if len(f) != 5 {
			return nil, fmt.Errorf("squeue: want five fields, found %q", line)
		}
		index, err := strconv.Atoi(f[1])
		if err != nil {
			continue // not of an array
		}
		e := entry{state: printable(f[2]), reason: printable(f[3]), node: printable(f[4])}
		if e.reason == "None" {
			e.reason = ""
		}
		tasks[task{f[0], index}] = e
	}
	return tasks, nil
}

// accounted asks sacct how tasks ended that squeue has forgotten; nothing where
// the cluster keeps no accounts.
func accounted(ctx context.Context, arrays []string) map[task]entry {
	if len(arrays) == 0 {
		return nil
	}
	if _, err := exec.LookPath("sacct"); err != nil {
		return nil
	}
	out, err := output(ctx, "sacct", "--noheader", "--parsable2", "--allocations", "--jobs="+strings.Join(arrays, ","), "--format=JobID,State,ExitCode,NodeList")
	if err != nil {
		return nil // "Slurm accounting storage is disabled", which is as good as no sacct
	}
	return parseAccounts(out)
}

func parseAccounts(text string) map[task]entry {
	tasks := map[task]entry{}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 4 {
			continue
		}
		array, element, _ := strings.Cut(f[0], "_")
		index, err := strconv.Atoi(element)
		if err != nil {
			continue // tasks that never began, as 12_[5-9]
		}
		state, by, _ := strings.Cut(f[1], " ") // CANCELLED by 1000
		e := entry{state: printable(state), reason: printable(by), node: printable(f[3])}
		if code, signal, _ := strings.Cut(f[2], ":"); code != "0" {
			e.reason = "exit code " + printable(code)
		} else if signal != "0" && signal != "" {
			e.reason = "signal " + printable(signal)
		}
		tasks[task{array, index}] = e
	}
	return tasks
}

// output runs a command of Slurm; its error is the first line that it said.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		line, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("%s: %s", name, strings.TrimPrefix(line, name+": "))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}

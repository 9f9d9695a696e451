//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// inSlurm reports where there is no cluster whose nodes may be killed.
func inSlurm() error {
	if os.Getenv("BAYESBENCH_SLURM_NODE") == "" {
		return &notRun{"there is no cluster to break; `ci/slurm.sh go run ./ci/faults` makes one"}
	}
	return nil
}

// node kills a node of the cluster, or starts it again.
func (c *campaign) node(do, name string) error {
	_, err := c.output(os.Getenv("BAYESBENCH_SLURM_NODE"), do, name)
	return err
}

// output runs a command; its error holds what it said.
func (c *campaign) output(name string, args ...string) (string, error) {
	out, err := exec.CommandContext(c.ctx, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, bytes.TrimSpace(exit.Stderr))
	}
	return string(out), err
}

// jobStatus is what benchrun status says of one job.
type jobStatus struct {
	ID, State, Slurm, Node, Phase, Reason string
	Progress                              float64
}

// submit gives the trial's jobs to Slurm.
func (t *trial) submit(options ...string) error {
	_, err := t.c.output(t.program, slices.Concat([]string{"slurm", "-out", t.out, "-cpus", "1"}, options, t.load.flags, []string{suite})...)
	return err
}

func (t *trial) resubmit(options ...string) (arrays string, err error) {
	return t.c.output(t.program, slices.Concat([]string{"slurm", "-resubmit", "-out", t.out}, options, []string{suite})...)
}

func (t *trial) status() ([]jobStatus, error) {
	out, err := t.c.output(t.program, "status", "-json", t.dir)
	var s struct{ Jobs []jobStatus }
	if jsonErr := json.Unmarshal([]byte(out), &s); jsonErr != nil {
		return nil, errors.Join(err, jsonErr)
	}
	return s.Jobs, t.observe()
}

// until asks for the status until ok says that it is reached. Slurm lets a
// requeued task wait for two minutes; until cuts that short.
func (t *trial) until(what string, ok func([]jobStatus) bool) ([]jobStatus, error) {
	for deadline := time.Now().Add(10 * time.Minute); ; {
		jobs, err := t.status()
		if err != nil || ok(jobs) {
			return jobs, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("in 10 minutes it did not come to this: %s; it stands at %+v", what, jobs)
		}
		for _, j := range jobs {
			if j.State == "pending" && (j.Reason == "" || j.Reason == "BeginTime") && j.Node == "" {
				t.c.output("scontrol", "update", "JobId="+j.Slurm, "StartTime=now")
			}
		}
		t.c.sleep(500*time.Millisecond, nil)
	}
}

func count(jobs []jobStatus, state string) int {
	n := 0
	for _, j := range jobs {
		if j.State == state {
			n++
		}
	}
	return n
}

func over(jobs []jobStatus) bool { return count(jobs, "pending")+count(jobs, "running") == 0 }

// allDone waits for the end and checks what is there.
func (t *trial) allDone() ([]jobStatus, verdict, error) {
	jobs, err := t.until("nothing pends or runs", over)
	if err != nil {
		return nil, verdict{}, err
	}
	if n := count(jobs, "done"); n != len(jobs) {
		return nil, verdict{}, fmt.Errorf("%d of %d jobs done: %+v", n, len(jobs), jobs)
	}
	v, err := t.conclude()
	return jobs, v, err
}

// training waits until a job on the node has trained for a while, any node's
// where it is "".
func (t *trial) training(node string) error {
	_, err := t.until("training on "+node, func(jobs []jobStatus) bool {
		return over(jobs) || slices.ContainsFunc(jobs, func(j jobStatus) bool {
			return j.State == "running" && (node == "" || j.Node == node) && j.Phase == "train"
		})
	})
	t.c.sleep(t.load.trains/3, nil)
	return err
}

func nodes(jobs []jobStatus) map[string]int {
	on := map[string]int{}
	for _, j := range jobs {
		on[j.Node]++
	}
	return on
}

func slurmArrays(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	l, err := c.quick()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	if err := t.submit(); err != nil {
		return "", err
	}
	jobs, v, err := t.allDone()
	if err != nil {
		return "", err
	}
	on := nodes(jobs)
	if len(on) != 2 {
		return "", fmt.Errorf("the jobs ran on %v", on)
	}
	return fmt.Sprintf("%d jobs on n1 and %d on n2; %v", on["n1"], on["n2"], v), nil
}

// starts is how often the tasks began, by what their scripts say in their logs.
func (t *trial) starts() (int, error) {
	logs, err := filepath.Glob(filepath.Join(t.dir, "slurm", "*", "*.log"))
	n := 0
	for _, path := range logs {
		text, readErr := os.ReadFile(path)
		err = errors.Join(err, readErr)
		n += bytes.Count(text, []byte(", start "))
	}
	return n, err
}

func slurmNodeRequeued(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	l, err := c.long()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	if err := t.submit(); err != nil {
		return "", err
	}
	if err := t.training("n2"); err != nil {
		return "", err
	}
	if err := c.node("kill", "n2"); err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err := errors.Join(err, c.node("start", "n2")); err != nil {
		return "", err
	}
	n, err := t.starts()
	if err == nil && n <= len(l.jobs) {
		err = errors.New("no task was requeued")
	}
	return fmt.Sprintf("%d tasks requeued; %v", n-len(l.jobs), v), err
}

func slurmNodeLost(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	l, err := c.quick()
	if c.short {
		l, err = c.long()
	}
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	if err := t.submit("-sbatch", "--no-requeue"); err != nil {
		return "", err
	}
	if err := t.training("n2"); err != nil {
		return "", err
	}
	if err := c.node("kill", "n2"); err != nil {
		return "", err
	}
	jobs, err := t.until("nothing pends or runs", over)
	if err := errors.Join(err, c.node("start", "n2")); err != nil {
		return "", err
	}
	lost, done := count(jobs, "lost"), count(jobs, "done")
	if lost == 0 || lost+done != len(jobs) {
		return "", fmt.Errorf("after the node's end: %+v", jobs)
	}
	arrays, err := t.resubmit()
	if err != nil {
		return "", err
	}
	again, err := resubmitted(arrays)
	if err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err == nil && again != lost {
		err = fmt.Errorf("%d jobs lost, %d resubmitted", lost, again)
	}
	return fmt.Sprintf("%d jobs lost, %d resubmitted; %v", lost, again, v), err
}

// resubmitted counts the jobs that benchrun slurm says it gave away.
func resubmitted(arrays string) (int, error) {
	n := 0
	for line := range strings.Lines(arrays) {
		var array, jobs int
		if _, err := fmt.Sscanf(line, "%d\t%d jobs", &array, &jobs); err != nil {
			return 0, fmt.Errorf("benchrun slurm says %q", line)
		}
		n += jobs
	}
	return n, nil
}

func slurmPreempted(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	l, err := c.long()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	if err := t.submit(); err != nil {
		return "", err
	}
	if err := t.training(""); err != nil {
		return "", err
	}
	if _, err := c.output("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 2"); err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err != nil {
		return "", err
	}
	saved, err := t.saved()
	if err == nil && saved == 0 {
		err = errors.New("no task saved")
	}
	return fmt.Sprintf("%d tasks saved and were requeued; %v", saved, v), err
}

// saved counts the attempts that saved when they were told to end.
func (t *trial) saved() (int, error) {
	logs, err := filepath.Glob(filepath.Join(t.dir, "slurm", "*", "*.log"))
	n := 0
	for _, path := range logs {
		text, readErr := os.ReadFile(path)
		err = errors.Join(err, readErr)
		n += bytes.Count(text, []byte("what was trained is saved"))
	}
	return n, err
}

// slurmTerminated sends what Slurm sends before the time limit, which takes a
// minute at the least.
func slurmTerminated(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	l, err := c.long()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	if err := t.submit(); err != nil {
		return "", err
	}
	if err := t.training(""); err != nil {
		return "", err
	}
	jobs, err := t.status()
	if err != nil {
		return "", err
	}
	sent := 0
	for _, j := range jobs {
		if j.State == "running" {
			if _, err := c.output("scancel", "--signal=TERM", "--batch", j.Slurm); err != nil {
				return "", err
			}
			sent++
		}
	}
	_, v, err := t.allDone()
	if err != nil {
		return "", err
	}
	starts, err := t.starts()
	if err == nil && (sent == 0 || starts != len(l.jobs)+sent) {
		err = fmt.Errorf("TERM to %d tasks, and %d starts of %d jobs", sent, starts, len(l.jobs))
	}
	return fmt.Sprintf("TERM to %d tasks, %d starts of %d jobs; %v", sent, starts, len(l.jobs), v), err
}

// slurmTimeLimit gives a minute to a job that takes a minute and a half on this
// machine; Slurm knows no shorter limit.
func slurmTimeLimit(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	if c.short {
		return "", &notRun{"it takes minutes; leave out -short"}
	}
	long, err := c.long()
	if err != nil {
		return "", err
	}
	epochs := int(math.Ceil(150 * float64(90*time.Second) / float64(long.trains)))
	l, err := c.load("limit", slices.Concat(onBlobs, []string{"-set", fmt.Sprintf("train.epochs=%d", epochs), "-method", "deterministic", "-seed", "0"})...)
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	if err := t.submit("-time", "1"); err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err != nil {
		return "", err
	}
	saved, err := t.saved()
	if err == nil && saved == 0 {
		err = errors.New("the task never came to its limit")
	}
	return fmt.Sprintf("%.0f s of training in pieces of a minute: saved and requeued %d times; %v", l.trains.Seconds(), saved, v), err
}

func slurmCancelled(c *campaign) (string, error) {
	if err := inSlurm(); err != nil {
		return "", err
	}
	l, err := c.long()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	little := fmt.Sprintf("%dK", l.memory*6/10>>10)
	if err := t.submit(); err != nil {
		return "", err
	}
	if err := t.training(""); err != nil {
		return "", err
	}
	jobs, err := t.status()
	if err != nil {
		return "", err
	}
	for _, j := range jobs {
		if j.State == "running" {
			if _, err := c.output("scancel", j.Slurm); err != nil {
				return "", err
			}
		}
	}
	if jobs, err = t.until("nothing pends or runs", over); err != nil {
		return "", err
	}
	cancelled := 0
	for _, j := range jobs {
		if j.State == "lost" && strings.Contains(j.Reason, "CANCELLED") {
			cancelled++
		}
	}
	if _, err := t.resubmit("-mem", little); err != nil {
		return "", err
	}
	if jobs, err = t.until("nothing pends or runs", over); err != nil {
		return "", err
	}
	starved := 0
	for _, j := range jobs {
		if j.State == "lost" && strings.Contains(j.Reason, "memory") {
			starved++
		}
	}
	if cancelled == 0 || starved == 0 || count(jobs, "lost") != starved {
		return "", fmt.Errorf("%d were cancelled, then %d lost for memory: %+v", cancelled, starved, jobs)
	}
	if _, err := t.resubmit("-mem", "1G"); err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	return fmt.Sprintf("%d cancelled, %d killed for memory; %v", cancelled, starved, v), err
}

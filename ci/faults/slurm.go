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

// submitted gives the jobs of a load to Slurm.
func (c *campaign) submitted(get func() (*load, error), options ...string) (*trial, error) {
	if os.Getenv("BAYESBENCH_SLURM_NODE") == "" {
		return nil, &notRun{"there is no cluster to break; `ci/slurm.sh go run ./ci/faults` makes one"}
	}
	l, err := get()
	if err != nil {
		return nil, err
	}
	t := c.trial(l)
	_, err = c.output(t.program, slices.Concat([]string{"slurm", "-out", t.out, "-cpus", "1"}, options, l.flags, []string{suite})...)
	return t, err
}

// trainingOn is submitted, and a job on the node has trained for a while; any
// node's where it is "".
func (c *campaign) trainingOn(node string, get func() (*load, error), options ...string) (*trial, error) {
	t, err := c.submitted(get, options...)
	if err != nil {
		return nil, err
	}
	_, err = t.until("training on "+node, func(jobs []jobStatus) bool {
		return over(jobs) || slices.ContainsFunc(jobs, func(j jobStatus) bool {
			return j.State == "running" && (node == "" || j.Node == node) && j.Phase == "train"
		})
	})
	c.sleep(t.load.trains/3, nil)
	return t, err
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
// requeued task wait for two minutes; until makes two seconds of that. A task
// that starts in the second in which it was requeued is refused by its node
// ("Job credential revoked") and fails.
func (t *trial) until(what string, ok func([]jobStatus) bool) ([]jobStatus, error) {
	pends := map[string]time.Time{}
	for deadline := time.Now().Add(10 * time.Minute); ; {
		jobs, err := t.status()
		if err != nil || ok(jobs) {
			return jobs, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("in 10 minutes it did not come to this: %s; it stands at %+v", what, jobs)
		}
		for _, j := range jobs {
			if j.State != "pending" || j.Reason != "" && j.Reason != "BeginTime" || j.Node != "" {
				delete(pends, j.Slurm)
			} else if since, ok := pends[j.Slurm]; !ok {
				pends[j.Slurm] = time.Now()
			} else if time.Since(since) > 2*time.Second {
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
		return nil, verdict{}, fmt.Errorf("%d of %d jobs done: %+v; their logs end:\n%s", n, len(jobs), jobs, t.logEnds())
	}
	v, err := t.conclude()
	return jobs, v, err
}

func nodes(jobs []jobStatus) map[string]int {
	on := map[string]int{}
	for _, j := range jobs {
		on[j.Node]++
	}
	return on
}

func slurmArrays(c *campaign) (string, error) {
	t, err := c.submitted(c.quick)
	if err != nil {
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

// logged counts a text in what the tasks said.
func (t *trial) logged(text string) (int, error) {
	logs, err := filepath.Glob(filepath.Join(t.dir, "slurm", "*", "*.log"))
	n := 0
	for _, path := range logs {
		log, readErr := os.ReadFile(path)
		err = errors.Join(err, readErr)
		n += bytes.Count(log, []byte(text))
	}
	return n, err
}

// logEnds is the last lines of what each task said.
func (t *trial) logEnds() string {
	logs, _ := filepath.Glob(filepath.Join(t.dir, "slurm", "*", "*.log"))
	text := ""
	for _, path := range logs {
		log, _ := os.ReadFile(path)
		text += filepath.Base(path) + ": …" + string(log[max(0, len(log)-600):]) + "\n"
	}
	return text
}

// What the task's script says when it begins, and benchrun when it is told to end.
const (
	taskStarts = ", start "
	taskSaved  = "what was trained is saved"
)

func slurmNodeRequeued(c *campaign) (string, error) {
	t, err := c.trainingOn("n2", c.long)
	if err != nil {
		return "", err
	}
	if err := c.node("kill", "n2"); err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err := errors.Join(err, c.node("start", "n2")); err != nil {
		return "", err
	}
	n, err := t.logged(taskStarts)
	if err == nil && n <= len(t.load.jobs) {
		err = errors.New("no task was requeued")
	}
	return fmt.Sprintf("%d tasks requeued; %v", n-len(t.load.jobs), v), err
}

func slurmNodeLost(c *campaign) (string, error) {
	get := c.quick
	if c.short {
		get = c.long
	}
	t, err := c.trainingOn("n2", get, "-sbatch", "--no-requeue")
	if err != nil {
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
	t, err := c.trainingOn("", c.long)
	if err != nil {
		return "", err
	}
	if _, err := c.output("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 2"); err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err != nil {
		return "", err
	}
	saved, err := t.logged(taskSaved)
	if err == nil && saved == 0 {
		err = errors.New("no task saved")
	}
	return fmt.Sprintf("%d tasks saved and were requeued; %v", saved, v), err
}

// slurmTerminated sends what Slurm sends before the time limit, which takes a
// minute at the least.
func slurmTerminated(c *campaign) (string, error) {
	t, err := c.trainingOn("", c.long)
	if err != nil {
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
	starts, err := t.logged(taskStarts)
	if err == nil && (sent == 0 || starts != len(t.load.jobs)+sent) {
		err = fmt.Errorf("TERM to %d tasks, and %d starts of %d jobs", sent, starts, len(t.load.jobs))
	}
	return fmt.Sprintf("TERM to %d tasks, %d starts of %d jobs; %v", sent, starts, len(t.load.jobs), v), err
}

// slurmTimeLimit gives a minute to a job that takes a minute and a half on this
// machine; Slurm knows no shorter limit.
func slurmTimeLimit(c *campaign) (string, error) {
	if c.short {
		return "", &notRun{"it takes minutes; leave out -short"}
	}
	t, err := c.submitted(func() (*load, error) {
		long, err := c.long()
		if err != nil {
			return nil, err
		}
		epochs := int(math.Ceil(150 * float64(90*time.Second) / float64(long.trains)))
		return c.load("limit", slices.Concat(onBlobs, []string{"-set", fmt.Sprintf("train.epochs=%d", epochs), "-method", "deterministic", "-seed", "0"})...)
	}, "-time", "1")
	if err != nil {
		return "", err
	}
	_, v, err := t.allDone()
	if err != nil {
		return "", err
	}
	saved, err := t.logged(taskSaved)
	if err == nil && saved == 0 {
		err = errors.New("the task never came to its limit")
	}
	return fmt.Sprintf("%.0f s of training in pieces of a minute: saved and requeued %d times; %v", t.load.trains.Seconds(), saved, v), err
}

func slurmCancelled(c *campaign) (string, error) {
	t, err := c.trainingOn("", c.long)
	if err != nil {
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
	little := fmt.Sprintf("%dK", t.load.memory*6/10>>10)
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

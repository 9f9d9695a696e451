package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"bayesbench/results"
)

// State is what has become of a job.
type State string

const (
	Done    State = "done"
	Running State = "running"
	Pending State = "pending" // in the queue
	Failed  State = "failed"  // it ended by itself, and its manifest says why
	Lost    State = "lost"    // neither ended nor in the queue nor at work: killed, cancelled, or never begun
)

// States lists all, as counts are shown.
var States = []State{Done, Running, Pending, Failed, Lost}

// JobStatus is one job's.
type JobStatus struct {
	ID       string  `json:"id"`
	Title    string  `json:"title"`
	State    State   `json:"state"`
	Slurm    string  `json:"slurm,omitempty"`    // array_task, the latest
	Node     string  `json:"node,omitempty"`     // where it is or was
	Phase    string  `json:"phase,omitempty"`    // of a running job: train or predict
	Progress float64 `json:"progress"`           // from 0 to 1, by floating-point operations
	Seconds  float64 `json:"seconds,omitempty"`  // that it took, or has taken in this attempt
	Reason   string  `json:"reason,omitempty"`   // why it waits, failed or was lost
	Log      string  `json:"log,omitempty"`      // of the latest task, where there is one
	Attempt  int     `json:"attempts,omitempty"` // submissions of it
}

// Status is that of a run directory.
type Status struct {
	Run     string        `json:"run"`
	Jobs    []JobStatus   `json:"jobs"`
	Count   map[State]int `json:"count"`
	ETA     float64       `json:"eta_seconds,omitempty"` // 0: not known
	NoSlurm bool          `json:"no_slurm,omitempty"`    // squeue could not be asked; what is not at work counts as pending
}

// Over reports whether nothing is pending or running any more.
func (s *Status) Over() bool { return s.Count[Pending]+s.Count[Running] == 0 }

// Status puts together what the run directory's own records and locks say, what
// squeue says, and what sacct says of the rest where there is one. A finished
// job is what its manifest says, whatever Slurm may think of it.
func (c *Campaign) Status(ctx context.Context) (*Status, error) {
	status := &Status{Run: c.Dir, Count: map[State]int{}}
	c, err := c.settled(ctx)
	if err != nil && !errors.Is(err, errNoSlurm) && !errors.As(err, new(*tooSoonError)) {
		return nil, err
	}
	// Slurm is asked first: a job that ends meanwhile shows in the directory.
	queued, err := queue(ctx, c.arrays())
	if errors.Is(err, errNoSlurm) {
		status.NoSlurm = true
	} else if err != nil {
		return nil, err
	}
	tasks := c.tasks()
	var unknown []string
	for _, list := range tasks {
		for _, t := range list {
			if _, ok := queued[t]; !ok {
				unknown = append(unknown, t.array)
			}
		}
	}
	slices.Sort(unknown)
	accounts := accounted(ctx, slices.Compact(unknown))
	run := results.Run{Dir: c.Dir}
	for i := range c.Jobs {
		j, err := c.judge(&run, &c.Jobs[i], tasks[c.Jobs[i].ID], queued, accounts, status.NoSlurm)
		if err != nil {
			return nil, err
		}
		for _, s := range []*string{&j.Title, &j.Node, &j.Phase, &j.Reason} {
			*s = printable(*s)
		}
		status.Jobs = append(status.Jobs, j)
		status.Count[j.State]++
	}
	status.ETA = c.eta(status)
	return status, nil
}

func (c *Campaign) judge(run *results.Run, j *Job, tasks []task, queued, accounts map[task]entry, noSlurm bool) (JobStatus, error) {
	s := JobStatus{ID: j.ID, Title: j.Title, Attempt: len(tasks)}
	var e entry
	for _, t := range tasks {
		if next, ok := queued[t]; ok {
			e = next
		} else {
			e = accounts[t]
		}
		s.Slurm = t.String()
		if e.waits() || e.works() {
			break
		}
	}
	s.Node = e.node
	s.Log = c.log(s.Slurm)
	m, err := run.Manifest(j.ID)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.State, s.Reason = Failed, err.Error()
		return s, nil
	}
	if m.Status == results.Done {
		s.State, s.Progress = Done, 1
		if s.Node == "" {
			s.Node = m.Machine.Host
		}
		for _, x := range m.Seconds {
			s.Seconds += x
		}
		return s, nil
	}
	holder, working, err := results.Working(c.Dir, j.ID)
	if err != nil {
		return s, err
	}
	if p, err := readProgress(c.Dir, j.ID); err == nil {
		s.Phase, s.Progress = p.Phase, j.share(p)
		s.Seconds = p.At.Sub(p.Began).Seconds()
	}
	switch {
	case e.works():
		s.State = Running
	case e.waits():
		s.State, s.Reason = Pending, e.reason
	case working:
		s.State, s.Node, s.Reason = Running, holder.Host, fmt.Sprintf("process %d, not in the queue", holder.PID)
	case m.Status == results.Failed:
		s.State = Failed
		if m.Failure != nil {
			s.Reason = fmt.Sprintf("%s, step %d: %s", m.Failure.Phase, m.Failure.Step, m.Failure.Cause)
		}
	case noSlurm:
		s.State = Pending
	default:
		s.State, s.Reason = Lost, e.state
		if e.reason != "" {
			s.Reason += ": " + e.reason
		}
		// Slurm 22.05 calls a kill for memory JobLaunchFailure, and knows of a need
		// that was not done only that the exit code was not 0.
		if words := c.lastWords(s.Log); words != "" {
			s.Reason = strings.TrimPrefix(s.Reason+": "+words, ": ")
		}
		if len(tasks) == 0 {
			s.Reason = "not submitted"
		}
	}
	return s, nil
}

// lastWords is the last line of a task's log if it says why the task ended:
// Slurm's own or benchrun's.
func (c *Campaign) lastWords(log string) string {
	const most = 4 << 10
	name, err := filepath.Rel(c.Dir, log)
	if err != nil {
		return ""
	}
	text, err := results.ReadEnd(c.Dir, name, most)
	if err != nil {
		return ""
	}
	text = bytes.TrimSpace(text)
	line := string(text[bytes.LastIndexByte(text, '\n')+1:])
	if _, words, ok := strings.Cut(line, ": error: "); ok && strings.HasPrefix(line, "slurmstepd") {
		return strings.Trim(words, "* ")
	}
	words, ok := strings.CutPrefix(line, "benchrun: ")
	if !ok {
		return ""
	}
	return words
}

// share is how much of the job's arithmetic is done.
func (j *Job) share(p Progress) float64 {
	if p.Of == 0 || j.FLOPs == 0 {
		return 0
	}
	x := float64(p.Done) / float64(p.Of)
	if p.Phase == "predict" {
		return (j.TrainFLOPs + x*(j.FLOPs-j.TrainFLOPs)) / j.FLOPs
	}
	return x * j.TrainFLOPs / j.FLOPs
}

// eta estimates the seconds until nothing is left to run: the arithmetic that is
// left, at the median speed of the jobs done so far, on as many nodes as are at
// work now; and not less than the longest chain of needs takes. It is 0 where
// nothing runs or nothing is known yet.
func (c *Campaign) eta(s *Status) float64 {
	var speeds []float64
	atWork := 0
	for i, j := range s.Jobs {
		if j.State == Done && j.Seconds > 0 {
			speeds = append(speeds, c.Jobs[i].FLOPs/j.Seconds)
		}
		if j.State == Running {
			atWork++
		}
	}
	if len(speeds) == 0 || atWork == 0 {
		return 0
	}
	slices.Sort(speeds)
	speed := speeds[len(speeds)/2]
	total, longest := 0.0, 0.0
	ends := map[string]float64{} // by id, if every job had a node of its own
	for i, j := range s.Jobs {
		if j.State != Running && j.State != Pending {
			continue
		}
		left := c.Jobs[i].FLOPs * (1 - j.Progress) / speed
		total += left
		begin := 0.0
		for _, n := range c.Jobs[i].Needs {
			begin = max(begin, ends[n])
		}
		ends[j.ID] = begin + left
		longest = max(longest, ends[j.ID])
	}
	return max(total/float64(atWork), longest)
}

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"bayesbench/results"
)

// campaign is what all faults share.
type campaign struct {
	ctx      context.Context
	benchrun string // the program
	work     string // directory
	kills    int
	short    bool
	rng      *rand.Rand
	loads    map[string]*load
	dirs     int // made so far
}

// notRun says that a fault cannot be made here.
type notRun struct{ why string }

func (e *notRun) Error() string { return "not run: " + e.why }

const suite = "suites/quick.toml"

// load is what a fault falls upon: the quick suite with some flags, and what it
// comes to undisturbed.
type load struct {
	flags  []string
	run    string            // the undisturbed run directory
	bits   map[string]string // the files that hold metric bits, by path below it
	jobs   []string          // ids
	trains time.Duration     // what training takes, the mean over jobs
	memory int64             // that the process needed, in bytes
}

// quick is the whole quick suite, the generated data's where the campaign is
// short.
func (c *campaign) quick() (*load, error) {
	if c.short {
		return c.brief()
	}
	return c.load("quick")
}

// onBlobs makes the quick suite one of generated data, a second's work.
var onBlobs = []string{"-set", "data.name=blobs", "-set", "data.normalise=unit255"}

func (c *campaign) brief() (*load, error) { return c.load("brief", onBlobs...) }

// long is few jobs that each train for seconds.
func (c *campaign) long() (*load, error) {
	return c.load("long", slices.Concat(onBlobs, []string{"-set", "train.epochs=150", "-method", "deterministic,ffg"})...)
}

// load runs the quick suite with the flags, undisturbed and once.
func (c *campaign) load(name string, flags ...string) (*load, error) {
	if l := c.loads[name]; l != nil {
		return l, nil
	}
	l := &load{flags: flags}
	t := c.trial(l)
	l.run = t.dir
	p, err := t.start()
	if err != nil {
		return nil, err
	}
	if code := p.wait(); code != 0 {
		return nil, fmt.Errorf("undisturbed, the suite ends with %d:\n%s", code, p.said())
	}
	l.memory = p.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	if l.bits, err = metricFiles(l.run); err != nil {
		return nil, err
	}
	store := results.Run{Dir: l.run}
	entries, err := os.ReadDir(filepath.Join(l.run, "jobs"))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		m, err := store.Manifest(e.Name())
		if err != nil {
			return nil, err
		}
		l.jobs = append(l.jobs, e.Name())
		l.trains += time.Duration(m.Seconds["train"] * float64(time.Second) / float64(len(entries)))
	}
	c.loads[name] = l
	return l, nil
}

// metricFiles hashes results.txt and the records of all jobs, the members of
// ensembles included, whose lines do not come into results.txt.
func metricFiles(run string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(run, "jobs", "*", "records.txt"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, path := range append(files, filepath.Join(run, "results.txt")) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(run, path)
		if err != nil {
			return nil, err
		}
		out[rel] = sum(text)
	}
	return out, nil
}

func sum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// process is a command at work. It has one thread for computing, so that
// nothing depends on how many cores are free.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan struct{}
}

func (c *campaign) start(program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(c.ctx, program, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// wait returns the exit code, -1 for a process that was killed.
func (p *process) wait() int {
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

// said is what the process wrote to stderr, once it has ended.
func (p *process) said() string { return p.stderr.String() }

// trial is a run directory that faults fall upon.
type trial struct {
	c        *campaign
	load     *load
	out, dir string
	program  string
	done     map[string]string // hash of each manifest that said done, by job
	repeated int
}

func (c *campaign) trial(l *load) *trial {
	c.dirs++
	return c.trialIn(l, filepath.Join(c.work, fmt.Sprint(c.dirs)))
}

func (c *campaign) trialIn(l *load, out string) *trial {
	return &trial{c: c, load: l, out: out, dir: filepath.Join(out, "quick"), program: c.benchrun, done: map[string]string{}}
}

// start starts the suite in the trial's directory.
func (t *trial) start() (*process, error) {
	return t.c.start(t.program, slices.Concat([]string{"-out", t.out}, t.load.flags, []string{suite})...)
}

// attempt runs the suite to its end.
func (t *trial) attempt() (code int, said string, err error) {
	p, err := t.start()
	if err != nil {
		return 0, "", err
	}
	code = p.wait()
	return code, p.said(), t.observe()
}

// observe notes which jobs are done, and whether one that was is done again.
func (t *trial) observe() error {
	if t.c.ctx.Err() != nil {
		return t.c.ctx.Err()
	}
	entries, err := os.ReadDir(filepath.Join(t.dir, "jobs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(t.dir, "jobs", e.Name(), "manifest.json"))
		now := ""
		if err == nil && results.IsDone(t.dir, e.Name()) {
			now = sum(text)
		}
		if before := t.done[e.Name()]; before != "" && before != now {
			t.repeated++
		}
		if now != "" {
			t.done[e.Name()] = now
		}
	}
	return nil
}

// verdict is what became of trials.
type verdict struct{ runs, jobs, repeated, left int }

func (v verdict) String() string {
	runs := ""
	if v.runs > 1 {
		runs = fmt.Sprintf(" in %d runs", v.runs)
	}
	return fmt.Sprintf("%d jobs%s bit-equal, %d repeated, %d files left", v.jobs, runs, v.repeated, v.left)
}

func (v *verdict) add(w verdict) {
	v.runs += w.runs
	v.jobs += w.jobs
	v.repeated += w.repeated
	v.left += w.left
}

// conclude gives the same command once more, without a fault, and checks what is
// then in the directory. What is not as it must be is an error.
func (t *trial) conclude() (verdict, error) {
	v := verdict{runs: 1, jobs: len(t.load.jobs)}
	code, said, err := t.attempt()
	if err != nil {
		return v, err
	}
	if code != 0 {
		return v, fmt.Errorf("the next run ends with %d: %s", code, said)
	}
	if code, said, err = t.attempt(); err != nil {
		return v, err
	}
	if want := fmt.Sprintf("quick: 0 jobs done now, %d before, 0 failed", v.jobs); code != 0 || !strings.Contains(said, want) {
		return v, fmt.Errorf("the run after that ends with %d and says not %q but: %s", code, want, said)
	}
	return v, t.check(&v)
}

// check compares the directory with the undisturbed one.
func (t *trial) check(v *verdict) error {
	bits, err := metricFiles(t.dir)
	if err != nil {
		return err
	}
	for path, want := range t.load.bits {
		if bits[path] != want {
			return fmt.Errorf("%s is not that of the undisturbed run", filepath.Join(t.dir, path))
		}
	}
	if len(bits) != len(t.load.bits) {
		return fmt.Errorf("%d files of metrics, undisturbed %d", len(bits), len(t.load.bits))
	}
	left, err := t.rests()
	if err != nil {
		return err
	}
	v.repeated, v.left = t.repeated, len(left)
	if v.repeated+v.left > 0 {
		return fmt.Errorf("%d jobs repeated, %d files left: %s", v.repeated, v.left, strings.Join(left, ", "))
	}
	return nil
}

// rests lists the part-written files in the directory.
func (t *trial) rests() ([]string, error) {
	var all []string
	for _, at := range []string{".", "jobs/*"} {
		some, err := filepath.Glob(filepath.Join(t.dir, at, ".*[0-9]"))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// upTo is a random time below d.
func (c *campaign) upTo(d time.Duration) time.Duration {
	return time.Duration(c.rng.Int64N(max(1, int64(d))))
}

// sleep waits, if the campaign goes on and the process has not ended: p may be
// nil.
func (c *campaign) sleep(d time.Duration, p *process) {
	var ended chan struct{}
	if p != nil {
		ended = p.ended
	}
	select {
	case <-time.After(d):
	case <-ended:
	case <-c.ctx.Done():
	}
}

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watch tells what happens to the files of a run directory: "claim" when a job
// is taken up, else the names of files as they begin to be written, those of the
// run itself with "run/" before them.
type watch struct {
	*fsnotify.Watcher
	dir string
}

func newWatch(dir string) (*watch, error) {
	jobs := filepath.Join(dir, "jobs")
	if err := os.MkdirAll(jobs, 0o755); err != nil {
		return nil, err
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	known, err := filepath.Glob(filepath.Join(jobs, "*"))
	for _, d := range append(known, dir, jobs) {
		if err == nil {
			err = w.Add(d)
		}
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return &watch{w, dir}, nil
}

// next waits for the next event until the process or the campaign ends.
func (w *watch) next(c *campaign, p *process) (event string, ok bool) {
	for {
		select {
		case <-p.ended:
			return "", false
		case <-c.ctx.Done():
			return "", false
		case e := <-w.Events:
			at, base := filepath.Dir(e.Name), filepath.Base(e.Name)
			switch {
			case e.Has(fsnotify.Create) && at == filepath.Join(w.dir, "jobs"):
				w.Add(e.Name) // what happened in it before is the claim
				return "claim", true
			case base == ".lock" && at != w.dir && e.Has(fsnotify.Write):
				return "claim", true
			case e.Has(fsnotify.Create) && at == w.dir:
				return "run/" + partOf(base), true
			case e.Has(fsnotify.Create):
				return partOf(base), true
			}
		}
	}
}

// partOf is the name that a part-written file is to have: renameio puts a dot
// before it and digits behind.
func partOf(base string) string {
	if name := strings.TrimRight(base, "0123456789"); name != base && strings.HasPrefix(name, ".") {
		return name[1:]
	}
	return base
}

// moment is a kind of time at which to kill.
type moment struct {
	name  string
	first []string                    // the events of which it awaits one
	then  func(l *load) time.Duration // at most how long after it
	term  bool                        // TERM comes first, and KILL while it saves
}

func within(d time.Duration) func(*load) time.Duration {
	return func(*load) time.Duration { return d }
}

var moments = []moment{
	{"planning", nil, within(300 * time.Millisecond), false},
	{"training", []string{"claim"}, func(l *load) time.Duration { return l.trains }, false},
	{"saving on TERM", []string{"claim"}, func(l *load) time.Duration { return l.trains }, true},
	{"writing a checkpoint", []string{"checkpoint.safetensors"}, within(10 * time.Millisecond), false},
	{"writing records", []string{"records.txt", "timings.txt", "details.json"}, within(2 * time.Millisecond), false},
	{"writing a manifest", []string{"manifest.json"}, within(2 * time.Millisecond), false},
	{"writing results", []string{"run/results.txt", "run/timings.txt"}, within(2 * time.Millisecond), false},
}

// strike starts the suite and kills it at the moment. It reports false where the
// suite came to its end before.
func (t *trial) strike(m moment) (killed bool, err error) {
	w, err := newWatch(t.dir)
	if err != nil {
		return false, err
	}
	defer w.Close()
	p, err := t.start()
	if err != nil {
		return false, err
	}
	await := func(names []string) bool {
		for {
			e, ok := w.next(t.c, p)
			if !ok || slices.Contains(names, e) {
				return ok
			}
		}
	}
	if m.first == nil || await(m.first) {
		t.c.sleep(t.c.upTo(m.then(t.load)), p)
	}
	if m.term {
		p.cmd.Process.Signal(syscall.SIGTERM)
		if await([]string{"curve.csv", "checkpoint.safetensors"}) {
			t.c.sleep(t.c.upTo(10*time.Millisecond), p)
		}
	}
	p.cmd.Process.Kill()
	code := p.wait()
	if code > 0 && code != 130 {
		return false, fmt.Errorf("%s: the run ends with %d before it was killed: %s", m.name, code, p.said())
	}
	return code == -1, t.observe()
}

// randomKills kills runs of the quick suite, one after the other, until it has
// killed often enough.
func randomKills(c *campaign) (string, error) {
	l, err := c.quick()
	if err != nil {
		return "", err
	}
	kills := map[string]int{}
	torn, seen := map[string]int{}, map[string]bool{}
	var sum verdict
	t := c.trial(l)
	for n := 0; n < c.kills; {
		m := moments[c.rng.IntN(len(moments))]
		killed, err := t.strike(m)
		if err != nil {
			return "", err
		}
		if killed {
			n++
			kills[m.name]++
			rests, err := t.rests()
			if err != nil {
				return "", err
			}
			for _, r := range rests {
				if !seen[r] {
					seen[r] = true
					torn[partOf(filepath.Base(r))]++
				}
			}
		}
		if n == c.kills || len(t.done) == len(l.jobs) {
			v, err := t.conclude()
			if err != nil {
				return "", fmt.Errorf("after %d kills: %w", n, err)
			}
			sum.add(v)
			os.RemoveAll(t.out)
			t = c.trial(l)
		}
	}
	var when, what []string
	for _, m := range moments {
		if n := kills[m.name]; n > 0 {
			when = append(when, fmt.Sprintf("%d %s", n, m.name))
		}
	}
	parts := 0
	for _, name := range sorted(torn) {
		parts += torn[name]
		what = append(what, fmt.Sprintf("%d of %s", torn[name], name))
	}
	return fmt.Sprintf("%d kills (%s), which left %d part-written files (%s) for the next run to clear: %v",
		c.kills, strings.Join(when, ", "), parts, strings.Join(what, ", "), sum), nil
}

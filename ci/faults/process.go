//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// backwards runs a program whose wall clock goes back by a minute every second,
// on files that are dated a year ahead, and kills it now and then.
func backwards(c *campaign) (string, error) {
	l, err := c.brief()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	clock := "the clock as it is (-short)"
	if !c.short { // Go's library is built anew, about a minute
		clock = "the clock going back"
		if t.program, err = c.withClock("\tsec -= mono / 1e9 * 60\n"); err != nil {
			return "", err
		}
	}
	const kills = 8
	n := 0
	for range kills {
		killed, err := t.strike(moments[1+c.rng.IntN(len(moments)-1)])
		if err != nil {
			return "", err
		}
		if killed {
			n++
		}
		if err := agesAhead(t.out); err != nil {
			return "", err
		}
	}
	v, err := t.conclude()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, files ahead, %d kills on the way: %v", clock, n, v), nil
}

// withClock builds benchrun with a line more in time.Now, where sec, nsec and
// mono are what the clocks say: Go asks the kernel without going through libc, so
// that nothing outside of the program can change its time.
func (c *campaign) withClock(line string) (program string, err error) {
	root, err := exec.CommandContext(c.ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	const at = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	changed := strings.Replace(string(text), at, at+line, 1)
	if changed == string(text) {
		return "", &notRun{"this Go's time.Now is another"}
	}
	other := filepath.Join(c.work, "time.go")
	if err := os.WriteFile(other, []byte(changed), 0o644); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: other}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.work, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		return "", err
	}
	program = filepath.Join(c.work, "benchrun-clock")
	out, err := exec.CommandContext(c.ctx, "go", "build", "-overlay", file, "-o", program, "./cmd/benchrun").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

// twoWriters lets two runs of the suite at one directory, and then two processes
// at each single job of another.
func twoWriters(c *campaign) (string, error) {
	l, err := c.brief()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	var ps [2]*process
	for i := range ps {
		if ps[i], err = t.start(); err != nil {
			return "", err
		}
	}
	did := 0
	for _, p := range ps {
		code := p.wait()
		var done, before int
		_, after, _ := strings.Cut(p.said(), "quick: ")
		if _, err := fmt.Sscanf(after, "%d jobs done now, %d before", &done, &before); code != 0 || err != nil || done+before != len(l.jobs) {
			return "", fmt.Errorf("one of two runs ends with %d: %s", code, p.said())
		}
		did += done
	}
	sum, err := t.conclude()
	if err == nil && did != len(l.jobs) {
		err = fmt.Errorf("two runs did %d jobs", did)
	}
	if err != nil {
		return "", err
	}

	t = c.trial(l)
	plan, err := t.plan()
	if err != nil {
		return "", err
	}
	var fault error
	var mu sync.Mutex
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for _, id := range plan {
				p, err := c.start(c.benchrun, slices.Concat([]string{"job", "-out", t.out}, jobFlags(l.flags), []string{id, suite})...)
				if err == nil && p.wait() != 0 {
					err = errors.New(p.said())
				}
				if err != nil {
					mu.Lock()
					fault = errors.Join(fault, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	both.Wait()
	if fault != nil {
		return "", fault
	}
	if err := t.observe(); err != nil {
		return "", err
	}
	v, err := t.conclude()
	sum.add(v)
	return fmt.Sprintf("two runs did %d jobs between them; two processes for each job, too: %v", did, sum), err
}

// plan lists the ids of the jobs in the order in which they run.
func (t *trial) plan() ([]string, error) {
	out, err := exec.CommandContext(t.c.ctx, t.c.benchrun, slices.Concat([]string{"-plan", "-json", "-out", t.out}, t.load.flags, []string{suite})...).Output()
	if err != nil {
		return nil, err
	}
	var jobs []struct{ ID string }
	if err := json.Unmarshal(out, &jobs); err != nil {
		return nil, err
	}
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids, nil
}

// memoryGroup makes a control group that may use so many bytes.
func (c *campaign) memoryGroup(limit int64) (procs string, remove func(), err error) {
	for _, v := range []struct{ at, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(v.at, fmt.Sprintf("faults-%d", os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		remove = func() { os.Remove(dir) }
		if os.WriteFile(filepath.Join(dir, v.limit), fmt.Append(nil, limit), 0o644) == nil {
			return filepath.Join(dir, "cgroup.procs"), remove, nil
		}
		remove()
	}
	return "", nil, &notRun{"no control group can limit memory here"}
}

// outOfMemory lets the kernel kill the run for memory, with ever more of it.
func outOfMemory(c *campaign) (string, error) {
	l, err := c.brief()
	if err != nil {
		return "", err
	}
	t := c.trial(l)
	kills := 0
	for percent := int64(30); percent < 100; percent += 10 {
		procs, remove, err := c.memoryGroup(l.memory * percent / 100)
		if err != nil {
			return "", err
		}
		args := slices.Concat([]string{"-c", `echo $$ >"$0" && exec "$@"`, procs, c.benchrun, "-out", t.out}, l.flags, []string{suite})
		p, err := c.start("sh", args...)
		if err != nil {
			remove()
			return "", err
		}
		code := p.wait()
		remove()
		if err := t.observe(); err != nil {
			return "", err
		}
		if code == 0 {
			break
		}
		if s := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGKILL {
			return "", fmt.Errorf("with %d %% of its memory, the run ends with %d: %s", percent, code, p.said())
		}
		kills++
	}
	if kills == 0 {
		return "", errors.New("the kernel never killed it")
	}
	v, err := t.conclude()
	return fmt.Sprintf("killed %d times by the kernel; with memory: %v", kills, v), err
}

// jobFlags is the flags that benchrun job has too: without the filters.
func jobFlags(flags []string) []string {
	var out []string
	for i := 0; i+1 < len(flags); i += 2 {
		if flags[i] == "-set" {
			out = append(out, flags[i], flags[i+1])
		}
	}
	return out
}

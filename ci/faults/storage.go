//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bayesbench/results"
)

func sorted(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

// small mounts a file system of some KiB at a new directory.
func (c *campaign) small(kib int64) (dir string, unmount func(), err error) {
	c.dirs++
	dir = filepath.Join(c.work, fmt.Sprint(c.dirs))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", nil, err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kib)); errors.Is(err, unix.EPERM) {
		return "", nil, &notRun{"only root may mount a small file system"}
	} else if err != nil {
		return "", nil, fmt.Errorf("mount: %w", err)
	}
	return dir, func() { unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// fullDisk runs on a file system that is full again and again, and grows.
func fullDisk(c *campaign) (string, error) {
	l, err := c.brief()
	if err != nil {
		return "", err
	}
	size := int64(16)
	dir, unmount, err := c.small(size)
	if err != nil {
		return "", err
	}
	defer unmount()
	t := c.trialIn(l, dir)
	during := map[string]int{}
	for {
		code, said, err := t.attempt()
		if err != nil {
			return "", err
		}
		if code == 0 {
			break
		}
		file := regexp.MustCompile(regexp.QuoteMeta(dir) + `[^\s:]*`).FindString(said)
		if code != 2 || file == "" || !strings.Contains(said, "no space left on device") {
			return "", fmt.Errorf("with %d KiB the run ends with %d: %s", size, code, said)
		}
		during[partOf(filepath.Base(file))]++
		size += 16 + c.rng.Int64N(min(size, 6000))
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%dk", size)); err != nil {
			return "", err
		}
	}
	v, err := t.conclude()
	if err != nil {
		return "", err
	}
	n := 0
	var which []string
	for _, f := range sorted(during) {
		n += during[f]
		which = append(which, fmt.Sprintf("%d at %s", during[f], f))
	}
	return fmt.Sprintf("full %d times (%s), each time exit code 2 and one line; with room: %v", n, strings.Join(which, ", "), v), nil
}

// readOnly makes the file system read-only with half the jobs done, and later
// with all.
func readOnly(c *campaign) (string, error) {
	l, err := c.brief()
	if err != nil {
		return "", err
	}
	dir, unmount, err := c.small(1 << 20)
	if err != nil {
		return "", err
	}
	defer unmount()
	t := c.trialIn(l, dir)
	for len(t.done) < len(l.jobs)/2 {
		if _, err := t.strike(moments[5]); err != nil { // after a manifest
			return "", err
		}
	}
	refused := func() error {
		before, err := content(t.dir)
		if err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			return err
		}
		code, said, err := t.attempt()
		if err != nil {
			return err
		}
		if code != 2 || !strings.Contains(said, "read-only file system") || !strings.Contains(said, t.dir) || strings.Count(said, "\n") != 1 {
			return fmt.Errorf("read-only, the run ends with %d: %s", code, said)
		}
		if jobs, err := results.ReadJobs(t.dir); err != nil || len(jobs) == 0 {
			return fmt.Errorf("read-only, %d jobs can be read: %v", len(jobs), err)
		}
		after, err := content(t.dir)
		if err != nil {
			return err
		}
		if !maps.Equal(before, after) {
			return errors.New("files changed that cannot")
		}
		return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "")
	}
	if err := refused(); err != nil {
		return "", err
	}
	v, err := t.conclude()
	if err != nil {
		return "", err
	}
	if err := refused(); err != nil {
		return "", err
	}
	return "with half the jobs done and with all: exit code 2 and one line, the done ones readable; writable again: " + v.String(), nil
}

// content hashes every file below a directory.
func content(dir string) (map[string]string, error) {
	out := map[string]string{}
	return out, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		out[path] = sum(text)
		return err
	})
}

// damages are the ways in which a file goes bad.
var damages = []struct {
	name string
	do   func(c *campaign, text []byte) []byte
}{
	{"torn", func(c *campaign, text []byte) []byte { return text[:c.rng.IntN(len(text))] }},
	{"flipped", func(c *campaign, text []byte) []byte {
		text = slices.Clone(text)
		text[c.rng.IntN(len(text))] ^= 1 << c.rng.IntN(8)
		return text
	}},
	{"zeroed", func(c *campaign, text []byte) []byte {
		text = slices.Clone(text)
		from := c.rng.IntN(len(text))
		clear(text[from:min(len(text), from+4096)])
		return text
	}},
	{"emptied", func(c *campaign, text []byte) []byte { return nil }},
}

// spoil damages one file and writes it back.
func (c *campaign) spoil(path string, how int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, damages[how].do(c, text), 0o644)
}

// interrupted is a run directory with one job done and one that was told to end
// twice, so that it has two checkpoints.
func (c *campaign) interrupted(l *load) (*trial, error) {
	t := c.trial(l)
	const twice = "checkpoint.prev.safetensors"
	for range 200 {
		// Only the last of the jobs done may have two of them otherwise.
		if some, err := filepath.Glob(filepath.Join(t.dir, "jobs", "*", twice)); err != nil || len(some) > 0 {
			return t, err
		}
		p, err := t.start()
		if err != nil {
			return nil, err
		}
		c.sleep(l.trains/3+c.upTo(l.trains/3), p)
		p.cmd.Process.Signal(os.Interrupt)
		if code := p.wait(); code == 0 {
			os.RemoveAll(t.out)
		} else if code != 130 {
			return nil, fmt.Errorf("interrupted, the run ends with %d: %s", code, p.said())
		}
	}
	return nil, errors.New("in 200 attempts the run was never interrupted twice in one job")
}

// lacking is a finished run directory of which one ensemble is to be run again.
func (c *campaign) lacking(l *load) (*trial, error) {
	t := c.trial(l)
	if err := os.CopyFS(t.dir, os.DirFS(l.run)); err != nil {
		return nil, err
	}
	for _, id := range l.jobs {
		if _, err := os.Stat(filepath.Join(t.dir, "jobs", id, "checkpoint.safetensors")); err != nil { // it trained nothing
			return t, os.Remove(filepath.Join(t.dir, "jobs", id, "manifest.json"))
		}
	}
	return nil, errors.New("the run has no ensemble")
}

// advice is how an error says what is to be deleted.
var advice = regexp.MustCompile(`delete (\S+) to `)

// damagedFiles damages every kind of file of an unfinished run, each in every
// way.
func damagedFiles(c *campaign) (string, error) {
	two, err := c.load("two", slices.Concat(onBlobs, []string{"-set", "train.epochs=30", "-method", "deterministic,ffg", "-seed", "0"})...)
	if err != nil {
		return "", err
	}
	brief, err := c.brief()
	if err != nil {
		return "", err
	}
	interrupted, err := c.interrupted(two)
	if err != nil {
		return "", err
	}
	lacking, err := c.lacking(brief)
	if err != nil {
		return "", err
	}
	var sum verdict
	mended, named := 0, 0
	for _, base := range []*trial{interrupted, lacking} {
		files, err := content(base.dir)
		if err != nil {
			return "", err
		}
		met := map[string]bool{}
		for _, path := range slices.Sorted(maps.Keys(files)) {
			rel, err := filepath.Rel(base.dir, path)
			if err != nil {
				return "", err
			}
			// One job of each kind: it is done, or it has begun.
			job := filepath.Dir(path)
			kind := fmt.Sprint(results.IsDone(base.dir, filepath.Base(job)), filepath.Base(path))
			if filepath.Base(path) == ".lock" || filepath.Base(path) == ".write.lock" || met[kind] {
				continue
			}
			met[kind] = true
			for how := range damages {
				if c.short && how != c.rng.IntN(len(damages)) {
					continue
				}
				t := c.trial(base.load)
				if err := os.CopyFS(t.dir, os.DirFS(base.dir)); err != nil {
					return "", err
				}
				if err := t.observe(); err != nil {
					return "", err
				}
				if err := c.spoil(filepath.Join(t.dir, rel), how); err != nil {
					return "", err
				}
				asked, err := t.mend(filepath.Join(t.dir, rel))
				if err == nil {
					var v verdict
					v, err = t.conclude()
					sum.add(v)
				}
				if err != nil {
					return "", fmt.Errorf("%s %s: %w", rel, damages[how].name, err)
				}
				if asked {
					named++
				} else {
					mended++
				}
				os.RemoveAll(t.out)
			}
		}
	}
	return fmt.Sprintf("%d damages: %d mended or not needed, %d refused by name, and after the deletion that the message asks for, all: %v", mended+named, mended, named, sum), nil
}

// mend runs the suite, and does what its error asks for if it refuses a file.
func (t *trial) mend(damaged string) (asked bool, err error) {
	code, said, err := t.attempt()
	if err != nil || code == 0 {
		return false, err
	}
	m := advice.FindStringSubmatch(said)
	if m == nil || !strings.Contains(said, damaged) {
		return false, fmt.Errorf("the run ends with %d, without naming the file and what to delete: %s", code, said)
	}
	if err := os.RemoveAll(m[1]); err != nil {
		return false, err
	}
	// What was deleted is to be done again.
	t.done, t.repeated = map[string]string{}, 0
	return true, nil
}

// damagedCache damages each file of a data set.
func damagedCache(c *campaign) (string, error) {
	out, err := exec.CommandContext(c.ctx, c.benchrun, "data", "verify", "-offline", "mnist").Output()
	if err != nil {
		if out, err = exec.CommandContext(c.ctx, c.benchrun, "data", "fetch", "mnist").Output(); err != nil {
			return "", &notRun{"MNIST cannot be had here"}
		}
	}
	m := regexp.MustCompile(`(?m)^  ok +(.*)$`).FindAllStringSubmatch(string(out), -1)
	if len(m) != 4 {
		return "", fmt.Errorf("benchrun data says %s", out)
	}
	dir := filepath.Join(c.work, "cache", "bayesbench", "mnist")
	n, harmless := 0, 0
	for _, file := range m {
		for how := range damages {
			if c.short && how != c.rng.IntN(len(damages)) {
				continue
			}
			if err := os.RemoveAll(dir); err != nil {
				return "", err
			}
			for _, f := range m {
				text, err := os.ReadFile(f[1])
				if err == nil {
					err = os.MkdirAll(dir, 0o755)
				}
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, filepath.Base(f[1])), text, 0o644)
				}
				if err != nil {
					return "", err
				}
			}
			path := filepath.Join(dir, filepath.Base(file[1]))
			whole, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			if err := c.spoil(path, how); err != nil {
				return "", err
			}
			plan := func() (int, string, error) {
				p, err := c.start("env", "XDG_CACHE_HOME="+filepath.Join(c.work, "cache"), c.benchrun, "-plan", suite)
				if err != nil {
					return 0, "", err
				}
				return p.wait(), p.said(), nil
			}
			code, said, err := plan()
			if err != nil {
				return "", err
			}
			if code == 0 { // a byte of gzip's header that says nothing of the content
				harmless++
				continue
			}
			if code != 2 || !strings.Contains(said, path) {
				return "", fmt.Errorf("%s %s: benchrun ends with %d: %s", path, damages[how].name, code, said)
			}
			n++
			if err := os.WriteFile(path, whole, 0o644); err != nil {
				return "", err
			}
			if code, said, err := plan(); err != nil || code != 0 {
				return "", fmt.Errorf("%s whole again: benchrun ends with %d, %v: %s", path, code, err, said)
			}
		}
	}
	return fmt.Sprintf("%d damages: %d refused with exit code 2 and the file's name, %d that left the content whole", n+harmless, n, harmless), nil
}

// agesAhead dates every file of a run a year ahead.
func agesAhead(dir string) error {
	future := time.Now().AddDate(1, 0, 0)
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, future, future)
	})
}

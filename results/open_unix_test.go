//go:build unix

package results

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bayesbench/internal/alloctest"
)

// What is no file is refused wherever a run directory is read: a read of a pipe would wait for
// ever, one of a device would not end, and a link would lead elsewhere.
func TestWhatIsNoFile(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func(path string) error{
		"a link to a device":    func(path string) error { return os.Symlink("/dev/zero", path) },
		"a link out of the run": func(path string) error { return os.Symlink(outside, path) },
		"a relative link out":   func(path string) error { return os.Symlink("../../../../../../../dev/zero", path) },
		"a link to itself":      func(path string) error { return os.Symlink(filepath.Base(path), path) },
		"a pipe":                func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"a directory":           func(path string) error { return os.Mkdir(path, 0o755) },
		"a terabyte":            func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40)) },
	}
	job := filepath.Join(jobsDir, "a")
	files := []string{
		runFile, resultsFile, filepath.Join(job, manifestFile), filepath.Join(job, recordsFile), filepath.Join(job, timingsFile), filepath.Join(job, detailsFile),
		filepath.Join(job, curveFile), filepath.Join(job, checkpointFile), filepath.Join(job, "sample.safetensors"), filepath.Join(job, lockFile),
	}
	dir, open := finishedRun(t)
	for kind, put := range kinds {
		for _, name := range files {
			path := filepath.Join(dir, name)
			whole := readAll(t, path)
			if err := errors.Join(os.Remove(path), put(path)); err != nil {
				t.Fatal(err)
			}
			alloctest.AtMost(t, 8<<20, func() {
				err := readEverything(dir, open)
				if name == filepath.Join(job, lockFile) && kind == "a terabyte" {
					if err != nil { // it is locked, and no more of it is read than a holder takes
						t.Error(err)
					}
				} else if err == nil || !strings.Contains(err.Error(), path) || errors.As(err, new(*ReadError)) {
					t.Errorf("%s is %s: error %v", name, kind, err)
				}
			})
			if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(whole), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, folder := range []string{jobsDir, job} {
		dir, open := finishedRun(t)
		other, _ := finishedRun(t)
		path := filepath.Join(dir, folder)
		if err := errors.Join(os.RemoveAll(path), os.Symlink(filepath.Join(other, folder), path)); err != nil {
			t.Fatal(err)
		}
		if err := readEverything(dir, open); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s is a link: error %v", folder, err)
		}
		if _, err := ReadJobs(dir); err == nil || !strings.Contains(err.Error(), "leads out of the run directory") {
			t.Errorf("%s is a link: error %v from ReadJobs", folder, err)
		}
	}
}

// readEverything opens a run and reads all that is read of one, by every reader.
func readEverything(dir string, open func() (*Run, error)) error {
	if _, _, err := Working(dir, "a"); err != nil {
		return err
	}
	run, err := open()
	if err != nil {
		return err
	}
	defer run.Close()
	if _, err := run.Checkpoint("a", 1<<10); err != nil {
		return err
	}
	if _, err := run.Stored("a", "sample.safetensors", 1<<10); err != nil {
		return err
	}
	_, err = ReadJobs(dir)
	return err
}

// A file that a person names may be a pipe, but not a device, and nothing is waited for.
func TestNamedFiles(t *testing.T) {
	dir, _ := finishedRun(t)
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(pipe); err == nil || !strings.Contains(err.Error(), "not a bayesbench results file") {
		t.Errorf("a pipe to which nobody writes: %v", err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := readAll(t, filepath.Join(dir, resultsFile))
	read := make(chan error, 1)
	r, err := openNamed(pipe)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		set, err := Read(r, pipe)
		if err == nil && len(set.Records) != 1 {
			err = errors.New("no record")
		}
		read <- err
	}()
	w.WriteString(text)
	w.Close()
	if err := <-read; err != nil {
		t.Errorf("a pipe with results: %v", err)
	}
	for _, path := range []string{"/dev/zero", dir} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

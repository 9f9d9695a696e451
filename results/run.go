package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The files of a run directory.
const (
	runFile     = "run.json"
	suiteFile   = "suite.toml"
	resultsFile = "results.txt" // metric values: equal bit for bit between two runs of the same plan
	timingsFile = "timings.txt" // what a clock measured
	jobsDir     = "jobs"
	lockFile    = ".lock"
	writeLock   = ".write.lock"
)

// Plan is what a run directory is for.
type Plan struct {
	Suite string   // the suite's name; a directory holds one suite
	Text  []byte   // the suite file as read
	Jobs  []string // job ids in plan order
	Parts []string // those of Jobs that only serve others, as an ensemble's members do; their lines stay out of results.txt
}

// Mode says how a process shares the run directory with others.
type Mode int

const (
	Alone  Mode = iota // no other process may have the directory open
	Worker             // other workers may; each job is still run by one process at a time
)

// Run is an open run directory.
type Run struct {
	Dir  string
	lock lock
	read jobsRead // while rebuilding, under the lock of writing
}

// runInfo is run.json.
type runInfo struct {
	Format int      `json:"format"`
	Suite  string   `json:"suite"`
	Jobs   []string `json:"jobs"`
	Parts  []string `json:"parts,omitempty"`
	Sum    string   `json:"sha256"` // of the file, with blankSum in this place
}

// after returns what the plan makes of the directory. A job that any plan wanted for itself stays
// no part.
func (old runInfo) after(plan Plan) runInfo {
	info := runInfo{Format: FormatVersion, Suite: plan.Suite, Sum: blankSum}
	wanted, known := map[string]bool{}, map[string]bool{}
	for _, p := range []struct{ jobs, parts []string }{{plan.Jobs, plan.Parts}, {old.Jobs, old.Parts}} {
		part := map[string]bool{}
		for _, id := range p.parts {
			part[id] = true
		}
		for _, id := range p.jobs {
			wanted[id] = wanted[id] || !part[id]
			if !known[id] {
				known[id] = true
				info.Jobs = append(info.Jobs, id)
			}
		}
	}
	for _, id := range info.Jobs {
		if !wanted[id] {
			info.Parts = append(info.Parts, id)
		}
	}
	return info
}

// Open creates the run directory or opens it again. Jobs that an earlier plan named and this one
// does not stay in it, so that a narrower run loses nothing. A directory that keeps results whose
// jobs are gone is refused with a *KeptError.
//
// If another process has the directory open in a way that mode does not allow, Open calls waiting
// once and waits, or, if waiting is nil, returns a *LockedError.
func Open(ctx context.Context, dir string, plan Plan, mode Mode, waiting func(*LockedError)) (_ *Run, err error) {
	for _, id := range plan.Jobs {
		if !isJobID(id) {
			return nil, fmt.Errorf("job id %q: want letters, digits, '-', '_', '.'", id)
		}
	}
	if err := OwnDir(filepath.Join(dir, jobsDir)); err != nil {
		return nil, err
	}
	l, err := waitLock(ctx, filepath.Join(dir, lockFile), dir, mode == Worker, waiting)
	if err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, lock: l}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	err = r.writing(func() error {
		if err := checkKept(dir); err != nil {
			return err
		}
		if mode == Alone {
			removeStale(dir)
		}
		old, err := readRunFile(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if old, err = lostRunInfo(dir, plan); err != nil {
				return err
			}
		case err != nil:
			return err
		case old.Suite != plan.Suite:
			return fmt.Errorf("%s holds the results of suite %q, not %q; use another directory", dir, old.Suite, plan.Suite)
		}
		if err := writeChanged(filepath.Join(dir, suiteFile), plan.Text); err != nil {
			return err
		}
		if err := writeSealed(filepath.Join(dir, runFile), old.after(plan)); err != nil {
			return err
		}
		return r.rebuild()
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Join opens a run directory as a Worker under the plan that it has. Waiting is that of Open.
func Join(ctx context.Context, dir string, waiting func(*LockedError)) (*Run, error) {
	if _, err := readRunFile(dir); err != nil {
		return nil, err
	}
	if err := checkKept(dir); err != nil {
		return nil, err
	}
	l, err := waitLock(ctx, filepath.Join(dir, lockFile), dir, true, waiting)
	if err != nil {
		return nil, err
	}
	return &Run{Dir: dir, lock: l}, nil
}

// Planned reports whether the run directory dir has a job of that id in its plan; false where there
// is no such directory.
func Planned(dir, id string) bool {
	info, err := readRunFile(dir)
	return err == nil && slices.Contains(info.Jobs, id)
}

// isJobID reports whether id can be a job's, and so the name of a directory.
func isJobID(id string) bool { return isName(id) && id[0] != '.' }

// Close lets others open the directory.
func (r *Run) Close() error { return r.lock.Unlock() }

// ResultsFile is the path of the metric lines of all finished jobs.
func (r *Run) ResultsFile() string { return filepath.Join(r.Dir, resultsFile) }

// Manifest returns what the job left, or an error that wraps fs.ErrNotExist if it has neither
// finished nor failed.
func (r *Run) Manifest(id string) (Manifest, error) { return readManifest(r.jobDir(id)) }

// Done reports whether the job has finished and need not run again.
func (r *Run) Done(id string) (bool, error) {
	m, err := r.Manifest(id)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && m.Status == Done, err
}

func (r *Run) jobDir(id string) string { return filepath.Join(r.Dir, jobsDir, id) }

// writing runs do as the only writer of the run's own files. The wait is short: nobody holds this
// lock for longer than it takes to rewrite two small files.
func (r *Run) writing(do func() error) error {
	l, err := waitLock(context.Background(), filepath.Join(r.Dir, writeLock), r.Dir, false, func(*LockedError) {})
	if err != nil {
		return err
	}
	defer l.Unlock()
	return do()
}

// rebuild writes results.txt and timings.txt anew from the finished jobs. Because they are always
// made whole from whole files, in an order that follows from the jobs, neither a kill nor the order
// of finishing shows in them.
func (r *Run) rebuild() error {
	info, err := readRunFile(r.Dir)
	if err != nil {
		return err
	}
	if r.read == nil {
		r.read = jobsRead{}
	}
	jobs, err := info.finished(r.Dir, r.read)
	if err != nil {
		return err
	}
	if err := nameAndOrder(jobs); err != nil {
		return fmt.Errorf("%s: %w", r.Dir, err)
	}
	metrics, timings := Set{Units: Units{}}, Set{Units: Units{}}
	for _, j := range jobs {
		err := metrics.Add(Set{Records: j.Records[:j.metrics], Units: j.Units})
		if err == nil {
			err = timings.Add(Set{Records: j.Records[j.metrics:], Units: j.Units})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.jobDir(j.ID), err)
		}
	}
	if err := writeSet(filepath.Join(r.Dir, resultsFile), metrics); err != nil {
		return err
	}
	return writeSet(filepath.Join(r.Dir, timingsFile), timings)
}

// writeSet writes the set to path, unless that holds it already.
func writeSet(path string, set Set) error {
	var text bytes.Buffer
	if err := Write(&text, set); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeChanged(path, text.Bytes())
}

func readRunFile(dir string) (runInfo, error) {
	path := filepath.Join(dir, runFile)
	text, err := ReadText(dir, runFile, maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return runInfo{}, &noRunFileError{dir}
	}
	if err != nil {
		return runInfo{}, putFile(err)
	}
	info, err := decodeRunInfo(text, path)
	if err != nil {
		return runInfo{}, fmt.Errorf("%w; delete %s to have it written again from the suite, no job runs again for that", err, path)
	}
	return info, nil
}

// noRunFileError says that a directory has no run.json, and what to do; it wraps fs.ErrNotExist.
type noRunFileError struct{ dir string }

func (e *noRunFileError) Error() string {
	if info, err := os.Stat(filepath.Join(e.dir, jobsDir)); err != nil || !info.IsDir() {
		return fmt.Sprintf("%s is no run directory: it has no %s", e.dir, runFile)
	}
	return fmt.Sprintf("%s has no %s: run its suite again to have it written anew, no finished job runs again for that",
		e.dir, runFile)
}

func (e *noRunFileError) Unwrap() error { return fs.ErrNotExist }

func decodeRunInfo(text []byte, path string) (runInfo, error) {
	var info runInfo
	if err := DecodeJSON(text, path, &info); err != nil {
		return runInfo{}, err
	}
	if err := checkSeal(text, path, info.Sum); err != nil {
		return runInfo{}, err
	}
	for _, id := range info.Jobs {
		if !isJobID(id) {
			return runInfo{}, fmt.Errorf("%s: bad job id %q", path, id)
		}
	}
	return info, nil
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

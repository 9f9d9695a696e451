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

// A Plan is what a run directory is for.
type Plan struct {
	Suite string   // the suite's name; a directory holds one suite
	Text  []byte   // the suite file as read
	Jobs  []string // job ids in plan order, which is the order of results.txt
	Parts []string // those of Jobs that only serve others, as an ensemble's members do; their lines stay out of results.txt
}

// Mode says how a process shares the run directory with others.
type Mode int

const (
	Alone  Mode = iota // no other process may have the directory open
	Worker             // other workers may; each job is still run by one process at a time
)

// A Run is an open run directory.
type Run struct {
	Dir  string
	lock lock
}

// runInfo is run.json.
type runInfo struct {
	Format int      `json:"format"`
	Suite  string   `json:"suite"`
	Jobs   []string `json:"jobs"`
	Parts  []string `json:"parts,omitempty"`
	Sum    string   `json:"sha256,omitempty"` // of the file, with blankSum in this place
}

// after returns what the plan makes of the directory. A job that any plan wanted for itself stays no part.
func (old runInfo) after(plan Plan) runInfo {
	info := runInfo{Format: FormatVersion, Suite: plan.Suite, Jobs: slices.Clone(plan.Jobs), Sum: blankSum}
	for _, id := range old.Jobs {
		if !slices.Contains(info.Jobs, id) {
			info.Jobs = append(info.Jobs, id)
		}
	}
	for _, id := range info.Jobs {
		wantedBefore := slices.Contains(old.Jobs, id) && !slices.Contains(old.Parts, id)
		wantedNow := slices.Contains(plan.Jobs, id) && !slices.Contains(plan.Parts, id)
		if !wantedBefore && !wantedNow {
			info.Parts = append(info.Parts, id)
		}
	}
	return info
}

// Open creates the run directory or opens it again. Jobs that an earlier plan named and this one does not keep their
// place behind those of this plan, so that a narrower run loses nothing.
//
// If another process has the directory open in a way that mode does not allow, Open calls waiting once and waits, or,
// if waiting is nil, returns a *LockedError.
func Open(ctx context.Context, dir string, plan Plan, mode Mode, waiting func(*LockedError)) (_ *Run, err error) {
	for _, id := range plan.Jobs {
		if !isName(id) || id[0] == '.' {
			return nil, fmt.Errorf("job id %q: want letters, digits, '-', '_', '.'", id)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, jobsDir), 0o755); err != nil {
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
		if mode == Alone {
			removeStale(dir)
		}
		old, err := readRunFile(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			old = runInfo{Format: FormatVersion, Suite: plan.Suite}
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
	l, err := waitLock(ctx, filepath.Join(dir, lockFile), dir, true, waiting)
	if err != nil {
		return nil, err
	}
	return &Run{Dir: dir, lock: l}, nil
}

// Planned reports whether the run directory dir has a job of that id in its plan; false where there is no such directory.
func Planned(dir, id string) bool {
	info, err := readRunFile(dir)
	return err == nil && slices.Contains(info.Jobs, id)
}

// Close lets others open the directory.
func (r *Run) Close() error { return r.lock.Unlock() }

// ResultsFile is the path of the metric lines of all finished jobs.
func (r *Run) ResultsFile() string { return filepath.Join(r.Dir, resultsFile) }

// Manifest returns what the job left, or an error that wraps fs.ErrNotExist if it has neither finished nor failed.
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

// writing runs do as the only writer of the run's own files. The wait is short: nobody holds this lock for longer
// than it takes to rewrite two small files.
func (r *Run) writing(do func() error) error {
	l, err := waitLock(context.Background(), filepath.Join(r.Dir, writeLock), r.Dir, false, func(*LockedError) {})
	if err != nil {
		return err
	}
	defer l.Unlock()
	return do()
}

// rebuild writes results.txt and timings.txt anew from the finished jobs, in plan order. Because they are always made
// whole from whole files, neither a kill nor the order of finishing shows in them.
func (r *Run) rebuild() error {
	info, err := readRunFile(r.Dir)
	if err != nil {
		return err
	}
	metrics, timings := Set{Units: Units{}}, Set{Units: Units{}}
	for _, id := range info.Jobs {
		if slices.Contains(info.Parts, id) {
			continue
		}
		m, err := r.Manifest(id)
		if errors.Is(err, fs.ErrNotExist) || err == nil && m.Status != Done {
			continue
		}
		if err != nil {
			return err
		}
		err = m.addTo(&metrics, r.jobDir(id), recordsFile)
		if err == nil {
			err = m.addTo(&timings, r.jobDir(id), timingsFile)
		}
		if err != nil {
			return err
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
	text, err := readFile(path, maxJSON)
	if err != nil {
		return runInfo{}, err
	}
	info, err := decodeRunInfo(text, path)
	if err != nil {
		return runInfo{}, fmt.Errorf("%w; delete %s to have it written again from the suite, no job runs again for that", err, path)
	}
	return info, nil
}

func decodeRunInfo(text []byte, path string) (runInfo, error) {
	var info runInfo
	if err := decodeJSON(text, path, &info); err != nil {
		return runInfo{}, err
	}
	if err := checkSeal(text, path, info.Sum); err != nil {
		return runInfo{}, err
	}
	for _, id := range info.Jobs {
		if !isName(id) || id[0] == '.' {
			return runInfo{}, fmt.Errorf("%s: bad job id %q", path, id)
		}
	}
	return info, nil
}

// A JobResult is everything one finished job left for reports.
type JobResult struct {
	ID       string
	Manifest Manifest
	Records  []Record // metrics, then timings
	Units    Units
	Details  Details
	Curve    Curve // empty if the job wrote none
}

// Suite returns the name of the suite that a run directory is for.
func Suite(dir string) (string, error) {
	info, err := readRunFile(dir)
	return info.Suite, err
}

// ReadJobs reads the finished jobs of a run directory in plan order, without those that only serve others. It takes no
// lock: every file it reads was put in place whole.
func ReadJobs(dir string) ([]JobResult, error) {
	info, err := readRunFile(dir)
	if err != nil {
		return nil, err
	}
	var jobs []JobResult
	for _, id := range info.Jobs {
		if slices.Contains(info.Parts, id) {
			continue
		}
		path := filepath.Join(dir, jobsDir, id)
		m, err := readManifest(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && m.Status != Done {
			continue
		}
		if err != nil {
			return nil, err
		}
		job := JobResult{ID: id, Manifest: m}
		set := Set{Units: Units{}}
		if err := m.addTo(&set, path, recordsFile); err != nil {
			return nil, err
		}
		if err := m.addTo(&set, path, timingsFile); err != nil {
			return nil, err
		}
		job.Records, job.Units = set.Records, set.Units
		if job.Details, err = m.readDetails(path); err != nil {
			return nil, err
		}
		if job.Curve, err = m.readCurve(path); err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

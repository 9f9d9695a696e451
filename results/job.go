package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"time"
)

// Job is one job's directory, claimed by this process. No other process runs the same job until
// Release.
type Job struct {
	ID   string
	Dir  string
	run  *Run
	lock lock
	sums map[string]string // sha256 of the files that the manifest will name
}

// Claim takes a job of the plan for this process, or returns a *LockedError if another process runs
// it.
func (r *Run) Claim(id string) (*Job, error) {
	if !isJobID(id) {
		return nil, fmt.Errorf("job id %q: want letters, digits, '-', '_', '.'", id)
	}
	dir := r.jobDir(id)
	if err := OwnDir(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	if err := OwnDir(dir); err != nil {
		return nil, err
	}
	l, err := tryLock(filepath.Join(dir, lockFile), dir, false)
	if err != nil {
		return nil, err
	}
	removeStale(dir)
	return &Job{ID: id, Dir: dir, run: r, lock: l, sums: map[string]string{}}, nil
}

// ClaimWhenFree is Claim that calls waiting once if another process runs the job, and then waits
// for it to end. What it was to do may be done by then.
func (r *Run) ClaimWhenFree(ctx context.Context, id string, waiting func(*LockedError)) (*Job, error) {
	told := false
	for {
		j, err := r.Claim(id)
		var locked *LockedError
		if !errors.As(err, &locked) {
			return j, err
		}
		if !told {
			waiting(locked)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Release lets others claim the job.
func (j *Job) Release() error { return j.lock.Unlock() }

// WriteFile streams a further file, such as predictions.npy, into the job's directory. It is there
// whole or not at all, and the manifest will have its hash.
func (j *Job) WriteFile(name string, fill func(io.Writer) error) error {
	sum := sha256.New()
	err := WriteFile(filepath.Join(j.Dir, name), func(w io.Writer) error { return fill(io.MultiWriter(w, sum)) })
	if err == nil {
		j.sums[name] = hex.EncodeToString(sum.Sum(nil))
	}
	return err
}

// Stored returns the tensors, of at most so many bytes, in a file that WriteFile wrote when this
// job was run before. The manifest will have the hash of what was read.
func (j *Job) Stored(name string, bytes int64) (*Checkpoint, error) {
	text, err := readJobFile(j.Dir, name, checkpointLength(bytes))
	if err != nil {
		return nil, err
	}
	j.sums[name] = hexSum(text)
	return ReadCheckpoint(text, filepath.Join(j.Dir, name))
}

// Finish stores a done job's records and details and rebuilds the run's results. The values whose
// unit is a Timing go to timings.txt with the machine's thread count, all others to records.txt.
// The manifest's Format, Job, Status and Files are filled in here.
func (j *Job) Finish(m Manifest, s Set, d Details) error {
	setup, err := Setup(m.Config)
	if err != nil {
		return fmt.Errorf("job %s: %w", j.ID, err)
	}
	for i := range s.Records {
		s.Records[i].Origin = Origin{Job: j.ID, Setup: setup}
	}
	if err := d.check(); err != nil {
		return fmt.Errorf("job %s: %w", j.ID, err)
	}
	metrics, timings := split(s, m.Machine.Threads)
	d.Format = FormatVersion
	for _, f := range []struct {
		name string
		fill func(io.Writer) error
	}{
		{recordsFile, func(w io.Writer) error { return Write(w, metrics) }},
		{timingsFile, func(w io.Writer) error { return Write(w, timings) }},
		{detailsFile, func(w io.Writer) error { return encodeJSON(w, d) }},
	} {
		if err := j.WriteFile(f.name, f.fill); err != nil {
			return err
		}
	}
	m.Files = j.sums
	if err := j.writeManifest(m, Done); err != nil {
		return err
	}
	return j.run.writing(j.run.rebuild)
}

// Fail stores why the job failed. Its checkpoint and curve stay for whoever looks into it.
func (j *Job) Fail(m Manifest, f Failure) error {
	m.Failure = &f
	if err := j.writeManifest(m, Failed); err != nil {
		return err
	}
	return j.run.writing(j.run.rebuild)
}

func (j *Job) writeManifest(m Manifest, status Status) error {
	m.Format, m.Job, m.Status, m.Sum = FormatVersion, j.ID, status, blankSum
	if len(bytes.TrimSpace(m.Config)) == 0 {
		m.Config = []byte("null")
	}
	return writeSealed(filepath.Join(j.Dir, manifestFile), m)
}

// split parts every record into its metric values and its timings.
func split(s Set, threads int) (metrics, timings Set) {
	metrics, timings = Set{Units: s.Units}, Set{Units: s.Units}
	for _, r := range s.Records {
		metric, timing := r, r
		metric.Values, timing.Values = nil, nil
		for _, v := range r.Values {
			if s.Units[v.Unit].Timing {
				timing.Values = append(timing.Values, v)
			} else {
				metric.Values = append(metric.Values, v)
			}
		}
		if len(metric.Values) > 0 {
			metrics.Records = append(metrics.Records, metric)
		}
		if len(timing.Values) > 0 {
			if threads > 0 {
				timing.Config = append(sortedConfig(timing.Config), Pair{"threads", strconv.Itoa(threads)})
			}
			timings.Records = append(timings.Records, timing)
		}
	}
	return metrics, timings
}

// SaveCurve replaces the job's curve. Save it before the checkpoint, never after: then a resumed
// job has every row up to its checkpoint's step, and drops the rest by Truncate.
func (j *Job) SaveCurve(c Curve) error { return j.WriteFile(curveFile, c.write) }

// Curve returns the curve saved so far, empty if there is none.
func (j *Job) Curve() (Curve, error) {
	text, err := readJobFile(j.Dir, curveFile, maxLines)
	if errors.Is(err, fs.ErrNotExist) {
		return Curve{}, nil
	}
	if err != nil {
		return Curve{}, err
	}
	return decodeCurve(text, filepath.Join(j.Dir, curveFile))
}

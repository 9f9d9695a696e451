package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// JobResult is everything one finished job left for reports.
type JobResult struct {
	ID       string
	Manifest Manifest
	Records  []Record // metrics, then timings
	Units    Units
	Details  Details
	Curve    Curve // empty if the job wrote none

	dir        string // of the job
	metrics    int    // how many of the records are metrics
	configured Configured
}

// Shared are the name keys that all records of the job have, such as a swept learning rate.
func (j *JobResult) Shared() []Pair {
	if len(j.Records) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(j.Records[0].Sweep), func(p Pair) bool {
		return slices.ContainsFunc(j.Records, func(r Record) bool { return !slices.Contains(r.Sweep, p) })
	})
}

// jobsRead are the finished jobs that were read before, by id. A job whose manifest is still the
// same is not read again: a run directory writes its results anew whenever a job ends.
type jobsRead map[string]jobRead

type jobRead struct {
	manifest []byte // as read
	JobResult
}

// finished reads the records of the finished jobs of a run directory, without those that only serve
// others. It takes no lock: every file it reads was put in place whole.
func (info *runInfo) finished(dir string, before jobsRead) ([]JobResult, error) {
	parts := map[string]bool{}
	for _, id := range info.Parts {
		parts[id] = true
	}
	var jobs []JobResult
	for _, id := range info.Jobs {
		if parts[id] {
			continue
		}
		place := filepath.Join(dir, jobsDir, id)
		text, err := readManifestText(place)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		j, known := before[id]
		if !known || !bytes.Equal(j.manifest, text) {
			j.manifest = text
			if j.JobResult, err = readFinished(place, text); err != nil {
				return nil, err
			}
			before[id] = j
		}
		if j.Manifest.Status == Done {
			jobs = append(jobs, j.JobResult)
		}
	}
	return jobs, nil
}

// readFinished reads the job in a directory whose manifest is the text, and the records of one that
// is done.
func readFinished(dir string, manifest []byte) (JobResult, error) {
	j := JobResult{ID: filepath.Base(dir), dir: dir}
	var err error
	if j.Manifest, err = checkManifest(dir, manifest); err != nil || j.Manifest.Status != Done {
		return j, err
	}
	set := Set{Units: Units{}}
	if err := j.Manifest.addTo(&set, dir, recordsFile); err != nil {
		return j, err
	}
	j.metrics = len(set.Records)
	if err := j.Manifest.addTo(&set, dir, timingsFile); err != nil {
		return j, err
	}
	j.Records, j.Units = set.Records, set.Units
	j.configured, err = describe(&j)
	return j, err
}

// readRest reads what figures need of the job beside its records.
func (j *JobResult) readRest() (err error) {
	if j.Details, err = j.Manifest.readDetails(j.dir); err != nil {
		return err
	}
	j.Curve, err = j.Manifest.readCurve(j.dir)
	return err
}

// File returns the path of a further file that the job left, such as predictions.npy, once its hash
// was found to be that of the manifest. The error wraps fs.ErrNotExist where the job left no such
// file.
func (j *JobResult) File(name string) (string, error) {
	path := filepath.Join(j.dir, name)
	want, ok := j.Manifest.Files[name]
	if !ok {
		return "", fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	f, err := openBelow(j.dir, name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := regularSize(f, path); err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if have := hex.EncodeToString(sum.Sum(nil)); have != want {
		return "", runAgain(fmt.Errorf("%s is damaged: its sha256 is %s, the manifest says %s", path, have, want), j.dir)
	}
	return path, nil
}

// Loaded is what run directories and results files hold.
type Loaded struct {
	Set
	Jobs   []JobResult // of the run directories, named so that jobs of all of them are told apart
	Suites []string    // of the run directories
}

// Load reads results files and run directories into one set, metrics and timings together, in the
// order given.
func Load(paths ...string) (Set, error) {
	all, err := load(paths)
	return all.Set, err
}

// LoadPair reads two results that are to be compared, each as Load does. Both give a configuration
// the same name, also where only one of them has others beside it.
func LoadPair(oldPath, newPath string) (old, new Set, err error) {
	if old, err = Load(oldPath); err != nil {
		return old, new, err
	}
	if new, err = Load(newPath); err != nil {
		return old, new, err
	}
	align(old.Records, new.Records)
	return old, new, nil
}

// LoadJobs is [Load], with the details and curves of the jobs.
func LoadJobs(paths ...string) (Loaded, error) {
	all, err := load(paths)
	for i := range all.Jobs {
		if err == nil {
			err = all.Jobs[i].readRest()
		}
	}
	return all, err
}

// Unlisted returns the ids of the finished jobs in a run directory that its run.json does not list,
// as of job directories that were copied into it. Nothing else reads them. It is empty for a path
// that is no run directory.
func Unlisted(dir string) ([]string, error) {
	info, err := readRunFile(dir)
	if errors.Is(err, fs.ErrNotExist) || !IsRun(dir) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, id := range info.Jobs {
		listed[id] = true
	}
	entries, err := os.ReadDir(filepath.Join(dir, jobsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var unlisted []string
	for _, e := range entries {
		if !isJobID(e.Name()) || listed[e.Name()] {
			continue
		}
		if m, err := readManifest(filepath.Join(dir, jobsDir, e.Name())); err == nil && m.Status == Done {
			unlisted = append(unlisted, e.Name())
		}
	}
	return unlisted, nil
}

// ReadJobs reads the finished jobs of a run directory, without those that only serve others, in the
// order of its results.
func ReadJobs(dir string) ([]JobResult, error) {
	info, err := readRunFile(dir)
	if err != nil {
		return nil, err
	}
	jobs, err := info.finished(dir, jobsRead{})
	if err != nil {
		return nil, err
	}
	if err := nameAndOrder(jobs); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for i := range jobs {
		if err := jobs[i].readRest(); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// load reads the paths. The jobs of all run directories are named together. A directory that keeps
// results without their jobs is read from its results files.
func load(paths []string) (Loaded, error) {
	all := Loaded{Set: Set{Units: Units{}}}
	var files []string
	for _, path := range paths {
		if !IsRun(path) {
			files = append(files, path)
			continue
		}
		info, err := readRunFile(path)
		if err != nil {
			return Loaded{}, err
		}
		all.Suites = append(all.Suites, info.Suite)
		kept := checkKept(path)
		if errors.As(kept, new(*KeptError)) {
			for _, file := range []string{resultsFile, timingsFile} {
				if _, err := os.Stat(filepath.Join(path, file)); err == nil {
					files = append(files, filepath.Join(path, file))
				}
			}
			continue
		}
		if kept != nil {
			return Loaded{}, kept
		}
		if err := checkUnchanged(path, resultsFile, timingsFile); err != nil {
			return Loaded{}, err
		}
		jobs, err := info.finished(path, jobsRead{})
		if err != nil {
			return Loaded{}, err
		}
		all.Jobs = append(all.Jobs, jobs...)
	}
	if err := nameAndOrder(all.Jobs); err != nil {
		return Loaded{}, err
	}
	for _, j := range all.Jobs {
		if err := all.Add(Set{Records: j.Records, Units: j.Units}); err != nil {
			return Loaded{}, fmt.Errorf("%s: %w", j.dir, err)
		}
	}
	for _, file := range files {
		set, err := ReadFile(file)
		if err != nil {
			return Loaded{}, err
		}
		if err := all.Add(set); err != nil {
			return Loaded{}, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(files) > 0 { // jobs alone were named together
		groups := [][]Record{all.Records}
		for _, j := range all.Jobs {
			groups = append(groups, j.Records)
		}
		align(groups...)
	}
	return all, nil
}

// checkUnchanged returns an error if a results file of a run directory is not as it was written:
// who changed it would expect other results than those of the jobs.
func checkUnchanged(dir string, names ...string) error {
	for _, name := range names {
		file := filepath.Join(dir, name)
		text, err := ReadText(dir, name, maxLines)
		if errors.As(err, new(*ReadError)) {
			return err
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // none of the run's jobs is done yet
		}
		if err == nil {
			_, err = checkLines(text, file)
		}
		if err != nil {
			return fmt.Errorf("%w; delete %s: the next run writes it anew from the jobs, and none of them runs again", err, file)
		}
	}
	return nil
}

// IsRun reports whether path is a directory, which Load takes for a run.
func IsRun(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

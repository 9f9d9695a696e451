package results

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// KeptError says that a run directory keeps results whose jobs are gone. Its results files would be
// cut short if they were written anew from the jobs that are there.
type KeptError struct {
	Dir  string
	File string   // results.txt or timings.txt
	Jobs []string // ids, as far as the file says them
	Rows int      // benchmark lines in the file
}

func (e *KeptError) Error() string {
	which := ""
	if len(e.Jobs) > 0 {
		which = fmt.Sprintf(" of %d jobs, such as %s,", len(e.Jobs), e.Jobs[0])
	}
	return fmt.Sprintf("%s keeps results%s whose job directories are not there or empty: %s, of %d lines, would be cut short; "+
		"use another directory (-out), put the job directories back, or delete the file if its results are not needed",
		e.Dir, which, filepath.Join(e.Dir, e.File), e.Rows)
}

// checkKept returns a *KeptError if results.txt or timings.txt holds lines of jobs of which nothing
// is left to write them anew from. Lines of versions that did not write whose they are must not be
// more than the jobs that are there left. Damage is no error: the file is written anew from the
// jobs.
func checkKept(dir string) error {
	for _, file := range []string{resultsFile, timingsFile} {
		if err := checkKeptIn(dir, file); err != nil {
			return err
		}
	}
	return nil
}

func checkKeptIn(dir, file string) error {
	text, err := ReadText(dir, file, maxLines)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return putFile(err)
	}
	kept := &KeptError{Dir: dir, File: file}
	nameless := 0
	known := false // the lines that follow say whose they are
	for line := range strings.SplitSeq(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, jobPrefix):
			o, err := parseOrigin(line)
			known = err == nil && o != Origin{}
			if known && !hasRecords(dir, o.Job) && !slices.Contains(kept.Jobs, o.Job) {
				kept.Jobs = append(kept.Jobs, o.Job)
			}
		case strings.HasPrefix(line, sumPrefix):
			known = false
		case strings.HasPrefix(line, "Benchmark"):
			kept.Rows++
			if !known {
				nameless++
			}
		}
	}
	if len(kept.Jobs) > 0 {
		return kept
	}
	if nameless == 0 {
		return nil
	}
	there, err := linesOfJobs(dir, file)
	if err != nil {
		return err
	}
	if nameless > there {
		return kept
	}
	return nil
}

// hasRecords reports whether a job that has finished once left its manifest or its records. One
// without its manifest runs again; of an empty directory, or of one that keeps a curve alone,
// nothing can be written anew.
func hasRecords(dir, id string) bool {
	for _, file := range []string{manifestFile, recordsFile} {
		if _, err := os.Stat(filepath.Join(dir, jobsDir, id, file)); err == nil {
			return true
		}
	}
	return false
}

// linesOfJobs counts the benchmark lines that the jobs of a run directory left for one of its
// files, those of parts included.
func linesOfJobs(dir, file string) (int, error) {
	if file == resultsFile {
		file = recordsFile
	}
	entries, err := os.ReadDir(filepath.Join(dir, jobsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	lines := 0
	for _, e := range entries {
		text, err := readJobFile(filepath.Join(dir, jobsDir, e.Name()), file, maxLines)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return 0, err
		default:
			lines += bytes.Count(text, []byte("\nBenchmark"))
		}
	}
	return lines, nil
}

// lostRunInfo is what can be known of a run directory whose run.json is not there: the jobs that
// have directories. Those that the results files have no lines of only serve others. Without
// results files that say whose their lines are, they are those that the plan calls so.
func lostRunInfo(dir string, plan Plan) (runInfo, error) {
	info := runInfo{Format: FormatVersion, Suite: plan.Suite}
	entries, err := os.ReadDir(filepath.Join(dir, jobsDir))
	if err != nil {
		return runInfo{}, err
	}
	if len(entries) == 0 {
		return info, nil
	}
	listed := map[string]bool{} // in a results file
	for _, file := range []string{resultsFile, timingsFile} {
		text, err := ReadText(dir, file, maxLines)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return runInfo{}, err
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, jobPrefix) {
				continue
			}
			if o, err := parseOrigin(line); err == nil {
				listed[o.Job] = true
			}
		}
	}
	for _, e := range entries {
		id := e.Name()
		if !isJobID(id) {
			continue
		}
		info.Jobs = append(info.Jobs, id)
		if len(listed) > 0 && !listed[id] || len(listed) == 0 && slices.Contains(plan.Parts, id) {
			info.Parts = append(info.Parts, id)
		}
	}
	return info, nil
}

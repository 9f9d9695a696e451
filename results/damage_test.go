package results

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// finishedRun is a run directory with one finished job, which kept a file and
// whose training went through two checkpoints.
func finishedRun(t *testing.T) (dir string, open func() (*Run, error)) {
	t.Helper()
	dir = t.TempDir()
	plan := Plan{Suite: "quick", Text: []byte("# suite\n"), Jobs: []string{"a"}}
	open = func() (*Run, error) { return Open(t.Context(), dir, plan, Alone, nil) }
	run := openRun(t, dir, "a")
	job, err := run.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	curve := Curve{Columns: []string{"step", "loss"}}
	for step, name := range []string{"0", "1"} {
		curve.Append(float64(step), 0.5)
		c := testCheckpoint(name)
		for _, err := range []error{
			job.SaveCurve(curve), job.SaveCheckpoint(c),
			job.WriteFile("sample.safetensors", func(w io.Writer) error { return WriteCheckpoint(w, c) }),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	r := testRecord("method-a", "0", 0.25)
	r.Values = append(r.Values, Value{"train-samples/s", 1000})
	if err := job.Finish(Manifest{}, Set{Units: testUnits, Records: []Record{r}}, Details{Layers: []Layer{{"fc1", 10, 3}}}); err != nil {
		t.Fatal(err)
	}
	job.Release()
	run.Close()
	return dir, open
}

// No byte of a finished run can change without an error that names the file
// and what to delete, or without being written again.
func TestEveryByteCounts(t *testing.T) {
	dir, open := finishedRun(t)
	job := filepath.Join(dir, jobsDir, "a")
	read := func() error {
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
	if err := read(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		filepath.Join(dir, runFile), filepath.Join(job, manifestFile), filepath.Join(job, recordsFile), filepath.Join(job, timingsFile),
		filepath.Join(job, detailsFile), filepath.Join(job, curveFile), filepath.Join(job, checkpointFile), filepath.Join(job, "sample.safetensors"),
	} {
		whole := readAll(t, path)
		advice := "delete " + filepath.Join(job, manifestFile)
		if filepath.Base(path) == runFile {
			advice = "delete " + path
		}
		for i := 0; i < len(whole); i += 3 {
			b := []byte(whole)
			b[i] ^= 1 << (i % 8)
			os.WriteFile(path, b, 0o644)
			if err := read(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), advice) {
				t.Errorf("byte %d of %s: error %v, want the file and %q", i, filepath.Base(path), err, advice)
			}
			if i%24 == 0 { // an end that is missing
				os.WriteFile(path, []byte(whole[:i]), 0o644)
				if err := read(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), advice) {
					t.Errorf("%s cut to %d bytes: error %v, want the file and %q", filepath.Base(path), i, err, advice)
				}
			}
		}
		os.WriteFile(path, []byte(whole), 0o644)
	}
	for _, file := range []string{resultsFile, timingsFile, suiteFile} {
		path := filepath.Join(dir, file)
		whole := readAll(t, path)
		os.WriteFile(path, []byte(whole[:len(whole)/2]), 0o644)
		if err := read(); err != nil || readAll(t, path) != whole {
			t.Errorf("%s was cut: %v, and it holds\n%s", file, err, readAll(t, path))
		}
	}
}

// A file that lost the hash of itself is refused: what else was changed in it would pass.
func TestNoSeal(t *testing.T) {
	for name, advice := range map[string]string{
		runFile: "to have it written again from the suite",
		filepath.Join(jobsDir, "a", manifestFile): "to run the job again",
	} {
		dir, open := finishedRun(t)
		path := filepath.Join(dir, name)
		text := readAll(t, path)
		at := strings.LastIndex(text, `"sha256"`)
		at = strings.LastIndex(text[:at], ",")
		os.WriteFile(path, []byte(text[:at]+"\n}\n"), 0o644)
		_, err := open()
		if want := "delete " + path + " " + advice; err == nil || !strings.Contains(err.Error(), "no sha256 of itself") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

// No file of a finished job can stand in another's place.
func TestFilesOfAnotherJob(t *testing.T) {
	dir, _ := finishedRun(t)
	job := filepath.Join(dir, jobsDir, "a")
	run := openRun(t, dir, "a", "b")
	other, err := run.Claim("b")
	if err != nil {
		t.Fatal(err)
	}
	c := testCheckpoint("5")
	for _, err := range []error{
		other.SaveCurve(Curve{Columns: []string{"step"}, Rows: [][]float64{{7}}}), other.SaveCheckpoint(c), other.SaveCheckpoint(c),
		other.WriteFile("sample.safetensors", func(w io.Writer) error { return WriteCheckpoint(w, c) }),
		other.Finish(Manifest{}, Set{Units: testUnits, Records: []Record{testRecord("method-b", "0", 0.5)}}, Details{}),
		other.Release(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func() error {
		if _, err := run.Checkpoint("a", 1<<10); err != nil {
			return err
		}
		if _, err := run.Stored("a", "sample.safetensors", 1<<10); err != nil {
			return err
		}
		_, err := ReadJobs(dir)
		return err
	}
	files, err := os.ReadDir(other.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() == lockFile || f.Name() == previousFile { // which say nothing of a finished job
			continue
		}
		path := filepath.Join(job, f.Name())
		whole := readAll(t, path)
		os.WriteFile(path, []byte(readAll(t, filepath.Join(other.Dir, f.Name()))), 0o644)
		if err := read(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "delete "+filepath.Join(job, manifestFile)) {
			t.Errorf("%s of another job: error %v", f.Name(), err)
		}
		os.WriteFile(path, []byte(whole), 0o644)
	}
	if err := os.RemoveAll(job); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(job, os.DirFS(other.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := read(); err == nil || !strings.Contains(err.Error(), `is of another job: want "a", found "b"`) {
		t.Errorf("the directory of another job: error %v", err)
	}
}

// A manifest's configuration is that of its job.
func TestForeignConfiguration(t *testing.T) {
	// printf '{"seed":1}' | sha256sum | cut -c1-12
	const config, own, other = `{"seed":1}`, "fbe47f6d82b4", "fbe47f6d82b5"
	for _, id := range []string{own, other, "job-000"} {
		run := openRun(t, t.TempDir(), id)
		job, err := run.Claim(id)
		if err != nil {
			t.Fatal(err)
		}
		err = job.Finish(Manifest{Config: []byte(config)}, Set{Units: testUnits, Records: []Record{testRecord("ffg", "1", 0.1)}}, Details{})
		switch foreign := err != nil && strings.Contains(err.Error(), `that is the one of job "`+own+`"`); {
		case id == other && !foreign:
			t.Errorf("job %s with the configuration of %s: error %v", id, own, err)
		case id != other && err != nil:
			t.Errorf("job %s: %v", id, err)
		}
	}
}

// A file of a job that is read by itself is compared with the manifest beside it; a file elsewhere
// is a person's own.
func TestCheckBeside(t *testing.T) {
	dir, _ := finishedRun(t)
	job := filepath.Join(dir, jobsDir, "a")
	path := filepath.Join(job, "sample.safetensors")
	whole := readAll(t, path)
	check := func(path, text string) error { return CheckBeside(path, strings.NewReader(text)) }
	if err := check(path, whole); err != nil {
		t.Error(err)
	}
	if err := check(path, whole[1:]); err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("error %v, want the damage", err)
	}
	if err := errors.Join(check(filepath.Join(job, "mine.npy"), "x"), check(filepath.Join(dir, "sample.safetensors"), "x")); err != nil {
		t.Error(err)
	}
	t.Chdir(job)
	if err := check("sample.safetensors", "x"); err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("by its bare name: error %v, want the damage", err)
	}
	os.WriteFile(manifestFile, []byte("{}"), 0o644)
	if err := check("sample.safetensors", whole); err == nil || !strings.Contains(err.Error(), manifestFile) {
		t.Errorf("beside no manifest of a job: error %v", err)
	}
}

// The generation before holds other weights: for a finished job it is no
// replacement.
func TestNoOlderWeights(t *testing.T) {
	dir, open := finishedRun(t)
	path := filepath.Join(dir, jobsDir, "a", checkpointFile)
	os.WriteFile(path, []byte(readAll(t, path)[:100]), 0o644)
	run, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := run.Checkpoint("a", 1<<10); err == nil || !strings.Contains(err.Error(), path+" is damaged") {
		t.Errorf("got %v, %v", c, err)
	}
}

// Temporary files of killed processes go, whatever they were to be; nothing
// else does.
func TestRemoveStale(t *testing.T) {
	dir, open := finishedRun(t)
	job := filepath.Join(dir, jobsDir, "a")
	stale := []string{
		filepath.Join(dir, ".results.txt123"), filepath.Join(job, ".labels.npy9"), filepath.Join(job, ".sample-00012.safetensors4711"),
	}
	kept := []string{filepath.Join(job, "sample-00001"), filepath.Join(job, ".notes"), filepath.Join(job, lockFile)}
	for _, path := range append(stale, kept...) {
		os.WriteFile(path, []byte("x"), 0o644)
	}
	run, err := open()
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := run.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	defer claimed.Release()
	for _, path := range stale {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

const samplers = `name = "samplers"
model = "softmax-regression"
seed = [0, 1]
[data]
name = "blobs"
train = 300
test = 60
[train]
epochs = 6
batch = 20
[eval]
samples = 2
batch = 30
every = 1
save_predictions = true
[[method]]
name = "sgld"
samples = 3
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "sgld"
samples = 3
`

// lone is the samplers alone.
var lone = samplers[:strings.Index(samplers, "[[method]]\nname = \"ensemble\"")]

// attempt runs the suite in dir and returns what was said of it: the error, the notes and the
// failures.
func attempt(t *testing.T, dir, text string) (said string) {
	t.Helper()
	s, jobs := plan(t, text)
	return attemptJobs(t, dir, s, jobs, &quiet{})
}

func attemptJobs(t *testing.T, dir string, s *suites.Suite, jobs []*bench.Job, q *quiet) (said string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	q.end = cancel
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	run, err := results.Open(ctx, dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
	if err == nil {
		defer run.Close()
		_, err = bench.Run(ctx, run, jobs, q)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		q.notes = append(q.notes, err.Error())
	}
	if _, err := results.ReadJobs(dir); err != nil {
		q.notes = append(q.notes, err.Error())
	}
	return strings.Join(q.notes, "\n")
}

// Whatever file of a run stands in the place of another job's, that is said, or the numbers are
// those of an undisturbed run.
func TestFilesOfOtherJobs(t *testing.T) {
	whole := t.TempDir()
	if said := attempt(t, whole, samplers); said != "" {
		t.Fatal(said)
	}
	_, jobs := plan(t, samplers)
	one, other := jobs[0], jobs[len(jobs)-2]
	if one.Config.Seed == other.Config.Seed || len(other.Needs) > 0 {
		t.Fatalf("%s and %s: want two jobs of two seeds", one.Title(), other.Title())
	}
	// A run that ended within the first job, which has kept samples by then; and one in which all
	// is done but what is made of it.
	begun, lacking, alone := t.TempDir(), t.TempDir(), t.TempDir()
	if said := attempt(t, alone, lone); said != "" {
		t.Fatal(said)
	}
	s, few := plan(t, lone)
	attemptJobs(t, begun, s, few, &quiet{stop: func(calls int) bool {
		_, err := os.Stat(filepath.Join(begun, "jobs", one.ID, "sample-00001.safetensors"))
		return err == nil
	}})
	if err := os.CopyFS(lacking, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if len(j.Needs) > 0 {
			if err := os.Remove(filepath.Join(lacking, "jobs", j.ID, "manifest.json")); err != nil {
				t.Fatal(err)
			}
		}
	}
	from := filepath.Join(whole, "jobs", other.ID)
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	all := strings.Join(names, " ") // at once, with and without what says whose they are
	names = append(names, all, strings.Replace(all, "manifest.json", "", 1))
	if len(names) < 10 || !slices.Contains(names, "sample-00002.safetensors") || !slices.Contains(names, "predictions.npy") {
		t.Fatalf("the job left %q", names)
	}
	bases := []struct {
		dir, suite string
		want       []byte
	}{{begun, lone, resultsText(t, alone)}, {whole, samplers, resultsText(t, whole)}, {lacking, samplers, resultsText(t, whole)}}
	if testing.Short() {
		bases = bases[:1]
	}
	named := 0
	for _, base := range bases {
		for _, list := range names {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(base.dir)); err != nil {
				t.Fatal(err)
			}
			for name := range strings.FieldsSeq(list) {
				text, err := os.ReadFile(filepath.Join(from, name))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "jobs", one.ID, name), text, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			said := attempt(t, dir, base.suite)
			if strings.Contains(said, one.ID) || strings.Contains(said, "starting over") || strings.Contains(said, "going on from the checkpoint before") {
				named++
			} else if said != "" || !bytes.Equal(resultsText(t, dir), base.want) {
				t.Errorf("%s of another job: %q is said, and the results are others", list, said)
			}
			if !strings.Contains(said, "delete ") { // it was not refused: then the numbers are right
				if !bytes.Equal(resultsText(t, dir), base.want) {
					t.Errorf("%s of another job: after %q the results are others", list, said)
				}
			}
		}
	}
	if named < len(bases)*len(names)/2 {
		t.Errorf("%d of %d were named", named, len(bases)*len(names))
	}
}

// crafted rewrites a checkpoint whole, with right hashes.
func crafted(t *testing.T, path string, change func(*results.Checkpoint)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := results.ReadCheckpoint(text, path)
	if err != nil {
		t.Fatal(err)
	}
	change(c)
	var out bytes.Buffer
	if err := results.WriteCheckpoint(&out, c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A checkpoint that holds what no training came to is named, and the training starts over.
func TestCraftedCheckpoints(t *testing.T) {
	text := strings.Replace(lone, "[0, 1]", "0", 1)
	whole, begun := t.TempDir(), t.TempDir()
	if said := attempt(t, whole, text); said != "" {
		t.Fatal(said)
	}
	s, jobs := plan(t, text)
	job := filepath.Join("jobs", jobs[0].ID)
	attemptJobs(t, begun, s, jobs, &quiet{stop: func(calls int) bool {
		_, err := os.Stat(filepath.Join(begun, job, "sample-00001.safetensors"))
		return err == nil
	}})
	progress := func(key, value string) func(*results.Checkpoint) {
		return func(c *results.Checkpoint) {
			var p map[string]json.RawMessage
			if err := json.Unmarshal([]byte(c.Meta["progress"]), &p); err != nil {
				t.Fatal(err)
			}
			p[key] = json.RawMessage(value)
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			c.Meta["progress"] = string(text)
		}
	}
	for name, c := range map[string]struct {
		file   string
		change func(*results.Checkpoint)
		want   string
	}{
		"stage -1":      {"checkpoint", progress("stage", "-1"), "progress: stage -1: want 0 to"},
		"stage 1000000": {"checkpoint", progress("stage", "1000000"), "progress: stage 1000000"},
		"step":          {"checkpoint", progress("step", "1000000000"), "progress: step 1000000000"},
		"kept":          {"checkpoint", progress("kept", "1000000000"), "progress: kept 1000000000"},
		"no sums":       {"checkpoint", progress("sums", "null"), ""},
		"no progress":   {"checkpoint", func(c *results.Checkpoint) { delete(c.Meta, "progress") }, "progress: "},
		"a slot less":   {"checkpoint", func(c *results.Checkpoint) { c.Tensors = c.Tensors[1:] }, "tensors: want the method's"},
		"a slot more":   {"checkpoint", func(c *results.Checkpoint) { c.Tensors = append(c.Tensors, results.Tensor{Name: "x", Shape: []int{0}}) }, `tensor "x": the method has no such slot`},
		"another name":  {"checkpoint", func(c *results.Checkpoint) { c.Tensors[0].Name = "x" }, `tensor "x": the method has no such slot`},
		"another shape": {"checkpoint", func(c *results.Checkpoint) { c.Tensors[0].Shape = append([]int{1}, c.Tensors[0].Shape...) }, "want f32["},
		"another type": {"checkpoint", func(c *results.Checkpoint) {
			c.Tensors[0].U32, c.Tensors[0].F32 = make([]uint32, len(c.Tensors[0].F32)), nil
		}, "found u32["},
		"another job":        {"checkpoint", func(c *results.Checkpoint) { c.Meta["job"] = "0123456789ab" }, "it is of another job"},
		"no data":            {"checkpoint", func(c *results.Checkpoint) { delete(c.Meta, "data") }, "it was trained on other data: want sha256:"},
		"other kernels":      {"checkpoint", func(c *results.Checkpoint) { c.Meta["kernels"] = "avx1024" }, "other kernels, on another kind of processor: want "},
		"sample of other":    {"sample-00001", func(c *results.Checkpoint) { c.Meta["job"] = "0123456789ab" }, "sample-00001.safetensors: it is of another job"},
		"sample's number":    {"sample-00001", func(c *results.Checkpoint) { c.Meta["sample"] = "0" }, "sample-00001.safetensors: it is another sample: want number 1, found 0"},
		"sample of old data": {"sample-00000", func(c *results.Checkpoint) { c.Meta["data"] = "sha256:0" }, "it was trained on other data"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(begun)); err != nil {
			t.Fatal(err)
		}
		crafted(t, filepath.Join(dir, job, c.file+".safetensors"), c.change)
		if err := os.Remove(filepath.Join(dir, job, "checkpoint.prev.safetensors")); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		said := attempt(t, dir, text)
		if c.want == "" && said != "" || c.want != "" && (!strings.Contains(said, "starting over: ") || !strings.Contains(said, c.want)) {
			t.Errorf("%s: %q is said, want %q", name, said, c.want)
		}
		if !bytes.Equal(resultsText(t, dir), resultsText(t, whole)) {
			t.Errorf("%s: other results", name)
		}
	}
}

const pictures = `name = "own"
model = "softmax-regression"
[data]
name = "imagenet-folder"
size = 8
[train]
epochs = 4
batch = 10
[[method]]
name = "deterministic"
`

// pictureFolder makes a folder of two classes, whose brightness differs by twice the shift.
func pictureFolder(t *testing.T, shift float64) string {
	t.Helper()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(shift), 0))
	for split, n := range map[string]int{"train": 20, "val": 8} {
		for class := range 2 {
			for i := range n {
				pictureFile(t, filepath.Join(dir, split, "c"+strconv.Itoa(class), strconv.Itoa(i)+".png"), func() float64 {
					return 128 + shift*float64(2*class-1) + 40*rng.NormFloat64()
				})
			}
		}
	}
	return dir
}

func pictureFile(t *testing.T, path string, pixel func() float64) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.SetGray(i%8, i/8, color.Gray{uint8(min(max(pixel(), 0), 255))})
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Another data set of the same name, or more pictures in it, never gives the numbers of the
// first: what is done is refused, and what has begun starts over.
func TestOtherDataOfTheSameName(t *testing.T) {
	a, b := pictureFolder(t, 0), pictureFolder(t, 100)
	run := func(dir, from string, q *quiet) string {
		t.Helper()
		s, err := suites.Parse(bench.Words(), "own.toml", []byte(pictures), nil)
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := bench.Plan(t.Context(), s, &bench.Sets{Options: data.Options{Dir: from}})
		if err != nil {
			t.Fatal(err)
		}
		return attemptJobs(t, dir, s, jobs, q)
	}
	fresh, dir, begun := t.TempDir(), t.TempDir(), t.TempDir()
	if said := run(fresh, b, &quiet{}) + run(dir, a, &quiet{}); said != "" {
		t.Fatal(said)
	}
	before := resultsText(t, dir)
	if bytes.Equal(before, resultsText(t, fresh)) {
		t.Fatal("both folders give the same numbers")
	}
	refused := func(from string) {
		t.Helper()
		said := run(dir, from, &quiet{})
		if !strings.Contains(said, "is done on other data: its imagenet-folder is sha256:") || !strings.Contains(said, "keep both by another -out, or delete ") {
			t.Errorf("%q is said", said)
		}
		if !bytes.Equal(resultsText(t, dir), before) {
			t.Error("the results of the first folder are gone")
		}
	}
	refused(b)
	pictureFile(t, filepath.Join(a, "train", "c0", "more.png"), func() float64 { return 7 })
	refused(a)
	run(begun, a, &quiet{stop: func(calls int) bool { return calls == 3 }})
	if said := run(begun, b, &quiet{}); !strings.Contains(said, "starting over: ") || !strings.Contains(said, "it was trained on other data: want sha256:") {
		t.Errorf("%q is said of a training that began on other data", said)
	}
	if !bytes.Equal(resultsText(t, begun), resultsText(t, fresh)) {
		t.Error("a training that began on other data ends with other numbers than a fresh one")
	}
	// What the message asks for gives the numbers of the data at hand.
	manifests, err := filepath.Glob(filepath.Join(dir, "jobs", "*", "manifest.json"))
	if err != nil || len(manifests) != 1 {
		t.Fatal(manifests, err)
	}
	if err := os.Remove(manifests[0]); err != nil {
		t.Fatal(err)
	}
	run(dir, b, &quiet{})
	if !bytes.Equal(resultsText(t, dir), resultsText(t, fresh)) {
		t.Error("run again, the job has other numbers than a fresh one")
	}
}

// Interrupted or not, a job says the same of its speed: in the same units, of all that it was
// trained on.
func TestSpeedOverResumes(t *testing.T) {
	text := strings.Replace(lone, "[0, 1]", "0", 1)
	units := func(dir string) []string {
		t.Helper()
		jobs, err := results.ReadJobs(dir)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		trained := 0.0
		for _, r := range jobs[0].Records {
			if s, ok := r.Value("train-sec"); ok {
				trained = s
			}
		}
		if s := jobs[0].Manifest.Seconds["train"]; !(trained > 0) || s < trained {
			t.Errorf("%g s in the phase, of which %g s of training", s, trained)
		}
		return slices.Sorted(maps.Keys(jobs[0].Units))
	}
	whole := t.TempDir()
	attempt(t, whole, text)
	want := units(whole)
	if !slices.Contains(want, "train-samples/s") {
		t.Fatalf("units %q", want)
	}
	dir := t.TempDir()
	s, jobs := plan(t, text)
	runs := 0
	for done := false; !done; runs++ {
		if runs > 50 {
			t.Fatal("it does not come to its end")
		}
		attemptJobs(t, dir, s, jobs, &quiet{stop: func(calls int) bool { return calls == 3 }})
		done = results.IsDone(dir, jobs[0].ID)
		if runs == 3 && done {
			t.Fatal("nothing was interrupted")
		}
		if runs > 3 {
			done = attempt(t, dir, text) == ""
		}
	}
	if got := units(dir); !slices.Equal(got, want) {
		t.Errorf("interrupted %d times the units are\n%q, undisturbed\n%q", runs, got, want)
	}
	run := results.Run{Dir: dir}
	c, err := run.Checkpoint(jobs[0].ID, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Before int
		Pace   struct {
			WarmUp    struct{ Parts, Examples int } `json:"warm_up"`
			Stretches []struct{ Examples int }
		}
	}
	if err := json.Unmarshal([]byte(c.Meta["progress"]), &p); err != nil {
		t.Fatal(err)
	}
	timed := p.Pace.WarmUp.Examples
	for _, s := range p.Pace.Stretches {
		timed += s.Examples
	}
	if want := p.Before * jobs[0].Config.Train.Batch; timed != want || p.Pace.WarmUp.Parts < 3 {
		t.Errorf("%d of %d examples are timed, %d times from a cold start", timed, want, p.Pace.WarmUp.Parts)
	}
}

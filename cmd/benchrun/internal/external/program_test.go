package external_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bayesbench/cmd/benchrun/internal/external"
	"bayesbench/cmd/benchrun/internal/external/externaltest"
	"bayesbench/internal/npy"
)

func TestMain(m *testing.M) {
	externaltest.Main()
	os.Exit(m.Run())
}

// trial is a folder with a job of four classes, ready for a program.
type trial struct {
	*external.Folder
	job external.Job
	log string
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	dir := t.TempDir()
	folder, err := external.Open(filepath.Join(dir, "external"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	const rows, size, classes = 24, 3, 4
	inputs := make([]float32, rows*size)
	labels := make([]int64, rows)
	for i := range labels {
		labels[i] = int64(i % classes)
		if c := i % classes; c < size {
			inputs[i*size+c] = 1
		}
	}
	test, err := external.NewSet("test", rows, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(name string) error{
		"train_inputs.npy": func(name string) error {
			return external.Write(folder, name, []int{rows, size}, func(w *npy.Writer[float32]) error { return w.Write(inputs) })
		},
		"train_targets.npy": func(name string) error {
			return external.Write(folder, name, []int{rows}, func(w *npy.Writer[int64]) error { return w.Write(labels) })
		},
		test.Inputs: func(name string) error {
			return external.Write(folder, name, []int{rows, size}, func(w *npy.Writer[float32]) error { return w.Write(inputs) })
		},
	} {
		if err := write(name); err != nil {
			t.Fatal(err)
		}
	}
	job := external.Job{
		Targets: external.Targets{Classes: classes}, Train: external.Arrays{Inputs: "train_inputs.npy", Targets: "train_targets.npy", Rows: rows},
		Inputs: []external.Set{test}, Forms: []string{"log-probabilities", "probabilities", "logits"}, Samples: 3, Epochs: 5,
	}
	if err := folder.Begin(job); err != nil {
		t.Fatal(err)
	}
	return &trial{folder, job, filepath.Join(dir, "external.log")}
}

// limits are those of most tests: long enough for any machine.
func (tr *trial) program(name string, args ...string) external.Program {
	return external.Program{
		Command: externaltest.Command(name, args...), Folder: tr.Folder, Log: tr.log, Threads: 1,
		Timeout: 5 * time.Minute, Disk: 1 << 30, Files: 500, Grace: 100 * time.Millisecond,
	}
}

// run runs the program and takes what it predicts.
func (tr *trial) run(ctx context.Context, p external.Program) (samples int, cost external.Cost, err error) {
	taker := tr.Take(tr.job, func(p external.Prediction) error {
		_, err := p.Array.Float64s()
		return err
	})
	if cost, err = p.Run(ctx, func() error { return taker.Look(false) }); err != nil {
		return 0, cost, err
	}
	samples, err = taker.Ended()
	return samples, cost, err
}

// A program that does what is wanted costs something, and its predictions are taken and removed.
func TestHonest(t *testing.T) {
	tr := newTrial(t)
	samples, cost, err := tr.run(t.Context(), tr.program("honest"))
	if err != nil {
		t.Fatal(err)
	}
	if samples != 3 || cost.Wall <= 0 || cost.CPU <= 0 {
		t.Errorf("%d samples at %+v", samples, cost)
	}
	if left, err := os.ReadDir(filepath.Join(tr.Dir, "out", "test")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	s, err := tr.Scalars(tr.job)
	if err != nil || s.KL == nil || *s.KL != 2.5 || len(s.Weights) != 1 {
		t.Errorf("scalars %+v, %v", s, err)
	}
}

// A folder may be named from where this process is: the program, which runs elsewhere, is told
// where that is.
func TestRelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := external.Open("here")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !filepath.IsAbs(f.Dir) {
		t.Errorf("the folder is %s", f.Dir)
	}
}

// A program ends as it must, whatever it does, and the reason is said.
func TestHostile(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
		limit      func(p *external.Program)
	}{
		{"hangs", "it took more than the 0.5 s of its timeout (method.timeout); its last words:\nwaiting for nothing", nil,
			func(p *external.Program) { p.Timeout = 500 * time.Millisecond }},
		{"ignores-term", "it took more than the 0.5 s", nil, func(p *external.Program) { p.Timeout = 500 * time.Millisecond }},
		{"prints", "it printed more than 64 MiB", nil, nil},
		{"exits", "it exited with 3; its last words:\nthe last \x1b[31mwords\nerror: no data", nil, nil},
		{"kills-itself", "it was ended by a signal: killed (the system kills a program where memory runs out)", nil, nil},
		{"fills", "GiB in its folder, at most 0.00195 may be (method.disk)", nil, func(p *external.Program) { p.Disk = 1 << 21 }},
		{"many-files", "more than 500 files and folders", nil, nil},
		{"labels", "no such file", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			p := tr.program(c.name, c.args...)
			if c.limit != nil {
				c.limit(&p)
			}
			_, _, err := tr.run(t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
			if log, err := os.Stat(tr.log); err != nil || log.Size() > 65<<20 {
				t.Errorf("the log has %v bytes, %v", log, err)
			}
		})
	}
}

// A program that is told to end by the run's end is gone when Run returns.
func TestToldToEnd(t *testing.T) {
	tr := newTrial(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := tr.run(ctx, func() external.Program {
		p := tr.program("ignores-term")
		time.AfterFunc(300*time.Millisecond, cancel)
		return p
	}())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// What a program writes under other names, in other forms or as other things than files is refused,
// with the name.
func TestTakerRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"says-nothing", "out/test: want a posterior sample at least, found 0: the files 000.FORM.npy", nil},
		{"names-a-set", `out/tset: no such set of inputs; did you mean "test"?`, nil},
		{"starts-at-one", "out/test/001.logits.npy: want 000.FORM.npy as the next name", nil},
		{"wrong-form", "out/test/000.logit.npy: want 000.FORM.npy as the next name, FORM one of log-probabilities, probabilities, logits", nil},
		{"links", "out/test/000.logits.npy: want a regular file, found a link", []string{"/etc/passwd"}},
		{"links", "out/test/000.logits.npy: want a regular file, found a link", []string{"../../job.json"}},
	} {
		tr := newTrial(t)
		_, _, err := tr.run(t.Context(), tr.program(c.name, c.args...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v\nwant  %s", c.name, err, c.want)
		}
	}
}

// What a program reports is checked.
func TestScalarsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"epochs": 6}`:      "epochs: want at most the budget of 5 (train.epochs), found 6",
		`{"kl": -1}`:         "kl: want a number of at least 0, found -1",
		`{"kl": NaN}`:        "out/scalars.json: invalid character 'N'",
		`{"loss": 1}`:        `unknown field "loss"`,
		`{} {}`:              "found more behind it",
		`{"weights": [{}]}`:  "weights: want each layer once",
		`{"kl": "a"`:         "out/scalars.json: ",
		`[]`:                 "out/scalars.json: ",
		`{"epochs": 1e1000}`: "out/scalars.json: ",
	} {
		tr := newTrial(t)
		if err := os.WriteFile(filepath.Join(tr.Dir, "out", "scalars.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Scalars(tr.job); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

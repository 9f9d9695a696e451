package bench_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "bayesbench/backends/gonum"
	"bayesbench/cmd/benchrun/internal/bench"
	_ "bayesbench/methods/all"
	"bayesbench/results"
	"bayesbench/suites"
)

const small = `name = "small"
model = "softmax-regression"
backend = "gonum"
seed = [0, 1]
[data]
name = "blobs"
train = 600
test = 200
[train]
epochs = 3
batch = 50
lr = 1e-2
[eval]
samples = 4
batch = 64
every = 1
[[method]]
name = "deterministic"
[[method]]
name = "ffg"
[[method]]
name = "sparse-vd"
warmup_start = 0
warmup_end = 2
[[method]]
name = "ensemble"
members = 3
[method.of]
name = "ffg"
`

// quiet reports nothing; stop and stopAt, where set, are asked after every call
// and every report of training, and may end the run.
type quiet struct {
	calls  int
	stop   func(calls int) bool
	stopAt func(j *bench.Job, step int) bool
	end    context.CancelFunc
	ended  []bench.Outcome
	notes  []string
}

func (q *quiet) ask() {
	q.calls++
	if q.stop != nil && q.stop(q.calls) {
		q.end()
	}
}
func (q *quiet) Begin(*bench.Job, int, int) { q.ask() }
func (q *quiet) Train(j *bench.Job, step, _ int, _ float64) {
	q.ask()
	if q.stopAt != nil && q.stopAt(j, step) {
		q.end()
	}
}
func (q *quiet) Predict(*bench.Job, string, int, int) { q.ask() }
func (q *quiet) Note(_ *bench.Job, s string)          { q.notes = append(q.notes, s) }
func (q *quiet) End(j *bench.Job, o bench.Outcome) {
	q.ended = append(q.ended, o)
	if o.Failed != nil {
		q.notes = append(q.notes, j.Title()+": "+o.Failed.Error())
	}
}

func plan(t *testing.T, text string, set ...string) (*suites.Suite, []*bench.Job) {
	t.Helper()
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := bench.Plan(context.Background(), s, &bench.Sets{})
	if err != nil {
		t.Fatal(err)
	}
	return s, jobs
}

// runOnce runs the suite in dir until stop ends it, and reports whether it
// came to its end.
func runOnce(t *testing.T, dir, text string, q *quiet) (bench.Summary, bool) {
	t.Helper()
	s, jobs := plan(t, text)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	q.end = cancel
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	run, err := results.Open(ctx, dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	sum, err := bench.Run(ctx, run, jobs, q)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return sum, err == nil
}

func resultsText(t *testing.T, dir string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Interrupted at any point and started again, a run leaves the bytes of an
// undisturbed one; started once more, it has nothing to do.
func TestResumeIsBitEqual(t *testing.T) {
	whole := t.TempDir()
	q := &quiet{}
	sum, _ := runOnce(t, whole, small, q)
	// Members 1 and 2 of the ensembles of two seeds come on top of the 8 jobs
	// listed; member 0 is the ffg job of the ensemble's own seed.
	if sum.Done != 12 || len(sum.Failed) != 0 {
		t.Fatalf("undisturbed: %d done, want 12 and no failure:\n%s", sum.Done, strings.Join(q.notes, "\n"))
	}
	want := resultsText(t, whole)
	if n := bytes.Count(want, []byte("BenchmarkBLOBS")); n < 12 {
		t.Fatalf("%d result lines:\n%s", n, want)
	}
	if sum, _ := runOnce(t, whole, small, &quiet{}); sum.Skipped != 12 || sum.Done != 0 {
		t.Errorf("a second run: %+v, want 12 jobs skipped", sum)
	}

	broken := t.TempDir()
	runs := 0
	for done := false; !done; runs++ {
		if runs > 200 {
			t.Fatal("the interrupted run does not come to its end")
		}
		// A different place each time, and ever later: a prediction is not saved.
		at := 2 + runs*5%7 + runs/3
		_, done = runOnce(t, broken, small, &quiet{stop: func(calls int) bool { return calls >= at }})
	}
	if runs < 5 {
		t.Fatalf("only %d runs: nothing was interrupted", runs)
	}
	if got := resultsText(t, broken); !bytes.Equal(got, want) {
		g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
		for i := range w {
			if i >= len(g) || g[i] != w[i] {
				t.Fatalf("after %d runs, line %d of %d is\n%.300s\nundisturbed\n%.300s", runs, i+1, len(w), g[min(i, len(g)-1)], w[i])
			}
		}
		t.Fatalf("after %d runs there are %d more lines", runs, len(g)-len(w))
	}
}

// A job that fails says where and why, and the others go on.
func TestFailureIsolated(t *testing.T) {
	text := strings.Replace(small, "lr = 1e-2", "optimizer = \"sgd\"\nlr = 1e-2", 1)
	text = strings.Replace(text, "name = \"deterministic\"\n", "name = \"deterministic\"\n[method.train]\nlr = 1e30\n", 1)
	dir := t.TempDir()
	q := &quiet{}
	sum, _ := runOnce(t, dir, text, q)
	if len(sum.Failed) != 2 || sum.Done != 10 {
		t.Fatalf("%d done, want the 2 deterministic jobs failed and 10 done:\n%s", sum.Done, strings.Join(q.notes, "\n"))
	}
	failed := 0
	for _, o := range q.ended {
		if o.Failed != nil {
			failed++
			if s := o.Failed.Error(); !strings.Contains(s, "train, step ") || !strings.Contains(s, "loss is ") {
				t.Errorf("cause %q does not name step and loss", s)
			}
		}
	}
	if failed != 2 {
		t.Errorf("%d failures reported, want 2", failed)
	}
}

// A run directory that cannot be written to ends the run: the job at work has
// not failed, and the others are not trained for nothing. Also where the run was
// told to end, which must then not be taken for saved.
func TestUnwritableEndsTheRun(t *testing.T) {
	whole := t.TempDir()
	runOnce(t, whole, small, &quiet{})
	for _, told := range []bool{false, true} {
		dir := t.TempDir()
		s, jobs := plan(t, small)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ids := make([]string, len(jobs))
		for i, j := range jobs {
			ids[i] = j.ID
		}
		run, err := results.Open(ctx, dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
		if err != nil {
			t.Fatal(err)
		}
		block := filepath.Join(dir, "jobs", ids[0], "curve.csv") // no file can take a directory's place
		q := &quiet{end: cancel, stop: func(int) bool {
			if err := os.MkdirAll(block, 0o755); err != nil {
				t.Error(err)
			}
			return told
		}}
		if _, err := bench.Run(ctx, run, jobs, q); err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), block) {
			t.Errorf("told to end %v: error %v, want one about %s", told, err, block)
		}
		if _, err := run.Manifest(ids[0]); !errors.Is(err, os.ErrNotExist) || len(q.ended) > 0 {
			t.Errorf("told to end %v: %d jobs ended, manifest %v", told, len(q.ended), err)
		}
		run.Close()
		if err := os.Remove(block); err != nil {
			t.Fatal(err)
		}
		if sum, _ := runOnce(t, dir, small, &quiet{}); sum.Done != 12 || !bytes.Equal(resultsText(t, dir), resultsText(t, whole)) {
			t.Errorf("told to end %v: then %d jobs done, want 12 and the same bits", told, sum.Done)
		}
	}
}

// What an ensemble needs that failed makes it fail, by name.
func TestFailedMember(t *testing.T) {
	text := small[:strings.Index(small, "[[method]]")] + `[[method]]
name = "ensemble"
members = 2
[method.of]
name = "deterministic"
[method.of.train]
optimizer = "sgd"
lr = 1e30
`
	q := &quiet{}
	sum, _ := runOnce(t, t.TempDir(), text, q)
	if sum.Done != 0 {
		t.Fatalf("%+v, want all failed", sum)
	}
	last := q.ended[len(q.ended)-1].Failed.Error()
	if !strings.Contains(last, "which it needs, failed") {
		t.Errorf("the ensemble's cause: %s", last)
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"method", `name = "ffg"`, `name = "fgf"`, `did you mean "ffg"?`},
		{"model", "softmax-regression", "softmax-regresion", `did you mean "softmax-regression"?`},
		{"data", `name = "blobs"`, `name = "blob"`, `"blobs"`},
		{"backend", `backend = "gonum"`, `backend = "gonun"`, `did you mean "gonum"?`},
		{"method key", "warmup_end = 2", "warmup_ende = 2", `small.toml:24: unknown key "method.warmup_ende"; did you mean "warmup_end"?`},
		{"method value", "warmup_end = 2", "warmup_end = 20", `small.toml:`},
		{"batch", "batch = 50", "batch = 5000", `train.batch: want at most the 600 training examples`},
		{"likelihood", "[train]", "[likelihood]\nname = \"gausian\"\n[train]", `small.toml:10: likelihood.name = "gausian": want one of`},
		{"likelihood of numbers", "[train]", "[likelihood]\nname = \"gaussian\"\n[train]", `small.toml:10: likelihood.name = "gaussian": want`},
		{"normalisation of numbers", "name = \"blobs\"", "name = \"blobs\"\nnormalise = \"none\"", `small.toml:7: data.normalise: `},
		{"nested table", "[method.of]\nname = \"ffg\"\n", "", `of`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.old, c.new, 1)
			if text == small {
				t.Fatal("the case changes nothing")
			}
			s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
			if err == nil {
				_, err = bench.Plan(context.Background(), s, &bench.Sets{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant      %s", err, c.want)
			}
		})
	}
}

func TestFilter(t *testing.T) {
	_, jobs := plan(t, small)
	some, err := bench.Filter{Methods: []string{"ensemble(ffg)"}, Seeds: []uint32{1}}.Select(jobs)
	if err != nil {
		t.Fatal(err)
	}
	// The ensemble and its three members.
	if len(some) != 4 || some[3].Config.Method.Label() != "ensemble(ffg)" {
		t.Errorf("%d jobs selected, want 4", len(some))
	}
	if _, err := (bench.Filter{Methods: []string{"sparse-dv"}}).Select(jobs); err == nil || !strings.Contains(err.Error(), `"sparse-vd"`) {
		t.Errorf("a filter that nothing fits: %v", err)
	}
}

// An attack within ε hurts, more steps hurt at least as much, and corruption
// lines carry kind and severity.
func TestAttackAndShift(t *testing.T) {
	text := strings.Replace(small[:strings.Index(small, "[[method]]")], "every = 1", `every = 1
target = 0.3
attack = ["fgsm", "pgd"]
epsilon = 0.05
shift = ["gaussian-noise-5"]
train = true`, 1) + "[[method]]\nname = \"ffg\"\n"
	q := &quiet{}
	if sum, _ := runOnce(t, t.TempDir(), text, q); sum.Done != 2 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	value := func(r results.Record, unit string) float64 {
		x, ok := r.Value(unit)
		if !ok {
			t.Fatalf("%s has no %s", r.Name(), unit)
		}
		return x
	}
	var clean, fgsm, pgd, shifted float64
	reached := false
	for _, r := range q.ended[0].Records {
		if s, ok := r.Value("time_to_accuracy-sec"); ok && s > 0 {
			reached = true
		}
		switch name := r.Name(); {
		case strings.Contains(name, "attack=fgsm/epsilon=0.05"):
			fgsm = value(r, "adv-nll")
		case strings.Contains(name, "attack=pgd"):
			pgd = value(r, "adv-nll")
		case strings.Contains(name, "corruption=gaussian-noise/severity=5"):
			shifted = value(r, "nll")
		case strings.Contains(name, "predict=sample/samples=4"):
			clean = value(r, "nll")
			if e := value(r, "train-error"); !(e > 0 && e < 1) {
				t.Errorf("train-error %g", e)
			}
		}
	}
	if !reached {
		t.Error("no time to an accuracy of 0.3")
	}
	if !(clean > 0 && fgsm > clean && pgd > 0.99*fgsm && shifted > clean) {
		t.Errorf("NLL clean %g, fgsm %g, pgd %g, shifted %g", clean, fgsm, pgd, shifted)
	}
}

// A method compared with itself under the same seed agrees fully; another
// method agrees in part.
func TestReference(t *testing.T) {
	text := strings.Replace(small, "every = 1", "reference = \"ffg\"", 1)
	q := &quiet{}
	if sum, _ := runOnce(t, t.TempDir(), text, q); sum.Done != 12 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	seen := 0
	for _, o := range q.ended {
		for _, r := range o.Records {
			agreement, ok := r.Value("agreement")
			if !ok {
				continue
			}
			seen++
			if tv, _ := r.Value("total_variation"); r.Method == "ffg" || !(agreement > 0.25 && agreement <= 1) || !(tv > 0 && tv < 0.9) {
				t.Errorf("%s: agreement %g, total variation %g", r.Name(), agreement, tv)
			}
		}
	}
	if seen == 0 {
		t.Error("nothing was compared")
	}
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(strings.Replace(text, `"ffg"`, `"fgg"`, 1)), nil)
	if err == nil {
		_, err = bench.Plan(context.Background(), s, &bench.Sets{})
	}
	if err == nil || !strings.Contains(err.Error(), `did you mean "ffg"?`) {
		t.Errorf("an unknown reference: %v", err)
	}
}

// The order of the estimators is that of Kingma et al. 2015, table 1. In a single
// layer the local reparameterisation and a weight sample an example give the
// outputs one distribution, and with it the gradient of FFG's mean; they differ in
// that of what the noise depends on, which with variational dropout is both.
func TestGradientVariance(t *testing.T) {
	text := strings.Replace(small[:strings.Index(small, "[[method]]")], "[eval]", "[eval]\ngradient_draws = 300", 1) +
		"[[method]]\nname = \"ffg\"\ninit_sigma = 0.3\n[[method]]\nname = \"variational-dropout\"\nper = \"weight\"\n"
	dir := t.TempDir()
	q := &quiet{}
	if sum, _ := runOnce(t, dir, text, q); sum.Done != 4 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	jobs, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range jobs {
		mean, noise := map[string]float64{}, map[string]float64{}
		for _, r := range j.Records {
			v, ok := r.Value("gradient_variance")
			if !ok {
				continue
			}
			switch estimator, parameter := r.Sweep[0].Value, r.Sweep[1].Value; parameter {
			case "fc1.w":
				mean[estimator] = v
			case "fc1.rho", "fc1.logalpha":
				noise[estimator] = v
			}
		}
		ffg, ratio := i < 2, mean["datum"]/mean["local"]
		if !(0 < mean["mean"] && mean["mean"] < mean["local"] && mean["datum"] < mean["weight"]) ||
			ffg && math.Abs(ratio-1) > 0.1 || !ffg && ratio < 1.1 {
			t.Errorf("%s: of the mean %v", j.ID, mean)
		}
		if _, ok := noise["mean"]; ok || !(0 < noise["local"] && noise["local"] < noise["datum"] && noise["datum"] < noise["weight"]) {
			t.Errorf("%s: of the noise %v", j.ID, noise)
		}
	}
}

// A run that is stopped before its gradients are compared has not failed, and
// leaves the bytes of an undisturbed one.
func TestGradientVarianceResumes(t *testing.T) {
	text := strings.Replace(small[:strings.Index(small, "[[method]]")], "[eval]", "[eval]\ngradient_draws = 5", 1) + "[[method]]\nname = \"ffg\"\n"
	whole, broken := t.TempDir(), t.TempDir()
	runOnce(t, whole, text, &quiet{})
	for at, done := 1, false; !done; at++ {
		var sum bench.Summary
		q := &quiet{stop: func(calls int) bool { return calls == at }}
		if sum, done = runOnce(t, broken, text, q); len(sum.Failed) > 0 {
			t.Fatalf("stopped at call %d: %s", at, strings.Join(q.notes, "\n"))
		}
	}
	if !bytes.Equal(resultsText(t, broken), resultsText(t, whole)) {
		t.Error("other bytes")
	}
}

func TestGradientDrawsRefused(t *testing.T) {
	for draws, want := range map[string]string{"1": "want at least 2", "2": "one estimator of its gradient"} {
		s, err := suites.Parse(bench.Words(), "small.toml", []byte(small), []string{"eval.gradient_draws=" + draws})
		if err == nil {
			_, err = bench.Plan(context.Background(), s, &bench.Sets{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s draws: %v, want %q", draws, err, want)
		}
	}
}

// One job alone: refused before what it needs is done, failed where that has
// failed, and with the bits of the whole run otherwise.
func TestOneJobAtATime(t *testing.T) {
	whole := t.TempDir()
	runOnce(t, whole, small, &quiet{})
	s, jobs := plan(t, small)
	dir := t.TempDir()
	p := results.Plan{Suite: s.Name, Text: s.Text}
	var ensemble *bench.Job
	for _, j := range jobs {
		p.Jobs = append(p.Jobs, j.ID)
		if ensemble == nil && len(j.Needs) > 1 {
			ensemble = j
		}
	}
	ctx := context.Background()
	run, err := results.Open(ctx, dir, p, results.Worker, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	var needs *bench.NeedsError
	if _, err := bench.Run(ctx, run, []*bench.Job{ensemble}, &quiet{}); !errors.As(err, &needs) || needs.Need != ensemble.Needs[0] {
		t.Errorf("without its members: %v", err)
	}
	member, err := run.Claim(ensemble.Needs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := member.Fail(results.Manifest{}, results.Failure{Phase: "train", Cause: "loss is NaN"}); err != nil {
		t.Fatal(err)
	}
	for _, n := range ensemble.Needs[1:] {
		if _, err := bench.Run(ctx, run, []*bench.Job{n}, &quiet{}); err != nil {
			t.Fatal(err)
		}
	}
	member.Release()
	q := &quiet{}
	if sum, err := bench.Run(ctx, run, []*bench.Job{ensemble}, q); err != nil || len(sum.Failed) != 1 || !strings.Contains(strings.Join(q.notes, ""), "loss is NaN") {
		t.Errorf("with a member that failed: %+v, %v, %q", sum, err, q.notes)
	}
	for _, j := range jobs {
		if sum, err := bench.Run(ctx, run, []*bench.Job{j}, &quiet{}); err != nil || len(sum.Failed) > 0 {
			t.Fatalf("%s: %+v, %v", j.Title(), sum, err)
		}
	}
	if got, want := resultsText(t, dir), resultsText(t, whole); !bytes.Equal(got, want) {
		t.Errorf("job by job, the results are\n%s\nand of the whole run\n%s", got, want)
	}
}

// Independent chains of HMC mix: their R̂ is near 1. Chains of so small a rate that they stay where
// they started do not, and what is not a Markov chain has no such numbers. The posterior of a
// hundred examples is wide, so that the chains mix well within the bounds on any kernels.
func TestChainDiagnostics(t *testing.T) {
	text := strings.NewReplacer("[0, 1]", "0", "every = 1\n", "", "train = 600", "train = 100").Replace(small[:strings.Index(small, "[[method]]")]) + `
[[method]]
name = "ensemble"
label = "mixed"
members = 4
[method.of]
name = "hmc"
burn_in = 100
samples = 50
[[method]]
name = "ensemble"
label = "stuck"
members = 4
[method.of]
name = "sgld"
lr = 1e-9
samples = 3
[method.train]
epochs = 4
[[method]]
name = "ensemble"
label = "stuck and long"
members = 4
[method.of]
name = "sgld"
lr = 1e-9
samples = 12
[method.train]
epochs = 12
[[method]]
name = "hmc"
burn_in = 20
samples = 10
[[method]]
name = "svgd"
particles = 5
`
	q := &quiet{}
	dir := t.TempDir()
	if sum, ok := runOnce(t, dir, text, q); !ok || len(sum.Failed) > 0 {
		t.Fatalf("%+v\n%s", sum, strings.Join(q.notes, "\n"))
	}
	found := map[string][2]float64{}
	for _, o := range q.ended {
		for _, r := range o.Records {
			rhat, ok := r.Value("rhat")
			ess, _ := r.Value("ess_bulk")
			if ok {
				found[r.Method] = [2]float64{rhat, ess}
			}
		}
	}
	t.Logf("R-hat and effective draws: %v", found)
	if v := found["mixed"]; !(v[0] > 0.99 && v[0] < 1.15) || v[1] < 20 {
		t.Errorf("four chains of HMC: R-hat %v, effective draws %v", v[0], v[1])
	}
	if v := found["stuck and long"]; !(v[0] > 2) || v[1] > 16 {
		t.Errorf("four chains that stay: R-hat %v, effective draws %v of 48", v[0], v[1])
	}
	if _, ok := found["hmc"]; !ok {
		t.Error("nothing is said of a single chain")
	}
	for _, name := range []string{"stuck", "svgd"} {
		if v, ok := found[name]; ok {
			t.Errorf("%s has R-hat %v", name, v[0])
		}
	}
}

// Methods of one label are told apart by the keys in which they differ, a key of the method that
// the harness has too among them.
func TestTwoOfOneLabel(t *testing.T) {
	text := small[:strings.Index(small, "[[method]]")] + `
[[method]]
name = "ffg"
[[method]]
name = "ffg"
prior_sigma = [0.1, 1]
[[method]]
name = "sgld"
samples = [2, 3]
`
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := bench.Plan(context.Background(), s, &bench.Sets{})
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	for _, j := range jobs {
		titles[strings.TrimPrefix(j.Title(), "blobs softmax-regression ")] = true
	}
	for _, want := range []string{
		"ffg seed 0", "ffg method.prior_sigma=0.1 seed 0", "ffg method.prior_sigma=1 seed 0",
		"sgld method.samples=2 seed 0", "sgld method.samples=3 seed 0",
	} {
		if !titles[want] {
			t.Errorf("no job is called %q: %v", want, titles)
		}
	}
	if len(titles) != len(jobs) {
		t.Errorf("%d titles for %d jobs", len(titles), len(jobs))
	}
}

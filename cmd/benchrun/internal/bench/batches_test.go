package bench_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// scores runs the suite and lists every number that no clock measured, those of
// the curves included, by name.
func scores(t *testing.T, text string, where data.Options, set ...string) map[string]float64 {
	t.Helper()
	s, err := suites.Parse(bench.Words(), "batches.toml", []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := bench.Plan(t.Context(), s, &bench.Sets{Options: where})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	dir := t.TempDir()
	run, err := results.Open(t.Context(), dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	var q quiet
	if _, err := bench.Run(t.Context(), run, jobs, &q); err != nil || len(q.notes) > 0 {
		t.Fatal(err, q.notes)
	}
	out := map[string]float64{}
	for i, o := range q.ended {
		title := jobs[i].Title() + " "
		for _, r := range o.Records {
			for _, v := range r.Values {
				m, _ := metrics.Lookup(v.Unit)
				if m.Family != metrics.Cost {
					out[title+r.Name()+" "+v.Unit] = v.Value
				}
			}
		}
	}
	done, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range done {
		title := jobs[slices.Index(ids, j.ID)].Title()
		for _, column := range []string{"test-error", "test-nll"} {
			for epoch, x := range j.Curve.Column(column) {
				out[fmt.Sprint(title, " ", column, " in epoch ", epoch)] = x
			}
		}
	}
	return out
}

// No number depends on eval.batch, whose last batch may be short: neither on the
// test set, nor on what is attacked, corrupted, out of distribution, nor in the
// curve.
func TestBatchOfEvaluationChangesNothing(t *testing.T) {
	const common = `
[train]
epochs = 2
batch = 8
[eval]
samples = 3
batch = 24
every = 1
train = true
attack = ["fgsm"]
epsilon = 0.05
`
	for _, c := range []struct {
		name, text string
		where      data.Options
		batches    []string
	}{
		{"dense", `name = "batches"
model = "lenet-300-100"
[data]
name = "blobs"
train = 40
test = 53
` + common + `shift = ["gaussian-noise-5"]
[[method]]
name = "dropout"
[[method]]
name = "gaussian-dropout"
[[method]]
name = "ffg"
estimator = "flipout"
[[method]]
name = "laplace"
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "dropout"
`, data.Options{}, []string{"53", "20", "7", "1"}},
		{"convolutional", `name = "batches"
model = "vgg-like-0.03125"
[data]
name = "imagenet-folder"
size = 32
` + common + `ood = ["imagenet-folder"]
[[method]]
name = "dropout"
[[method]]
name = "ffg"
`, data.Options{Dir: photographs(t, 9)}, []string{"9", "4", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := scores(t, c.text, c.where)
			if len(want) < 100 {
				t.Fatalf("%d numbers to compare", len(want))
			}
			batches := c.batches
			if testing.Short() {
				batches = batches[1:2]
			}
			for _, batch := range batches {
				found := scores(t, c.text, c.where, "eval.batch="+batch)
				if len(found) != len(want) {
					t.Errorf("eval.batch %s gives %d numbers, 24 gives %d", batch, len(found), len(want))
				}
				for name, w := range want {
					x, ok := found[name]
					if nan := math.IsNaN(x) && math.IsNaN(w); !ok || !nan && !(math.Abs(x-w) <= 1e-5*(1+math.Abs(w))) {
						t.Errorf("%s: %v in batches of %s, %v of 24", name, x, batch, w)
					}
				}
			}
		})
	}
}

package bench_test

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/suites"
)

// choosing has a method that chooses two of its settings, on two splits.
const choosing = `name = "choosing"
model = "softmax-regression"
seed = 3
[data]
name = "line"
split = [0, 1]
[train]
epochs = 4
batch = 45
[eval]
samples = 6
batch = 30
[[method]]
name = "dropout"
  [method.likelihood]
  noise = "fixed"
  [method.choose]
  metric = "nll"
  samples = 3
  [method.choose.among]
  train.lr = [0.001, 0.1]
  likelihood.tau = [0.1, 4.0]
`

// candidates is the same suite with the settings as lists: on the held-out examples, and on all.
func candidates(heldOut bool) string {
	text, _, _ := strings.Cut(choosing, "  [method.choose]")
	text = strings.Replace(text, "batch = 45", "batch = 45\nlr = [0.001, 0.1]", 1)
	text = strings.Replace(text, `noise = "fixed"`, "noise = \"fixed\"\n  tau = [0.1, 4.0]", 1)
	if heldOut {
		text = strings.Replace(text, "split = [0, 1]", "split = [0, 1]\nvalidation_last = 0.2", 1)
		text = strings.Replace(text, "samples = 6", "samples = 3", 1)
	}
	return text
}

// values are the metrics of the records of a run that keep accepts, by split and the settings lr
// and tau, at their largest K.
func values(t *testing.T, dir string, keep func(r *results.Record) bool) map[string]results.Record {
	t.Helper()
	set, err := results.ReadFile(filepath.Join(dir, "results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]results.Record{}
	for _, r := range set.Records {
		if keep(&r) {
			at := fmt.Sprintf("split %s lr %s tau %s", r.ConfigValue("data-split"), sweep(&r, "train.lr"), sweep(&r, "likelihood.tau"))
			if r.Samples > out[at].Samples {
				out[at] = r
			}
		}
	}
	return out
}

func sweep(r *results.Record, key string) string {
	i := slices.IndexFunc(r.Sweep, func(p results.Pair) bool { return p.Key == key })
	if i < 0 {
		return ""
	}
	return r.Sweep[i].Value
}

func unit(t *testing.T, r results.Record, name string) float64 {
	t.Helper()
	for _, v := range r.Values {
		if v.Unit == name {
			return v.Value
		}
	}
	t.Fatalf("no %s in %v", name, r.Values)
	return 0
}

// The settings that a method chooses are those with the least metric on the held-out examples,
// split by split, and its scores are those of the same settings trained on all training examples,
// bit for bit. Here both are found by plain suites.
func TestChoose(t *testing.T) {
	dir, trials, finals := t.TempDir(), t.TempDir(), t.TempDir()
	for at, text := range map[string]string{dir: choosing, trials: candidates(true), finals: candidates(false)} {
		q := &quiet{}
		if sum, _ := runOnce(t, at, text, q); len(sum.Failed) > 0 {
			t.Fatal(q.notes)
		}
	}
	listed := map[string]bool{}
	for _, text := range []string{choosing, candidates(false)} {
		_, jobs := plan(t, text)
		for _, j := range jobs {
			listed[j.ID] = j.Listed
		}
	}
	predicted := func(r *results.Record) bool {
		return sweep(r, "predict") == "mean" && sweep(r, "split") == "" && listed[r.Origin.Job]
	}
	heldOut := values(t, trials, func(r *results.Record) bool {
		return sweep(r, "predict") == "mean" && sweep(r, "split") == "validation"
	})
	all := values(t, finals, predicted)
	found := values(t, dir, predicted)
	if len(found) != 2 || len(heldOut) != 8 || len(all) != 8 {
		t.Fatalf("%d, %d and %d records: want 2 splits, and 4 candidates of each", len(found), len(heldOut), len(all))
	}
	for split := range 2 {
		best, least := "", math.Inf(1)
		for at, r := range heldOut {
			if x := unit(t, r, "nll"); strings.HasPrefix(at, fmt.Sprintf("split %d ", split)) && x < least {
				best, least = at, x
			}
		}
		var got results.Record
		for at, r := range found {
			if strings.HasPrefix(at, fmt.Sprintf("split %d ", split)) {
				got = r
			}
		}
		for _, name := range []string{"rmse", "nll", "crps"} {
			if g, w := unit(t, got, name), unit(t, all[best], name); g != w {
				t.Errorf("split %d: %s is %v, want that of %s, %v", split, name, g, best, w)
			}
		}
	}
}

// Interrupted at any moment, a choice goes on and ends with the same bytes.
func TestChooseResumes(t *testing.T) {
	whole := t.TempDir()
	q := &quiet{}
	runOnce(t, whole, choosing, q)
	want := resultsText(t, whole)
	for _, every := range []int{4, 9} {
		dir := t.TempDir()
		for round := 0; ; round++ {
			if round > 200 {
				t.Fatal("it does not end")
			}
			q := &quiet{stop: func(calls int) bool { return calls > every }}
			if _, whole := runOnce(t, dir, choosing, q); whole {
				break
			}
		}
		if got := resultsText(t, dir); !bytes.Equal(got, want) {
			t.Errorf("interrupted after every %d reports:\n%s\nwant\n%s", every, got, want)
		}
	}
}

// What cannot be chosen is refused before anything trains, with the line and what is wanted.
func TestChooseRefusals(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`metric = "nll"`, `metric = "error"`, `improves downwards, found "error"`},
		{`metric = "nll"`, `metric = "picp95"`, `improves downwards, found "picp95"`},
		{`metric = "nll"`, ``, "want a metric"},
		{`samples = 3`, `holdout = 1.0`, "want a share in (0, 1), found 1"},
		{`samples = 3`, `sample = 3`, `unknown key "method.choose.sample"; did you mean "samples"?`},
		{`samples = 3`, `samples = 0`, "want at least 1, found 0"},
		{`train.lr = [0.001, 0.1]`, `train.lr = [0.001, -1.0]`, "train.lr: want more than 0, found -1"},
		{`train.lr = [0.001, 0.1]`, `rate = [0.001, 0.1]`, `unknown key "method.rate"`},
		{`likelihood.tau = [0.1, 4.0]`, `likelihood.tau = [4.0, 4.0]`, "want each value once"},
		{"[0.001, 0.1]\n  likelihood.tau = [0.1, 4.0]", "[0.1]", "want lists of values"},
		{"[0.001, 0.1]", "0.1", "method.choose.among.train.lr: want a list, found a number"},
		{"[0.001, 0.1]", "[0.001, nan]", "method.choose.among.train.lr: want a finite number, found NaN"},
		{"[0.001, 0.1]", "[0.001, inf]", "train.lr: want more than 0, found +Inf"},
		{"[0.001, 0.1]", "[0.001, 0.1]\n  label = [\"a\", \"b\"]", `found "label"`},
		{"[0.001, 0.1]", "[0.001, 0.1]\n  choose = [1, 2]", "method.choose.among.choose: want a table"},
		{"[0.001, 0.1]", "[0.001, 0.1]\n  choose.metric = [\"nll\", \"rmse\"]", `found "choose"`},
		{"noise = \"fixed\"", "noise = \"fixed\"\n  tau = 1.0", "method.choose.among.likelihood.tau: want no fixed value beside it, found 1 in the method"},
		{"samples = 3", "holdout = 0.999", "method.choose.holdout: "},
		{"samples = 3", "holdout = nan", "method.choose.holdout: want a finite number, found NaN"},
		{`split = [0, 1]`, "split = [0, 1]\nvalidation = 5", "want no data.validation beside it"},
	} {
		text := strings.Replace(choosing, c.old, c.new, 1)
		if text == choosing {
			t.Fatalf("%q is not in the suite", c.old)
		}
		if err := planError(t, text); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), ".toml:") {
			t.Errorf("%q: %v, want a line and %q", c.new, err, c.want)
		}
	}
}

// planError is why the suite is refused.
func planError(t *testing.T, text string) error {
	t.Helper()
	s, err := suites.Parse(bench.Words(), "choose.toml", []byte(text), nil)
	if err != nil {
		return err
	}
	_, err = bench.Plan(t.Context(), s, &bench.Sets{})
	return err
}

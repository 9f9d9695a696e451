package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
	"bayesbench/results"
)

// stopping trains on labels at random, so that what is learnt soon makes the held-out examples
// worse.
const stopping = `name = "stop"
model = "mlp-50"
backend = "gonum"
[data]
name = "blobs"
train = 120
test = 60
validation = 60
random_labels = "train"
[train]
epochs = 40
batch = 20
lr = 1e-2
early_stopping = "nll"
patience = 3
min_delta = 1e-3
[eval]
samples = 2
batch = 60
[[method]]
name = "deterministic"
prior_sigma = inf
[[method]]
name = "ffg"
kl_weight = 1e-3
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "dropout"
p = 0.1
[[method]]
name = "laplace"
structure = "diag"
[[method]]
name = "distill"
[method.teacher]
name = "deterministic"
`

// byRule is the best epoch, from 1, and the last one of a training that measured so: the rule of
// Keras' EarlyStopping(patience, min_delta) with restore_best_weights.
func byRule(values []float64, patience int, minDelta float64) (best, last int) {
	least, wait := math.Inf(1), 0
	for i, v := range values {
		if wait++; v < least-minDelta {
			least, best, wait = v, i+1, 0
		}
		if wait >= patience {
			return best, i + 1
		}
	}
	return best, len(values)
}

// state is the tensors of a finished job's checkpoint.
func state(t *testing.T, dir, text, id string) map[string]results.Tensor {
	t.Helper()
	_, jobs := plan(t, text)
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	run, err := results.Open(context.Background(), dir, results.Plan{Suite: "stop", Text: []byte(text), Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	c, err := run.Checkpoint(id, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]results.Tensor{}
	for _, tensor := range c.Tensors {
		out[tensor.Name] = tensor
	}
	return out
}

// Training ends by the rule on the validation NLL that its curve has, and the weights and all that
// stands beside them are those of a training of as many epochs as the best one, bit for bit.
// Records and manifest say where it ended, and the validation split is scored by every method.
func TestEarlyStopping(t *testing.T) {
	dir := t.TempDir()
	q := &quiet{}
	if sum, _ := runOnce(t, dir, stopping, q); len(sum.Failed) > 0 {
		t.Fatal(q.notes)
	}
	finished, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	early := 0
	for _, j := range finished {
		scored := slices.ContainsFunc(j.Records, func(r results.Record) bool {
			return slices.Contains(r.Sweep, results.Pair{Key: "split", Value: "validation"})
		})
		if !scored {
			t.Errorf("%s: the validation split is not scored", j.Records[0].Method)
		}
		if strings.HasPrefix(j.Records[0].Method, "ensemble") {
			if j.Manifest.Stopping != nil {
				t.Errorf("the ensemble itself stopped: %+v", j.Manifest.Stopping)
			}
			continue
		}
		values := slices.DeleteFunc(j.Curve.Column("validation-nll"), math.IsNaN) // laplace's curvature is another stage
		best, last := byRule(values, 3, 1e-3)
		s := j.Manifest.Stopping
		if s == nil || s.Best != best || s.Epochs != last || len(values) != last || s.Value != values[best-1] || s.Metric != "nll" {
			t.Errorf("%s: %+v of %d epochs, by the rule the best is %d and the last %d", j.Records[0].Method, s, len(values), best, last)
			continue
		}
		if last < 40 {
			early++
		}
		for unit, want := range map[string]int{"epochs": last, "best_epoch": best} {
			found := slices.ContainsFunc(j.Records, func(r results.Record) bool { x, ok := r.Value(unit); return ok && x == float64(want) })
			if !found {
				t.Errorf("%s: no record says %s = %d", j.Records[0].Method, unit, want)
			}
		}
	}
	if early < 3 {
		t.Errorf("%d trainings ended early, want 3 at least, or nothing is tested", early)
	}

	_, jobs := plan(t, stopping)
	for _, j := range jobs {
		name := j.Config.Method.Label()
		if !j.Listed || name != "deterministic" && name != "ffg" {
			continue
		}
		var manifest results.Manifest
		text, err := os.ReadFile(filepath.Join(dir, "jobs", j.ID, "manifest.json"))
		if err == nil {
			err = json.Unmarshal(text, &manifest)
		}
		if err != nil || manifest.Stopping == nil {
			t.Fatal(name, err)
		}
		short := strings.Replace(stopping, "epochs = 40", fmt.Sprintf("epochs = %d", manifest.Stopping.Best), 1)
		short = strings.Replace(short, "early_stopping = \"nll\"\npatience = 3\nmin_delta = 1e-3\n", "", 1)
		other := t.TempDir()
		if sum, _ := runOnce(t, other, short, &quiet{}); len(sum.Failed) > 0 {
			t.Fatal(sum)
		}
		_, shorter := plan(t, short)
		i := slices.IndexFunc(shorter, func(k *bench.Job) bool { return k.Config.Method.Label() == name })
		got, want := state(t, dir, stopping, j.ID), state(t, other, short, shorter[i].ID)
		if len(got) != len(want) {
			t.Errorf("%s: %d tensors, want %d", name, len(got), len(want))
		}
		for slot := range want {
			if !slices.Equal(got[slot].F32, want[slot].F32) {
				t.Errorf("%s: %s is not that after epoch %d", name, slot, manifest.Stopping.Best)
			}
		}
	}
}

// A training that is interrupted again and again stops where an undisturbed one does, with its
// bits.
func TestEarlyStoppingResumes(t *testing.T) {
	text := stopping[:strings.Index(stopping, "[[method]]\nname = \"ensemble\"")]
	whole, broken := t.TempDir(), t.TempDir()
	if sum, _ := runOnce(t, whole, text, &quiet{}); len(sum.Failed) > 0 {
		t.Fatal(sum)
	}
	stopped := map[string]bool{}
	once := func(j *bench.Job, step int) bool {
		at := fmt.Sprint(j.ID, step)
		before := stopped[at]
		stopped[at] = true
		return !before
	}
	for done := false; !done; {
		_, done = runOnce(t, broken, text, &quiet{stopAt: once})
	}
	if len(stopped) < 10 {
		t.Errorf("stopped %d times", len(stopped))
	}
	if got, want := resultsText(t, broken), resultsText(t, whole); !bytes.Equal(got, want) {
		t.Errorf("interrupted:\n%s\nundisturbed:\n%s", got, want)
	}
}

// Early stopping is refused of a method that has no best epoch, without examples to measure on, by
// a metric that no epoch has, and without the epochs to wait.
func TestEarlyStoppingRefused(t *testing.T) {
	for _, d := range methods.Drivers() {
		text := stopping[:strings.Index(stopping, "[[method]]")] + "[[method]]\nname = \"dropout\"\nlabel = \"beside it\"\n" + fmt.Sprintf("[[method]]\nname = %q\n%s\n", d.Name, brief[d.Name])
		err := planned(text)
		refused := slices.Contains([]string{"sgld", "psgld", "sghmc", "csgmcmc", "hmc", "snapshot", "swa", "swag", "svgd", "magnitude-pruning", "bayesian-dark-knowledge"}, d.Name)
		if (err != nil) != refused {
			t.Errorf("%s: %v, want it refused: %v", d.Name, err, refused)
		}
		if err != nil && !strings.Contains(err.Error(), `say early_stopping = "" in its [method.train]`) {
			t.Errorf("%s: %v", d.Name, err)
		}
		if refused {
			off := strings.Replace(text, fmt.Sprintf("name = %q\n%s\n", d.Name, brief[d.Name]), fmt.Sprintf("name = %q\n%s\n[method.train]\nearly_stopping = \"\"\n", d.Name, brief[d.Name]), 1)
			if err := planned(off); err != nil {
				t.Errorf("%s without early stopping: %v", d.Name, err)
			}
		}
	}
	for _, c := range []struct{ old, new, want string }{
		{"validation = 60\n", "", `train.early_stopping: want examples held out of training to measure on, found none; set data.validation`},
		{`"nll"`, `"accuracy"`, `small.toml:14: train.early_stopping: want one of ["error" "nll"], which each epoch is measured by, found "accuracy"`},
		{"patience = 3\n", "", "small.toml:14: train.early_stopping: want train.patience beside it"},
		{"patience = 3", "patience = -1", "small.toml:15: train.patience: want at least 0, found -1"},
		{"min_delta = 1e-3", "min_delta = -1.0", "small.toml:16: train.min_delta: want a finite number, 0 or more, found -1"},
		{"early_stopping = \"nll\"\n", "", "small.toml:14: train.patience: want train.early_stopping beside it"},
	} {
		if err := planned(strings.Replace(stopping, c.old, c.new, 1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v\nwant %s", c.new, err, c.want)
		}
	}
}

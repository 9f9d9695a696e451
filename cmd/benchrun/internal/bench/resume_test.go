package bench_test

import (
	"bytes"
	"fmt"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
)

// Every method, interrupted after every step that it reports and started again, leaves the bytes of
// an undisturbed run, also where each epoch draws its own augmentation and mixup: those of full
// batches too. Under -short it is every second method.
func TestEveryMethodResumesWithDrawnInputs(t *testing.T) {
	text := `name = "resume"
model = "softmax-regression"
backend = "gonum"
[data]
name = "blobs"
train = 80
test = 40
[train]
epochs = 5
batch = 20
lr = 1e-3
augment = ["flip", "pad-crop-1"]
mixup = 0.3
[eval]
samples = 2
batch = 40
`
	var drivers []methods.Driver
	for i, d := range methods.Drivers() {
		if !testing.Short() || i%2 == 0 {
			drivers = append(drivers, d)
		}
	}
	for _, d := range drivers {
		keys := brief[d.Name]
		if d.Name == "hmc" {
			keys = "step_size = 1e-3\nleapfrog = 3\nburn_in = 2\nsamples = 3"
		}
		text += fmt.Sprintf("[[method]]\nname = %q\n%s\n", d.Name, keys)
	}
	whole := t.TempDir()
	q := &quiet{}
	if sum, _ := runOnce(t, whole, text, q); len(sum.Failed) > 0 || sum.Done < len(drivers) {
		t.Fatalf("undisturbed: %+v\n%v", sum, q.notes)
	}
	want := resultsText(t, whole)

	broken := t.TempDir()
	stopped := map[string]map[int]bool{} // by method and step
	once := func(j *bench.Job, step int) bool {
		if testing.Short() && step%4 > 1 {
			return false
		}
		name := j.Config.Method.Name()
		if stopped[name] == nil {
			stopped[name] = map[int]bool{}
		}
		before := stopped[name][step]
		stopped[name][step] = true
		return !before
	}
	for done := false; !done; {
		_, done = runOnce(t, broken, text, &quiet{stopAt: once})
	}
	for _, d := range drivers {
		// An ensemble trains nothing of its own, and a program of another tells no steps.
		if n := len(stopped[d.Name]); n < 2 && d.Name != "ensemble" && d.Name != "external" {
			t.Errorf("%s was stopped at %d steps, want at least 2", d.Name, n)
		}
	}
	if got := resultsText(t, broken); !bytes.Equal(got, want) {
		g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
		for i := range min(len(g), len(w)) {
			if !bytes.Equal(g[i], w[i]) {
				t.Errorf("line %d is\n%.300s\nundisturbed\n%.300s", i+1, g[i], w[i])
			}
		}
		if len(g) != len(w) {
			t.Errorf("%d lines, undisturbed %d", len(g), len(w))
		}
	}
}

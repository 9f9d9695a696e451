package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
	"bayesbench/suites/data"
	"bayesbench/suites/data/pixel"
)

// What data.validation holds out is scored: every predictor of every listed job
// has the test metrics of it at its largest K, the learning curve has its error
// and NLL, and both are those of the trained weights on the held-out examples,
// computed here by hand. The rows of the test set stay as they are.
func TestValidationIsScored(t *testing.T) {
	dir := t.TempDir()
	q := &quiet{}
	text := strings.Replace(small, "test = 200", "test = 200\nvalidation = 90", 1)
	if sum, _ := runOnce(t, dir, text, q); len(sum.Failed) > 0 {
		t.Fatal(q.notes)
	}
	set, err := results.ReadFile(dir + "/results.txt")
	if err != nil {
		t.Fatal(err)
	}
	value := func(r *results.Record, key string) string {
		i := slices.IndexFunc(r.Sweep, func(p results.Pair) bool { return p.Key == key })
		if i < 0 {
			return ""
		}
		return r.Sweep[i].Value
	}
	test, validation := map[string]results.Record{}, map[string]results.Record{}
	for _, r := range set.Records {
		predictor := value(&r, "predict")
		if predictor == "" {
			continue
		}
		row := fmt.Sprint(r.Method, " ", predictor, " ", r.Seed())
		switch value(&r, "split") {
		case "":
			if r.Samples > test[row].Samples {
				test[row] = r
			}
		case "validation":
			if _, ok := validation[row]; ok {
				t.Errorf("%s: two lines of the validation split", row)
			}
			validation[row] = r
		}
	}
	if len(test) != 22 || len(validation) != len(test) { // 7 predictors and those of 2 members more, 2 seeds
		t.Fatalf("%d predictors, %d of them on the validation split", len(test), len(validation))
	}
	for row, want := range test {
		got := validation[row]
		if got.Samples != want.Samples {
			t.Errorf("%s: validation at K = %d, test at %d", row, got.Samples, want.Samples)
		}
		for _, unit := range []string{"error", "nll", "ece15-lorc", "brier_sum"} {
			if _, ok := got.Value(unit); !ok {
				t.Errorf("%s: no %s on the validation split", row, unit)
			}
		}
	}

	held, err := data.Open(context.Background(), "blobs", data.Options{TrainLimit: 600, TestLimit: 200, Validation: 90})
	if err != nil {
		t.Fatal(err)
	}
	_, jobs := plan(t, text)
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	run, err := results.Open(context.Background(), dir, results.Plan{Suite: "small", Text: []byte(text), Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	wrong, nll := byHand(t, run, jobs[0].ID, held.Validation)
	line := validation["deterministic mean 0"]
	if got, _ := line.Value("error"); math.Abs(got-wrong) > 1e-9 {
		t.Errorf("validation error %v, by hand %v", got, wrong)
	}
	if got, _ := line.Value("nll"); math.Abs(got-nll) > 1e-5 {
		t.Errorf("validation NLL %v, by hand %v", got, nll)
	}
	finished, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range finished {
		curve, last := j.Curve, len(j.Curve.Rows)-1
		if j.ID != jobs[0].ID {
			continue
		}
		if e, n := curve.Column("validation-error"), curve.Column("validation-nll"); math.Abs(e[last]-wrong) > 1e-9 || math.Abs(n[last]-nll) > 1e-5 {
			t.Errorf("the curve ends at a validation error of %v and an NLL of %v, by hand %v and %v", e[last], n[last], wrong, nll)
		}
		return
	}
	t.Error("the job has no curve")
}

// Without examples held out nothing speaks of a validation split.
func TestNoValidation(t *testing.T) {
	dir := t.TempDir()
	runOnce(t, dir, small, &quiet{})
	if text := resultsText(t, dir); bytes.Contains(text, []byte("split=")) {
		t.Errorf("lines of a split that is empty:\n%s", text)
	}
	finished, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range finished {
		if slices.ContainsFunc(j.Curve.Columns, func(c string) bool { return strings.HasPrefix(c, "validation") }) {
			t.Errorf("columns %q", j.Curve.Columns)
		}
	}
}

// byHand is error and NLL of a softmax regression's stored weights on a split.
func byHand(t *testing.T, run *results.Run, id string, split data.Split) (wrong, nll float64) {
	c, err := run.Checkpoint(id, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string]results.Tensor{}
	for _, tensor := range c.Tensors {
		weights[tensor.Name] = tensor
	}
	w, b := weights["fc1.w"].F32, weights["fc1.b"].F32
	labels := data.Labels(split)
	for i := range split.Len() {
		x := pixels(t, split, i)
		out, sum := make([]float64, len(b)), 0.0
		for c := range out {
			out[c] = float64(b[c])
			for f, v := range x {
				out[c] += float64(w[c*len(x)+f]) * float64(v) / 255
			}
		}
		for _, f := range out {
			sum += math.Exp(f)
		}
		label := labels[i]
		nll += (math.Log(sum) - out[label]) / float64(split.Len())
		if slices.Max(out) > out[label] {
			wrong += 1 / float64(split.Len())
		}
	}
	return wrong, nll
}

// pixels are those of an image that has its split's shape.
func pixels(t *testing.T, split data.Split, i int) []uint8 {
	t.Helper()
	e, err := split.Example(i)
	if err != nil {
		t.Fatal(err)
	}
	var scratch pixel.Image
	return e.Picture.Image(&scratch).Pix
}

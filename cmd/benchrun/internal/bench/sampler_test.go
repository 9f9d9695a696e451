package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"bayesbench/results"
	"bayesbench/suites/data"
)

const samplersSuite = `name = "samplers"
model = "softmax-regression"
[data]
name = "blobs"
train = 300
test = 100
[train]
epochs = 350
batch = 50
[eval]
batch = 100
[[method]]
name = "sgld"
label = "stable"
lr = 0.1
gamma = 0.0
samples = 5
[[method]]
name = "sgld"
label = "unstable"
lr = 4.0
gamma = 0.0
samples = 5
[[method]]
name = "sghmc"
lr = 0.1
friction = 0.3
samples = 5
[[method]]
name = "csgmcmc"
[[method]]
name = "psgld"
lr = 1e-3
gamma = 0.0
samples = 5
[[method]]
name = "hmc"
leapfrog = 10
samples = 5
burn_in = 20
`

// A sampler's job records the largest eigenvalue of D·H at its last state. Here H
// is in closed form, of softmax regression on all examples,
//
//	H = 1/N Σ (diag(p) − ppᵀ)⊗x̃x̃ᵀ + I/(σ²N),  x̃ = (x, 1)
//
// and its eigenvalues are LAPACK's way. The unstable chain is warned of, the
// stable ones are not, and a second run gives the same bits.
func TestCurvatureStep(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	q := &quiet{}
	if sum, _ := runOnce(t, dir, samplersSuite, q); len(sum.Failed) > 0 {
		t.Fatal(q.notes)
	}
	runOnce(t, again, samplersSuite, &quiet{})
	if !bytes.Equal(resultsText(t, dir), resultsText(t, again)) {
		t.Error("two runs differ")
	}
	warned := 0
	for _, note := range q.notes {
		if strings.Contains(note, "the curvature times the step") {
			warned++
			if !strings.Contains(note, "smaller lr") {
				t.Errorf("%q does not name the key", note)
			}
		}
	}
	if warned != 1 {
		t.Errorf("%d warnings, want one, of the unstable chain: %q", warned, q.notes)
	}

	set, err := data.Open(context.Background(), "blobs", data.Options{TrainLimit: 300, TestLimit: 100})
	if err != nil {
		t.Fatal(err)
	}
	const steps, rate = 350 * 6, 0.1
	cycle := steps / 4.0
	cyclical := rate / 2 * (math.Cos(math.Pi*math.Floor(0.8*cycle)/cycle) + 1)
	_, jobs := plan(t, samplersSuite)
	var ids []string
	label := map[string]string{}
	for _, j := range jobs {
		ids = append(ids, j.ID)
		label[j.ID] = j.Config.Method.Label()
	}
	run, err := results.Open(context.Background(), dir, results.Plan{Suite: "samplers", Text: []byte(samplersSuite), Jobs: ids}, results.Alone, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	finished, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(finished) != 6 {
		t.Fatalf("%d jobs", len(finished))
	}
	for _, j := range finished {
		c, err := run.Checkpoint(j.ID, 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		state := map[string][]float64{}
		for _, tensor := range c.Tensors {
			for _, x := range tensor.F32 {
				state[tensor.Name] = append(state[tensor.Name], float64(x))
			}
		}
		w, b := state["fc1.w"], state["fc1.b"]
		scale := make([]float64, len(w)+len(b))
		v := append(slices.Clone(state["fc1.w/v"]), state["fc1.b/v"]...)
		for k := range scale {
			switch label[j.ID] {
			case "stable", "sghmc":
				scale[k] = rate
			case "unstable":
				scale[k] = 4
			case "csgmcmc":
				scale[k] = cyclical
			case "psgld":
				scale[k] = 1e-3 / (1e-5 + math.Sqrt(v[k]))
			case "hmc":
				eps := math.Exp(state["hmc/log-step-average"][0]) * 1.2
				scale[k] = eps * eps * 300
			}
		}
		want := largest(t, set.Train, w, b, scale)
		got := math.NaN()
		for _, r := range j.Records {
			if x, ok := r.Value("curvature_step"); ok {
				got = x
			}
		}
		if !(math.Abs(got-want) <= 0.01*want) {
			t.Errorf("%s: curvature_step %v, exact %v", label[j.ID], got, want)
		}
	}
}

// largest is the largest eigenvalue of √D·H·√D of a softmax regression.
func largest(t *testing.T, split data.Split, w, b, scale []float64) float64 {
	t.Helper()
	classes, n := len(b), float64(split.Len())
	features := len(w) / classes
	h := mat.NewSymDense(len(scale), nil)
	place := func(c, f int) int { // the weight of feature f, or the bias, of class c
		if f == features {
			return len(w) + c
		}
		return c*features + f
	}
	x, p := make([]float64, features+1), make([]float64, classes)
	for i := range split.Len() {
		for f, v := range pixels(t, split, i) {
			x[f] = float64(v) / 255
		}
		x[features] = 1
		total := 0.0
		for c := range p {
			z := b[c]
			for f := range features {
				z += w[c*features+f] * x[f]
			}
			p[c] = math.Exp(z)
			total += p[c]
		}
		for c := range p {
			for d := range p {
				curvature := -p[c] / total * p[d] / total
				if c == d {
					curvature += p[c] / total
				}
				for f := range x {
					for g := range x {
						if a, e := place(c, f), place(d, g); a <= e {
							h.SetSym(a, e, h.At(a, e)+curvature*x[f]*x[g]/n)
						}
					}
				}
			}
		}
	}
	for a := range scale {
		for e := a; e < len(scale); e++ {
			v := h.At(a, e)
			if a == e {
				v += 1 / n // σ = 1
			}
			h.SetSym(a, e, v*math.Sqrt(scale[a]*scale[e]))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(h, false) {
		t.Fatal("the eigenvalues do not converge")
	}
	return slices.Max(eigen.Values(nil))
}

// HMC records its acceptance and step size, and its learning curve has them.
func TestHMCRecordsItsSteps(t *testing.T) {
	dir := t.TempDir()
	alone := samplersSuite[:strings.Index(samplersSuite, "[[method]]")] + samplersSuite[strings.LastIndex(samplersSuite, "[[method]]"):]
	runOnce(t, dir, strings.Replace(alone, "epochs = 350\n", "", 1), &quiet{}) // HMC does not read them
	finished, err := results.ReadJobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	j := finished[len(finished)-1]
	recorded := map[string]float64{}
	for _, r := range j.Records {
		for _, unit := range []string{"accept_rate", "step_size"} {
			if x, ok := r.Value(unit); ok {
				recorded[unit] = x
			}
		}
	}
	for unit, column := range map[string]string{"accept_rate": "accept-rate", "step_size": "step-size"} {
		c := j.Curve.Column(column)
		if len(c) == 0 || c[len(c)-1] != recorded[unit] || !(recorded[unit] > 0) {
			t.Errorf("%s is recorded as %v; the curve has %d rows and ends at %v", unit, recorded[unit], len(c), c[max(len(c)-1, 0):])
		}
	}
	if a := recorded["accept_rate"]; a > 1 {
		t.Errorf("acceptance %v", a)
	}
	if _, ok := recorded["step_size"]; !ok {
		t.Error(fmt.Sprint("records: ", recorded))
	}
}

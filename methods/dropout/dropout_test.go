package dropout_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/ref"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// Without dropout it is MAP training, bit for bit.
func TestZeroRateIsDeterministic(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	var states []map[string][]float32
	for name, keys := range map[string]string{"deterministic": "prior_sigma = 0.5", "dropout": "p = 0.0\nlength_scale = 2.0"} {
		f := methodtest.Trained(t, name, keys, methodtest.MLP, j, d, 3)
		states = append(states, f.State)
	}
	for name, v := range states[0] {
		if !slices.Equal(v, states[1][name]) {
			t.Errorf("slot %s differs", name)
		}
	}
}

// The penalty is l²/2N·Σ‖M‖²/(1−p) with the rate of the site before each layer:
// 0 before fc1, the published 0.2 before fc2, 0.5 where none is published.
func TestPenalty(t *testing.T) {
	j := methodtest.Toy()
	j.Epochs, j.Batch = 1, 48
	d := methodtest.Blobs(j, j.Task.Examples)
	m, err := methodtest.New("dropout", "length_scale = 3.0")
	if err != nil {
		t.Fatal(err)
	}
	j.Train.LR = 1e-9 // the state after the step is the state before it
	f, err := methodtest.Fit(ref.New(), m, methodtest.MLP, j, d, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for layer, kept := range map[string]float64{"fc1": 1, "fc2": 0.8, "fc3": 0.5} {
		for _, w := range f.State[layer+".w"] {
			want += 9 / (2 * 48 * kept) * float64(w) * float64(w)
		}
	}
	got := f.Curve["train"]["loss"][0] - f.Curve["train"]["nll"][0]
	if math.Abs(got-want) > 1e-5 {
		t.Errorf("penalty %v, want %v", got, want)
	}
}

// learnedKL is learned-dropout's KL of a state of the toy network with l = 2, in
// closed form: Σ l²/(2(1−p))·‖M‖² − Σ K·H(p), p that of the site before a layer.
func learnedKL(state map[string][]float32) float64 {
	total := 0.0
	for _, layer := range []struct {
		name, site string
		units      float64 // of the site
	}{{"fc1", "", 0}, {"fc2", "drop1.logit", 8}, {"fc3", "drop2.logit", 6}} {
		p := 0.0
		if layer.site != "" {
			p = 1 / (1 + math.Exp(-float64(state[layer.site][0])))
			total += layer.units * (p*math.Log(p) + (1-p)*math.Log(1-p))
		}
		for _, w := range state[layer.name+".w"] {
			total += 2 / (1 - p) * float64(w) * float64(w)
		}
	}
	return total
}

// kl_weight scales learned-dropout's KL as a whole, the L2 term with the entropy,
// and what is recorded as "kl" is that KL.
func TestKLWeightScalesTheWholeKL(t *testing.T) {
	j := methodtest.Toy()
	j.Epochs, j.Batch = 1, 48
	j.Train.LR = 1e-9 // the state after the step is the state before it
	d := methodtest.Blobs(j, j.Task.Examples)
	for _, estimator := range []string{"concrete", "reinforce"} {
		for _, weight := range []float64{0, 0.5, 1, 3} {
			keys := fmt.Sprintf("length_scale = 2.0\nestimator = %q\nkl_weight = %v", estimator, weight)
			f := methodtest.Trained(t, "learned-dropout", keys, methodtest.MLP, j, d, 3)
			curve, want := f.Curve["train"], learnedKL(f.State)
			if got := curve["kl"][0]; math.Abs(got-want) > 1e-5*want {
				t.Errorf("%s, kl_weight %v: kl %v, in closed form %v", estimator, weight, got, want)
			}
			got := curve["loss"][0] - curve["nll"][0]
			if want *= weight / 48; math.Abs(got-want) > 1e-5*(1+want) {
				t.Errorf("%s, kl_weight %v: loss − nll %v, β/N·KL %v", estimator, weight, got, want)
			}
		}
	}
}

// A step with kl_weight β differs from one with 0 by β/N·∂KL, which the finite
// differences of the closed form give for every parameter, the rates' included.
func TestKLWeightGradient(t *testing.T) {
	const lr, weight = 0.25, 2.0
	j := methodtest.Toy()
	j.Epochs, j.Batch = 1, 48
	j.Train = methods.Train{Optimizer: "sgd", LR: lr}
	d := methodtest.Blobs(j, j.Task.Examples)
	after := func(weight, lr float64) map[string][]float32 {
		j.Train.LR = lr
		keys := fmt.Sprintf("length_scale = 2.0\ninit_p = 0.3\nkl_weight = %v", weight)
		return methodtest.Trained(t, "learned-dropout", keys, methodtest.MLP, j, d, 3).State
	}
	start, without, with := after(0, 1e-12), after(0, lr), after(weight, lr)
	for name, v := range start {
		for i, x := range v {
			const h = 1.0 / 256
			v[i] = x + h
			up := learnedKL(start)
			v[i] = x - h
			want := (up - learnedKL(start)) / (2 * h)
			v[i] = x
			got := float64(without[name][i]-with[name][i]) * 48 / (lr * weight)
			if math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
				t.Fatalf("%s[%d]: ∂KL %v, by finite differences %v", name, i, got, want)
			}
		}
	}
}

// Binary dropout records its KL, which is the penalty; under a flat prior there is
// none.
func TestDropoutRecordsItsKL(t *testing.T) {
	j := methodtest.Toy()
	j.Epochs = 1
	d := methodtest.Blobs(j, j.Task.Examples)
	curve := methodtest.Trained(t, "dropout", "length_scale = 3.0", methodtest.MLP, j, d, 3).Curve["train"]
	for i, kl := range curve["kl"] {
		if got := 48 * (curve["loss"][i] - curve["nll"][i]); kl <= 0 || math.Abs(got-kl) > 1e-3*kl {
			t.Errorf("step %d: kl %v, N·(loss − nll) %v", i, kl, got)
		}
	}
	flat := methodtest.Trained(t, "dropout", "length_scale = 0.0", methodtest.MLP, j, d, 3).Curve["train"]
	if len(curve["kl"]) == 0 || flat["kl"] != nil {
		t.Errorf("kl of %d steps under a Gaussian prior, of %d under a flat one", len(curve["kl"]), len(flat["kl"]))
	}
}

// The KL of all three is, up to a constant, the mean of log q(z) − log p(W) over
// draws of W = M·diag(z)/(1−p); with a fixed rate log q(z) averages to a
// constant too.
func TestKLAgainstMonteCarlo(t *testing.T) {
	j := methodtest.Toy()
	j.Epochs, j.Batch = 1, 48
	j.Train.LR = 1e-9 // the state after the step is the state before it
	d := methodtest.Blobs(j, j.Task.Examples)
	for _, c := range []struct {
		name, keys string
		p          float64
		learned    bool
	}{
		{"dropout", "length_scale = 2.0\np = 0.4\ninputs = true", 0.4, false},
		{"learned-dropout", "length_scale = 2.0\ninit_p = 0.3\ninputs = true", 0.3, true},
		{"dropout", "length_scale = 2.0\np = 0.4", 0.4, false},
		{"learned-dropout", "length_scale = 2.0\ninit_p = 0.3", 0.3, true},
		{"learned-dropout", "length_scale = 2.0\ninit_p = 0.7\nestimator = \"reinforce\"", 0.7, true},
	} {
		f := methodtest.Trained(t, c.name, c.keys, methodtest.MLP, j, d, 3)
		random := rand.New(rand.NewPCG(1, 2))
		inputs := 0
		if strings.Contains(c.keys, "inputs = true") {
			inputs = 16
		}
		const draws = 20000
		var sum, squares float64
		for range draws {
			x := 0.0
			for _, layer := range []struct {
				name          string
				inputs, units int // units of a site before it
			}{{"fc1", 16, inputs}, {"fc2", 8, 8}, {"fc3", 6, 6}} {
				z := slices.Repeat([]float64{1}, layer.inputs)
				for i := range layer.units {
					q := c.p
					if random.Float64() < c.p {
						z[i] = 0
					} else {
						z[i], q = 1/(1-c.p), 1-c.p
					}
					if c.learned {
						x += math.Log(q)
					}
				}
				for i, m := range f.State[layer.name+".w"] {
					w := float64(m) * z[i%layer.inputs]
					x += 2 * w * w // l²/2
				}
			}
			sum += x / draws
			squares += x * x / draws
		}
		se := math.Sqrt((squares - sum*sum) / draws)
		got := 48 * (f.Curve["train"]["loss"][0] - f.Curve["train"]["nll"][0])
		if math.Abs(got-sum) > 4*se+1e-3 {
			t.Errorf("%s, %q: KL %v, Monte Carlo %v ± %v", c.name, c.keys, got, sum, se)
		}
	}
}

// Dropout of the inputs of a linear regression is ridge regression: over the noise the squared
// error is that of the mean, and p/(1−p)·Σ w_i²x_i². Srivastava et al. 2014, section 9.1. Binary
// and Gaussian noise have the same two moments.
func TestDropoutOfInputsIsRidgeRegression(t *testing.T) {
	const p = 0.2
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 6000, 0.02, "linear"
	sigmas := []float64{0, 0, math.Inf(1)} // of the prior that is this ridge; none on the bias
	for i, x := range l.Data.X {
		sigmas[i%2] += p / (1 - p) * float64(x) * float64(x)
	}
	for i := range 2 {
		sigmas[i] = l.Noise / math.Sqrt(sigmas[i])
	}
	want, _ := l.PosteriorWith(sigmas)
	plain, _ := l.PosteriorWith([]float64{math.Inf(1), math.Inf(1), math.Inf(1)})
	for name, keys := range map[string]string{
		"dropout": "p = 0.2\ninputs = true\nlength_scale = 0.0", "gaussian-dropout": "p = 0.2\ninputs = true\nprior_sigma = inf",
	} {
		f := methodtest.Trained(t, name, keys, l.Model, l.Job, l.Data, 2)
		found := append(slices.Clone(f.State["fc1.w"]), f.State["fc1.b"]...)
		for i, x := range found {
			moved := math.Abs(want.AtVec(i) - plain.AtVec(i))
			if off := math.Abs(float64(x) - want.AtVec(i)); off > 0.02 || off > moved/3 && i < 2 {
				t.Errorf("%s: parameter %d is %v, ridge regression has %v, least squares %v", name, i, x, want.AtVec(i), plain.AtVec(i))
			}
		}
		// The predictive's variance is that of the noise, Σ w_i²x_i²·p/(1−p).
		const draws = 4000
		sums, squares := make([]float64, 20), make([]float64, 20)
		samples, err := f.Draws(0, "sample", l.Data, draws, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, draw := range samples {
			for n, m := range draw["mean"] {
				sums[n] += float64(m) / draws
				squares[n] += float64(m) * float64(m) / draws
			}
		}
		for n := range sums {
			v := 0.0
			for i := range 2 {
				v += p / (1 - p) * math.Pow(float64(f.State["fc1.w"][i]*l.Data.X[2*n+i]), 2)
			}
			if found := squares[n] - sums[n]*sums[n]; math.Abs(found-v) > 6*v*math.Sqrt(3./draws) {
				t.Errorf("%s: the prediction of example %d has the variance %v, want %v", name, n, found, v)
			}
		}
	}
}

// Without p the inputs have the rate 0.2, and with inputs = false none.
func TestRateOfInputs(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	for keys, rate := range map[string]float64{"inputs = true": 0.2, "inputs = true\np = 0.05": 0.05, "inputs = false\np = 0.5": 0} {
		m, err := methodtest.New("dropout", keys)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := m.Plan(l.Model, l.Job)
		if err != nil {
			t.Fatal(err)
		}
		text := plan.Stages[0].Step.String()
		if has := strings.Contains(text, fmt.Sprintf("const %v :", rate)) && strings.Contains(text, "uniform"); has != (rate > 0) {
			t.Errorf("%q: the step has a rate of %v: %v", keys, rate, has)
		}
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"p = 1.0": "p", "p = -0.1": "p", "p = nan": "p", "length_scale = -1.0": "length_scale", "length_scale = inf": "length_scale",
	} {
		methodtest.Refused(t, "dropout", keys, key+" =")
	}
}

func TestRelativesRefuse(t *testing.T) {
	for _, c := range []struct{ name, keys, key string }{
		{"gaussian-dropout", "p = 1.0", "p ="},
		{"gaussian-dropout", "prior_sigma = 0", "prior_sigma"},
		{"learned-dropout", "init_p = 1", "init_p"},
		{"learned-dropout", "init_p = 0", "init_p"},
		{"learned-dropout", "temperature = 0", "temperature"},
		{"learned-dropout", "length_scale = 0", "length_scale"},
		{"learned-dropout", "estimator = \"rebar\"", "estimator"},
	} {
		methodtest.Refused(t, c.name, c.keys, c.key)
	}
	j := methodtest.Toy()
	j.Batch = 1
	methodtest.RefusedFor(t, j, "learned-dropout", "estimator = \"reinforce\"", "estimator")
}

package hmc_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/floats"
)

// Five leapfrog steps on a quadratic, q and p after them and the energies at
// both ends, by numpy. The quadratic ½ΣA(q−c)² is a regression on the rows of
// diag(√A).
func TestLeapfrog(t *testing.T) {
	var g struct {
		W0     []float64 `json:"w0"`
		A, C   []float64
		P0     []float64 `json:"p0"`
		Q      [][]float64
		Final  []float64 `json:"p_final"`
		H0, H1 float64
	}
	text, err := os.ReadFile("testdata/leapfrog.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	const n = 6
	model := nn.Model{
		Apply: func(l nn.Layers, x ir.Value, outputs int) ir.Value {
			return l.Builder().Flatten(l.Conv("q", x, nn.Conv{Out: 1, Kernel: 1, NoBias: true}))
		},
	}
	x, y := make([]float64, n*n), make([]float64, n)
	for i := range n {
		x[i*n+i] = math.Sqrt(g.A[i])
		y[i] = math.Sqrt(g.A[i]) * g.C[i]
	}
	m, err := methodtest.New("hmc", "step_size = 0.1\nleapfrog = 5\njitter = 0\nburn_in = 0\nprior_sigma = inf")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(model, methods.Job{Batch: n, EvalBatch: n, Epochs: 1,
		Task: task.Task{Input: ir.Float(n, 1, 1), Examples: n, Likelihood: task.Gaussian{Noise: task.Fixed, Width: 1, Variance: []float64{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]ref.Value{"x": ref.Float(x, n, n, 1, 1), "y": ref.Float(y, n, 1), "key": ref.Uint([]uint32{0, 0}, 2),
		"momentum": ref.Float(g.P0, 1, n, 1, 1)}
	for _, slot := range plan.State {
		state[slot.Name] = ref.Zeros(slot.Type)
		for i := range state[slot.Name].F {
			state[slot.Name].F[i] = slot.Init.A
		}
	}
	state["q.w"] = ref.Float(g.W0, 1, n, 1, 1)
	for _, stage := range plan.Stages {
		p := stage.Step
		for i := range p.Instrs {
			if p.Instrs[i].Op == ir.Normal {
				p.Instrs[i] = ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: "momentum"}, Type: p.Instrs[i].Type}
			}
		}
		for step := range min(stage.Steps, 5) {
			for name, f := range stage.Schedules {
				state[name] = ref.Float([]float64{f.At(step)})
			}
			if stage.Name == "sample" {
				state["end"] = ref.Float([]float64{0}) // whatever the end decides
			}
			var args []ref.Value
			for _, v := range p.Params() {
				args = append(args, state[p.Instrs[v].Name])
			}
			out, err := ref.Eval(p, args...)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range p.Results {
				state[r.Name] = out[i]
			}
			if stage.Name != "sample" {
				continue
			}
			if q := state["q.w"].F; !floats.EqualApprox(q, g.Q[step], 1e-10) {
				t.Errorf("q after step %d is %v, want %v", step, q, g.Q[step])
			}
		}
	}
	for what, c := range map[string]struct{ found, want []float64 }{
		"p":              {state["q.w/momentum"].F, g.Final},
		"H at the start": {state["hmc/start-total"].F, []float64{g.H0 + n*math.Log(2*math.Pi)/2}},
		"log acceptance": {[]float64{math.Log(state["accept"].F[0])}, []float64{math.Min(0, g.H0-g.H1)}},
	} {
		if !floats.EqualApprox(c.found, c.want, 1e-10) {
			t.Errorf("%s is %v, want %v", what, c.found, c.want)
		}
	}
}

// On Bayesian linear regression the samples have the exact posterior's mean and
// covariance; the adaptation reaches the acceptance asked for.
func TestLinearRegression(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	mean, cov := l.Posterior(1)
	f := methodtest.Trained(t, "hmc", "step_size = 0.01\nleapfrog = 6\njitter = 0.3\nburn_in = 200\nsamples = 4000\naccept = 0.8", l.Model, l.Job, l.Data, 7)
	if len(f.Kept) != 4000 {
		t.Fatalf("%d samples", len(f.Kept))
	}
	gotMean, gotCov := methodtest.Moments(f.Kept)
	for i := range 3 {
		si := math.Sqrt(cov.At(i, i))
		if d := (gotMean.AtVec(i) - mean.AtVec(i)) / si; math.Abs(d) > 0.1 {
			t.Errorf("mean %d is %.3f standard deviations off", i, d)
		}
		for k := range 3 {
			if d := (gotCov.At(i, k) - cov.At(i, k)) / (si * math.Sqrt(cov.At(k, k))); math.Abs(d) > 0.1 {
				t.Errorf("covariance %d %d is %.4f, exact %.4f", i, k, gotCov.At(i, k), cov.At(i, k))
			}
		}
	}
	total := 0.0
	for i, a := range f.Curve["sample"]["accept"] {
		if i%6 == 5 {
			total += a / 4000
		}
	}
	if math.Abs(total-0.8) > 0.15 {
		t.Errorf("acceptance %.3f, wanted 0.8", total)
	}
}

// At any temperature T the samples are those of p(w | data)^(1/T): of linear
// regression, whose posterior is Gaussian, the mean stays and the covariance is T
// times the exact one. With momenta from N(0, I) in place of N(0, T·I) it would
// not be.
func TestTemperature(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	mean, cov := l.Posterior(1)
	temperatures := []float64{0.25, 4}
	if testing.Short() {
		temperatures = temperatures[:1]
	}
	for _, temperature := range temperatures {
		keys := fmt.Sprintf("step_size = 0.01\nleapfrog = 15\njitter = 0.3\nburn_in = 200\nsamples = 2500\naccept = 0.8\ntemperature = %v", temperature)
		f := methodtest.Trained(t, "hmc", keys, l.Model, l.Job, l.Data, 7)
		gotMean, gotCov := methodtest.Moments(f.Kept)
		for i := range 3 {
			si := math.Sqrt(temperature * cov.At(i, i))
			if d := (gotMean.AtVec(i) - mean.AtVec(i)) / si; math.Abs(d) > 0.1 {
				t.Errorf("T = %v: mean %d is %.3f standard deviations off", temperature, i, d)
			}
			for k := range 3 {
				want := temperature * cov.At(i, k)
				if d := (gotCov.At(i, k) - want) / (si * math.Sqrt(temperature*cov.At(k, k))); math.Abs(d) > 0.1 {
					t.Errorf("T = %v: covariance %d %d is %.4f, exact %.4f", temperature, i, k, gotCov.At(i, k), want)
				}
			}
		}
	}
}

// The plan reports the mean acceptance of the trajectories after the burn-in and
// their step before jitter.
func TestReport(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	f := methodtest.Trained(t, "hmc", "step_size = 0.01\nleapfrog = 4\njitter = 0\nburn_in = 50\nsamples = 30\nthin = 2", l.Model, l.Job, l.Data, 7)
	report, err := f.Report()
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for i, a := range f.Curve["sample"]["accept"] {
		if i%4 == 3 {
			want += a / 60
		}
	}
	if got := report["accept_rate"]; math.Abs(got-want) > 1e-5 || !(got > 0 && got <= 1) {
		t.Errorf("accept_rate %v, mean of the trajectories %v", got, want)
	}
	if got, want := report["step_size"], f.Curve["sample"]["step_size"][0]; math.Abs(got-want) > 1e-6*want || !(got > 0) {
		t.Errorf("step_size %v, that of the trajectories %v", got, want)
	}
}

// Trajectories that diverge are rejected, and nothing that is recorded or kept
// shows them.
func TestDivergence(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	f := methodtest.Trained(t, "hmc", "step_size = 1e6\nleapfrog = 40\nburn_in = 0\nsamples = 5", l.Model, l.Job, l.Data, 7)
	for name, series := range f.Curve["sample"] {
		for step, x := range series {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatalf("%s at step %d is %v", name, step, x)
			}
		}
	}
	for _, state := range f.Kept {
		if got, start := state["fc1.w"][0], f.Kept[0]["fc1.w"][0]; got != start || got != got {
			t.Errorf("a state moved from %v to %v", start, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"step_size = 0": "step_size", "leapfrog = 0": "leapfrog", "jitter = 1": "jitter", "burn_in = -1": "burn_in", "samples = 0": "samples",
		"thin = 0": "thin", "accept = 1": "accept", "temperature = 0": "temperature", "temperature = -1": "temperature", "prior_sigma = 0": "prior_sigma",
	} {
		methodtest.Refused(t, "hmc", keys, key)
	}
}

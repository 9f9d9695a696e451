package sgmcmc_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
	"bayesbench/methods/sgmcmc"
)

// Trajectories in float64 on a quadratic with noisy gradients and given noise;
// there N = 1 and the samplers' ε is 2η.
func TestTrajectories(t *testing.T) {
	var g struct {
		W0           []float64 `json:"w0"`
		A, C         []float64
		GradNoise    [][]float64 `json:"grad_noise"`
		Noise        [][]float64
		Trajectories map[string][][]float64
	}
	text, err := os.ReadFile("testdata/trajectories.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		lr   float64
		o    optim.Optimizer
	}{
		{"sgld_eps0.05", 0.025, sgmcmc.Langevin{Friction: 1, Temperature: schedule.Constant(1), Examples: 1}},
		{"sgld_eps0.05_temp0.1", 0.025, sgmcmc.Langevin{Friction: 1, Temperature: schedule.Constant(0.1), Examples: 1}},
		{"sghmc_lr0.05_alpha0.1", 0.05, sgmcmc.Langevin{Friction: 0.1, Temperature: schedule.Constant(1), Examples: 1}},
		{"psgld_eps0.01_a0.99_lam1e-5", 0.005, sgmcmc.Preconditioned{Alpha: 0.99, Lambda: 1e-5, Temperature: schedule.Constant(1), Examples: 1}},
	} {
		want := g.Trajectories[c.name]
		if len(want) != 5 {
			t.Fatalf("%s: %d steps in the file", c.name, len(want))
		}
		n := len(g.W0)
		var scope *nn.Scope
		p, err := ir.Build("step", func(b *ir.Builder) {
			s := nn.NewScope(b, true)
			scope = s
			w := s.Learn("w", nn.Init{}, n)
			grad := s.Add(s.Mul(s.Param("A", ir.Float(n)), s.Sub(w, s.Param("c", ir.Float(n)))), s.Param("grad noise", ir.Float(n)))
			c.o.Step(s, s.Trained(), []ir.Value{grad}, s.Const(c.lr))
			for _, slot := range s.Slots {
				s.Result(slot.Name, slot.Next)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		state := map[string]ref.Value{"A": ref.Float(g.A, n), "c": ref.Float(g.C, n), "key": ref.Uint([]uint32{0, 0}, 2)}
		for i := range p.Instrs {
			if p.Instrs[i].Op == ir.Normal {
				p.Instrs[i] = ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: "noise"}, Type: p.Instrs[i].Type}
			}
		}
		for _, slot := range scope.Slots {
			state[slot.Name] = ref.Zeros(p.Type(slot.Value))
		}
		state["w"] = ref.Float(g.W0, n)
		for step := range want {
			state["grad noise"], state["noise"] = ref.Float(g.GradNoise[step], n), ref.Float(g.Noise[step], n)
			state["temperature"] = ref.Float([]float64{scope.Schedules["temperature"].At(step)})
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
			for i, x := range want[step] {
				if got := state["w"].F[i]; math.Abs(got-x) > 1e-12 {
					t.Errorf("%s: step %d, w[%d] = %v, want %v", c.name, step, i, got, x)
				}
			}
		}
	}
}

// On Bayesian linear regression the states of four chains have the exact posterior's mean and
// covariance, within Monte Carlo error and the error of the step. The variance that one chain gives
// is off by a tenth.
func TestLinearRegression(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs = 20000
	mean, cov := l.Posterior(1)
	for name, keys := range map[string]string{
		"sgld":    "lr = 0.02\ngamma = 0.0\nsamples = 10000",
		"sghmc":   "lr = 0.01\nfriction = 0.1\nsamples = 10000",
		"csgmcmc": "lr = 0.02\nfriction = 0.1\ncycles = 10\nexploration = 0.3\nsamples = 600",
		"psgld":   "lr = 0.01\ngamma = 0.0\nsamples = 10000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var states []map[string][]float32
			for seed := range uint32(4) {
				states = append(states, methodtest.Trained(t, name, keys, l.Model, l.Job, l.Data, seed).Kept...)
			}
			gotMean, gotCov := methodtest.Moments(states)
			for i := range 3 {
				si := math.Sqrt(cov.At(i, i))
				if d := (gotMean.AtVec(i) - mean.AtVec(i)) / si; math.Abs(d) > 0.15 {
					t.Errorf("mean %d is %.2f standard deviations off", i, d)
				}
				for k := range 3 {
					if d := (gotCov.At(i, k) - cov.At(i, k)) / (si * math.Sqrt(cov.At(k, k))); math.Abs(d) > 0.15 {
						t.Errorf("covariance %d %d is %.4f, exact %.4f", i, k, gotCov.At(i, k), cov.At(i, k))
					}
				}
			}
		})
	}
}

// At temperature 0, SGLD is gradient descent on the same objective, bit for bit.
func TestZeroTemperatureIsDescent(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	j.Train.Optimizer, j.Train.LR = "sgd", 0.1
	var states []map[string][]float32
	for name, keys := range map[string]string{
		"deterministic": "prior_sigma = inf",
		"sgld":          "prior_sigma = inf\ntemperature = 0\ngamma = 0\nlr = 0.1",
	} {
		f := methodtest.Trained(t, name, keys, methodtest.MLP, j, d, 3)
		states = append(states, f.State)
	}
	for name, v := range states[0] {
		if !slices.Equal(v, states[1][name]) {
			t.Errorf("slot %s differs", name)
		}
	}
}

// The snapshots are as many as asked for, after the burn-in and at the ends of
// the cycles.
func TestWhatIsKept(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"sgld", "samples = 4\nburn_in = 6.0", "29 35 41 47"},
		{"sgld", "samples = 3", "31 39 47"},
		{"csgmcmc", "samples = 2\ncycles = 3\nexploration = 0.5", "11 15 27 31 43 47"},
	} {
		m, err := methodtest.New(c.name, c.keys)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := m.Plan(methodtest.MLP, methodtest.Toy())
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for step := range plan.Stages[0].Steps {
			if plan.Stages[0].Keeps(step) {
				kept = append(kept, fmt.Sprint(step))
			}
		}
		if got := strings.Join(kept, " "); got != c.want {
			t.Errorf("%s %q keeps %s, want %s", c.name, c.keys, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, keys, key string }{
		{"sgld", "temperature = -1", "temperature"},
		{"sgld", "burn_in = 12.0", "burn_in"},
		{"sgld", "burn_in = -1.0", "burn_in"},
		{"sgld", "samples = 0", "samples"},
		{"sgld", "samples = 13", "samples"},
		{"sgld", "gamma = 2.0", "gamma"},
		{"sgld", "b = 0", "b ="},
		{"sgld", "b = inf", "b ="},
		{"sgld", "burn_in = 11.0", "samples"}, // 4 steps are left for 10
		{"psgld", "lambda = inf", "lambda"},
		{"psgld", "lambda = 0", "lambda"},
		{"psgld", "alpha = 1", "alpha"},
		{"sghmc", "friction = 0", "friction"},
		{"sghmc", "lr = inf", "lr"},
		{"csgmcmc", "cycles = 0", "cycles"},
		{"csgmcmc", "cycles = 13", "cycles"},
		{"csgmcmc", "exploration = 1", "exploration"},
		{"csgmcmc", "samples = 7", "samples"},
		{"csgmcmc", "friction = 1.5", "friction"},
	} {
		methodtest.Refused(t, c.name, c.keys, c.key)
	}
	// Ten steps are three cycles of 3 and one of 1, which ends before it samples.
	j := methodtest.Toy()
	j.Epochs, j.Batch = 10, j.Task.Examples
	methodtest.RefusedFor(t, j, "csgmcmc", "cycles = 4\nsamples = 1", "cycles")
}

package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
)

// golden are trajectories on a quadratic with noisy gradients, by PyTorch in
// float64.
type golden struct {
	W0           []float64   `json:"w0"`
	A, C         []float64   // curvature and minimum
	GradNoise    [][]float64 `json:"grad_noise"`
	Trajectories map[string][][]float64
	CyclicLR     []float64 `json:"cyclic_lr"`
	OneCycleLR   []struct {
		Peak float64
		LR   []float64
	} `json:"one_cycle_lr"` // OneCycleLR at its defaults
}

func load(t *testing.T) golden {
	var g golden
	text, err := os.ReadFile("testdata/trajectories.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestTrajectories(t *testing.T) {
	g := load(t)
	slower := optim.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-3}
	l2, decoupled := optim.DefaultAdam(), optim.DefaultAdam()
	l2.L2, decoupled.Decoupled = 0.05, 0.05
	for name, o := range map[string]optim.Optimizer{
		"adam_lr0.1":                   optim.DefaultAdam(),
		"adam_lr0.1_b0.9_0.99_eps1e-3": slower,
		"adam_l2_0.05":                 l2,
		"adamw_0.05":                   decoupled,
		"sgd_lr0.1":                    optim.SGD{},
		"sgd_mom0.9_wd0.05":            optim.SGD{Momentum: 0.9, WeightDecay: 0.05},
		"sgd_nesterov0.9":              optim.SGD{Momentum: 0.9, Nesterov: true},
		"rmsprop_lr0.1_a0.99":          optim.RMSProp{Alpha: 0.99, Eps: 1e-8},
	} {
		want := g.Trajectories[name]
		if len(want) != 5 {
			t.Fatalf("%s: %d steps in the file", name, len(want))
		}
		got := run(t, g, o)
		for step := range want {
			for i := range want[step] {
				if math.Abs(got[step][i]-want[step][i]) > 1e-12 {
					t.Errorf("%s: step %d, w[%d] = %v, want %v", name, step, i, got[step][i], want[step][i])
				}
			}
		}
	}
}

// run takes five steps of size 0.1.
func run(t *testing.T, g golden, o optim.Optimizer) [][]float64 {
	var scope *nn.Scope
	n := len(g.W0)
	p, err := ir.Build("step", func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		scope = s
		w := s.Learn("w", nn.Init{}, n)
		grad := s.Add(s.Mul(s.Param("A", ir.Float(n)), s.Sub(w, s.Param("c", ir.Float(n)))), s.Param("noise", ir.Float(n)))
		o.Step(s, s.Trained(), []ir.Value{grad}, s.Const(0.1))
		for _, slot := range s.Slots {
			s.Result(slot.Name, slot.Next)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]ref.Value{"A": ref.Float(g.A, n), "c": ref.Float(g.C, n)}
	for _, slot := range scope.Slots {
		state[slot.Name] = ref.Zeros(p.Type(slot.Value))
	}
	state["w"] = ref.Float(g.W0, n)
	var out [][]float64
	for step := range g.GradNoise {
		state["noise"] = ref.Float(g.GradNoise[step], n)
		for name, f := range scope.Schedules {
			state[name] = ref.Float([]float64{f(step)})
		}
		var args []ref.Value
		for _, v := range p.Params() {
			args = append(args, state[p.Instrs[v].Name])
		}
		results, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range p.Results {
			state[r.Name] = results[i]
		}
		out = append(out, state["w"].F)
	}
	return out
}

func TestSchedules(t *testing.T) {
	for t0, want := range load(t).CyclicLR {
		if got := optim.Cyclic(0.5, 40, 4)(t0); math.Abs(got-want) > 1e-15 {
			t.Errorf("cyclic at %d: %v, want %v", t0, got, want)
		}
	}
	for _, c := range load(t).OneCycleLR {
		for at, want := range c.LR {
			if got := optim.OneCycle(c.Peak, len(c.LR))(at); math.Abs(got-want) > 1e-15 {
				t.Errorf("one-cycle at %d of %d: %v, want %v", at, len(c.LR), got, want)
			}
		}
	}
	for _, c := range []struct {
		name string
		f    func(int) float64
		at   int
		want float64
	}{
		{"constant", optim.Constant(2), 7, 2},
		{"linear", optim.Linear(2, 10), 0, 2},
		{"linear", optim.Linear(2, 10), 5, 1},
		{"half-linear", optim.HalfLinear(2, 10), 5, 2},
		{"half-linear", optim.HalfLinear(2, 10), 9, 0.4},
		{"cosine", optim.Cosine(2, 10), 0, 2},
		{"cosine", optim.Cosine(2, 10), 5, 1},
		{"one-cycle of one step", optim.OneCycle(2, 1), 0, 2},
		{"one-cycle without room to rise", optim.OneCycle(2, 3), 0, 2},
		{"polynomial", optim.Polynomial(2, 1, 0.5), 3, 1},
		{"warm-up", optim.WarmUp(2, 5, 20), 4, 0},
		{"warm-up", optim.WarmUp(2, 5, 20), 8, 0.4},
		{"warm-up", optim.WarmUp(2, 5, 20), 20, 2},
		{"no warm-up", optim.WarmUp(2, 0, 0), 0, 2},
	} {
		if got := c.f(c.at); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s at %d: %v, want %v", c.name, c.at, got, c.want)
		}
	}
}

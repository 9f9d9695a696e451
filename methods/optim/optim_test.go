package optim_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/key"
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

// Every name gives an optimiser, and momentum goes to sgd alone.
func TestNamed(t *testing.T) {
	for name, want := range map[string]optim.Optimizer{
		"adam": optim.DefaultAdam(), "adamw": optim.Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decoupled: 0.1},
		"sgd": optim.SGD{}, "rmsprop": optim.RMSProp{Alpha: 0.99, Eps: 1e-8},
	} {
		if !slices.Contains(optim.Names(), name) {
			t.Errorf("%s is not among %q", name, optim.Names())
		}
		keys := optim.Keys{Optimizer: name}
		if name == "adamw" {
			keys.WeightDecay = 0.1
		}
		if o, err := optim.Named(keys); err != nil || o != want {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
		var bad *key.Error
		keys.Momentum = 0.9
		o, err := optim.Named(keys)
		if name == "sgd" && (err != nil || o != optim.Optimizer(optim.SGD{Momentum: 0.9})) {
			t.Errorf("momentum 0.9: %+v, %v", o, err)
		}
		if name != "sgd" && (!errors.As(err, &bad) || bad.Key != "train.momentum") {
			t.Errorf("%s with momentum: %v", name, err)
		}
	}
	if n := len(optim.Names()); n != 4 {
		t.Errorf("%d names", n)
	}
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
		advance(t, p, scope, state, step)
		out = append(out, state["w"].F)
	}
	return out
}

// advance does one step of the program on a state of named values.
func advance(t *testing.T, p *ir.Program, scope *nn.Scope, state map[string]ref.Value, step int) {
	t.Helper()
	for name, f := range scope.Schedules {
		state[name] = ref.Float([]float64{f.At(step)})
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
}

package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

// steps are what PyTorch makes of the keys of [train], see testdata/keys.py.
type steps struct {
	Start, Curvature, Minimum map[string][]float64
	Noise                     []map[string][]float64
	Cases                     map[string]struct {
		Rates []float64
		Steps []map[string][]float64
	}
}

// Under the keys of a suite the rates and the parameters after each step are PyTorch's.
func TestKeysAgainstPyTorch(t *testing.T) {
	var g steps
	text, err := os.ReadFile("testdata/keys.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := len(g.Noise)
	adamw := optim.Keys{Optimizer: "adamw", WeightDecay: 0.05}
	sgd := optim.Keys{Optimizer: "sgd"}
	constant := schedule.Course{Name: "constant", Steps: n}
	for _, c := range []struct {
		name   string
		keys   optim.Keys
		course schedule.Course
		lr     float64
	}{
		{"adamw", adamw, constant, 0.1},
		{"adamw-clip", optim.Keys{Optimizer: "adamw", WeightDecay: 0.3, ClipNorm: 0.7}, constant, 0.1},
		{"adam-clip", optim.Keys{Optimizer: "adam", ClipNorm: 0.7}, constant, 0.1},
		{"sgd-decay", optim.Keys{Optimizer: "sgd", WeightDecay: 0.05}, constant, 0.1},
		{"sgd-nesterov", optim.Keys{Optimizer: "sgd", Momentum: 0.9, Nesterov: true}, constant, 0.1},
		{"sgd-all", optim.Keys{Optimizer: "sgd", Momentum: 0.9, Nesterov: true, WeightDecay: 0.05, ClipNorm: 1.5},
			schedule.Course{Name: "step", Warm: 3, Steps: n, Milestones: []int{4, 9}, Gamma: 0.2}, 0.1},
		{"rmsprop-decay", optim.Keys{Optimizer: "rmsprop", WeightDecay: 0.05}, constant, 0.05},
		{"rmsprop-clip", optim.Keys{Optimizer: "rmsprop", ClipNorm: 0.5},
			schedule.Course{Name: "step", Steps: n, Milestones: []int{6, 9}, Gamma: 0.1}, 0.05},
		{"adamw-warm-cosine", adamw, schedule.Course{Name: "cosine", Warm: 4, Steps: n}, 0.1},
		{"sgd-warm-linear", sgd, schedule.Course{Name: "linear", Warm: 4, Steps: n}, 0.1},
		{"sgd-warm-one-cycle", sgd, schedule.Course{Name: "one-cycle", Warm: 3, Steps: n}, 0.1},
	} {
		want, ok := g.Cases[c.name]
		if !ok || len(want.Steps) != n || len(want.Rates) != n {
			t.Fatalf("%s: %d steps in the file, want %d", c.name, len(want.Steps), n)
		}
		rate, ok := c.course.Rate(c.lr)
		if !ok {
			t.Fatalf("%s: no schedule %q", c.name, c.course.Name)
		}
		for step, x := range want.Rates {
			if got := rate.At(step); math.Abs(got-x) > 1e-15 {
				t.Errorf("%s: rate %v at step %d, want %v", c.name, got, step, x)
			}
		}
		o, err := optim.Named(c.keys)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := descend(t, g, o, rate)
		for step := range want.Steps {
			for name, w := range want.Steps[step] {
				for i := range w {
					if off := math.Abs(got[step][name][i] - w[i]); !(off <= 1e-12) {
						t.Errorf("%s: step %d: %s[%d] = %v, want %v", c.name, step, name, i, got[step][name][i], w[i])
					}
				}
			}
		}
	}
	if len(g.Cases) != 11 {
		t.Errorf("%d cases in the file", len(g.Cases))
	}
}

// descend takes the steps of the file by an optimiser.
func descend(t *testing.T, g steps, o optim.Optimizer, rate schedule.Schedule) []map[string][]float64 {
	t.Helper()
	names := []string{"w", "b"}
	var scope *nn.Scope
	p, err := ir.Build("step", func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		scope = s
		var grads []ir.Value
		for _, name := range names {
			size := len(g.Start[name])
			x := s.Learn(name, nn.Init{}, size)
			slope := s.Mul(s.Param("curvature/"+name, ir.Float(size)), s.Sub(x, s.Param("minimum/"+name, ir.Float(size))))
			grads = append(grads, s.Add(slope, s.Param("noise/"+name, ir.Float(size))))
		}
		o.Step(s, s.Trained(), grads, s.Scheduled("lr", rate))
		for _, slot := range s.Slots {
			s.Result(slot.Name, slot.Next)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]ref.Value{}
	for _, slot := range scope.Slots {
		state[slot.Name] = ref.Zeros(p.Type(slot.Value))
	}
	for _, name := range names {
		size := len(g.Start[name])
		state[name] = ref.Float(g.Start[name], size)
		state["curvature/"+name] = ref.Float(g.Curvature[name], size)
		state["minimum/"+name] = ref.Float(g.Minimum[name], size)
	}
	var out []map[string][]float64
	for step := range g.Noise {
		for _, name := range names {
			state["noise/"+name] = ref.Float(g.Noise[step][name], len(g.Start[name]))
		}
		advance(t, p, scope, state, step)
		out = append(out, map[string][]float64{"w": slices.Clone(state["w"].F), "b": slices.Clone(state["b"].F)})
	}
	return out
}

package nn_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
)

// layerCase is a layer computed by PyTorch in float64: gradients are those of
// Σ output·grad_output.
type layerCase struct {
	Op    string
	Attrs struct {
		EpsNoise     [][]float64 `json:"eps_noise"`
		RunningMean0 []float64   `json:"running_mean0"`
		RunningVar0  []float64   `json:"running_var0"`
		RunningMean  []float64   `json:"running_mean"`
		RunningVar   []float64   `json:"running_var"`
	}
	Inputs       map[string]json.RawMessage
	Shapes       map[string][]int
	Output       json.RawMessage
	GradOutput   json.RawMessage `json:"grad_output"`
	Grads        map[string]json.RawMessage
	RunningMean1 []float64 `json:"running_mean1"`
	RunningVar1  []float64 `json:"running_var1"`
}

func TestLayersAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/layers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []layerCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Op, func(t *testing.T) { checkLayer(t, c) })
	}
}

func checkLayer(t *testing.T, c layerCase) {
	state := map[string]ref.Value{}
	names := map[string]string{ // of the slots
		"x": "x", "g": "l.gamma", "b": "l.b", "theta": "l.w", "mu": "l.w",
		"log_sigma2": "l.spread", "log_sigma": "l.spread", "rho": "l.spread",
	}
	if c.Shapes["g"] != nil {
		names["b"] = "l.beta"
	}
	for name, raw := range c.Inputs {
		state[names[name]] = ref.Float(flat(t, raw), c.Shapes[name]...)
	}
	for name, v := range map[string][]float64{"l.mean": append(c.Attrs.RunningMean0, c.Attrs.RunningMean...),
		"l.var": append(c.Attrs.RunningVar0, c.Attrs.RunningVar...)} {
		state[name] = ref.Float(v, len(v))
	}
	grad := flat(t, c.GradOutput)
	var eps []float64
	for _, row := range c.Attrs.EpsNoise {
		eps = append(eps, row...)
	}
	state["key"] = ref.Uint([]uint32{0, 0}, 2)

	p, err := ir.Build(c.Op, func(b *ir.Builder) {
		s := nn.NewScope(b, c.Op != "batchnorm_eval")
		x := s.Learn("x", nn.Init{}, c.Shapes["x"]...)
		y := build(s, c, x)
		state["grad"] = ref.Float(grad, b.Shape(y)...)
		loss := b.Sum(b.Mul(y, b.Param("grad", b.Type(y))))
		b.Result("output", y)
		var wrt []ir.Value
		for _, slot := range s.Trained() {
			wrt = append(wrt, slot.Value)
		}
		for i, g := range b.Grad(loss, wrt...) {
			b.Result(s.Trained()[i].Name, g)
		}
		for _, slot := range s.Slots {
			if slot.Next != ir.None {
				b.Result(slot.Name, slot.Next)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var args []ref.Value
	for i := range p.Instrs { // the file's noise in place of our own
		if p.Instrs[i].Op == ir.Normal {
			typ := p.Instrs[i].Type
			p.Instrs[i] = ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: "eps"}, Type: typ}
			state["eps"] = ref.Float(eps, typ.Shape...)
		}
	}
	for _, v := range p.Params() {
		args = append(args, state[p.Instrs[v].Name])
	}
	out, err := ref.Eval(p, args...)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float64{"output": flat(t, c.Output), "l.mean": c.RunningMean1, "l.var": c.RunningVar1}
	for name, raw := range c.Grads {
		want[names[name]] = flat(t, raw)
	}
	for i, r := range p.Results {
		for k, w := range want[r.Name] {
			if got := out[i].F[k]; math.Abs(got-w) > 1e-10*(1+math.Abs(w)) {
				t.Errorf("%s[%d] = %v, want %v", r.Name, k, got, w)
			}
		}
		delete(want, r.Name)
	}
	for name, w := range want {
		if w != nil {
			t.Errorf("%s is not among the results", name)
		}
	}
}

// build applies the layer of the case.
func build(s *nn.Scope, c layerCase, x ir.Value) ir.Value {
	point := nn.Point{Scope: s, Init: nn.Glorot}
	switch {
	case c.Op == "response_norm_swish":
		y := point.ResponseNorm("l", x)
		return s.Mul(y, s.Sigmoid(y))
	case c.Shapes["g"] != nil:
		return point.BatchNorm("l", x, nn.Norm{})
	}
	g := nn.Gaussian{Point: point, Estimator: nn.Local}
	if c.Op == "ffg_linear_weight_sample" {
		g.Estimator = nn.Weight
	}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		spread := s.Learn(layer+".spread", nn.Init{}, shape...)
		q := nn.Posterior{Mean: s.Learn(layer+".w", nn.Init{}, shape...)}
		switch {
		case c.Inputs["log_sigma2"] != nil:
			q.Variance = s.Exp(spread)
		case c.Inputs["log_sigma"] != nil:
			q.Variance = s.Exp(s.MulConst(spread, 2))
		default:
			q.Std = s.Softplus(spread)
		}
		return q
	}
	return g.Linear("l", x, c.Shapes["b"][0])
}

// flat reads nested arrays of numbers.
func flat(t *testing.T, raw json.RawMessage) []float64 {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var out []float64
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case float64:
			out = append(out, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	return out
}

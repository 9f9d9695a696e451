package dropout

import (
	"math"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
)

// The score-function gradient with respect to the rate's logit averages to the
// derivative of the exact expectation, which a network with three dropped
// units can enumerate.
func TestReinforceIsUnbiased(t *testing.T) {
	x := []float64{0.5, -1, 2, 1.5, 0.3, -0.7}
	w := []float64{0.8, -0.5, 0.3, -0.9, 0.4, 1.1}
	y := []float64{1, 0, 0, 1}
	logit := -0.4
	exact := func(logit float64) float64 {
		p, total := 1/(1+math.Exp(-logit)), 0.0
		for row := range 2 {
			for mask := range 8 {
				q, out := 1.0, [2]float64{}
				for i := range 3 {
					if mask>>i&1 == 1 {
						q *= p
						continue
					}
					q *= 1 - p
					for c := range 2 {
						out[c] += w[c*3+i] * x[row*3+i] / (1 - p)
					}
				}
				for c := range 2 {
					total -= q / 2 * y[row*2+c] * (out[c] - math.Log(math.Exp(out[0])+math.Exp(out[1])))
				}
			}
		}
		return total
	}
	want := (exact(logit+1e-5) - exact(logit-1e-5)) / 2e-5

	m := Learned{LengthScale: 1, InitP: 0.1, Temperature: 0.1, Estimator: Reinforce, Init: nn.Glorot}
	n := fit.Network{
		Model: nn.Model{Apply: func(l nn.Layers, x ir.Value, outputs int) ir.Value {
			return l.Linear("fc1", l.Dropout("drop1", x, 0.5), outputs)
		}},
		Job: methods.Job{Batch: 2, Task: task.Task{
			Input: ir.Float(3), Likelihood: task.Categorical{Classes: 2}, Examples: 1e9}}, // so many that the KL is nothing
		Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, (*learnedLayers).binary) },
	}
	p, err := ir.Build("step", func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		o := n.Objective(s, ir.None)
		b.Result("nll", o.NLL)
		b.Result("gradient", b.Grad(o.Surrogate, s.Learn("drop1.logit", nn.Init{}))[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]ref.Value{"x": ref.Float(x, 2, 3), "y": ref.Float(y, 2, 2), "fc1.w": ref.Float(w, 2, 3),
		"fc1.b": ref.Float([]float64{0, 0}, 2), "drop1.logit": ref.Float([]float64{logit})}
	const draws = 20000
	var sums, squares [2]float64
	for draw := range draws {
		in["key"] = ref.Uint([]uint32{8, uint32(draw)}, 2)
		var args []ref.Value
		for _, v := range p.Params() {
			args = append(args, in[p.Instrs[v].Name])
		}
		out, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			sums[i] += out[i].F[0] / draws
			squares[i] += out[i].F[0] * out[i].F[0] / draws
		}
	}
	for i, w := range []float64{exact(logit), want} {
		se := math.Sqrt((squares[i] - sums[i]*sums[i]) / draws)
		if math.Abs(sums[i]-w) > 5*se {
			t.Errorf("%s averages to %v ± %v, exact %v", p.Results[i].Name, sums[i], se, w)
		}
	}
}

// As its temperature falls, the concrete relaxation draws what binary dropout
// draws: mean x, variance x²·p/(1−p).
func TestConcreteMoments(t *testing.T) {
	const rate, n = 0.3, 100000
	m := Learned{LengthScale: 1, InitP: rate, Temperature: 0.01, Init: nn.Glorot}
	for name, draw := range map[string]func(l *learnedLayers, x, logit ir.Value) ir.Value{
		"concrete": (*learnedLayers).concrete, "binary": (*learnedLayers).binary,
	} {
		p, err := ir.Build(name, func(b *ir.Builder) {
			l := m.layers(nn.NewScope(b, true), draw)
			y := l.Dropout("drop1", b.Full(1, 1, n), 0)
			b.Result("mean", b.Mean(y))
			b.Result("square", b.Mean(b.Square(y)))
		})
		if err != nil {
			t.Fatal(err)
		}
		var args []ref.Value
		for _, v := range p.Params() {
			switch p.Instrs[v].Name {
			case "key":
				args = append(args, ref.Uint([]uint32{1, 2}, 2))
			case "drop1.logit":
				args = append(args, ref.Float([]float64{math.Log(rate / (1 - rate))}))
			}
		}
		out, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		mean, variance := out[0].F[0], out[1].F[0]-out[0].F[0]*out[0].F[0]
		if math.Abs(mean-1) > 0.01 || math.Abs(variance-rate/(1-rate)) > 0.02 {
			t.Errorf("%s: mean %v, variance %v; want 1, %v", name, mean, variance, rate/(1-rate))
		}
	}
}

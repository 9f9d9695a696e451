package task_test

import (
	"fmt"
	"math"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/integrate/quad"
)

// likelihoodCase is a likelihood with its own parameters and the outputs of a row.
type likelihoodCase struct {
	name  string
	l     task.Likelihood
	noise []float64 // of homoscedastic noise
	f     []float64
}

var likelihoodCases = []likelihoodCase{
	{"categorical", task.Categorical{Classes: 4}, nil, []float64{0.3, -1.2, 2, 0.1}},
	{"exp", task.Gaussian{Noise: task.Heteroscedastic, Link: task.Exp, Width: 2}, nil, []float64{0.4, -1, -2.5, 0.7}},
	{"softplus", task.Gaussian{Noise: task.Heteroscedastic, Link: task.Softplus, Width: 2}, nil, []float64{0.4, -1, -2.5, 0.7}},
	{"homoscedastic", task.Gaussian{Noise: task.Homoscedastic, Width: 2}, []float64{-1.5, 0.6}, []float64{0.4, -1}},
	{"fixed", task.Gaussian{Noise: task.Fixed, Width: 2, Variance: []float64{0.2, 3}}, nil, []float64{0.4, -1}},
}

// program computes what a likelihood says of rows of outputs f and targets y.
type program struct {
	t *testing.T
	p *ir.Program
}

func compile(t *testing.T, l task.Likelihood, rows int) program {
	t.Helper()
	p, err := ir.Build(l.Name(), func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		f := b.Param("f", ir.Float(rows, l.Outputs()))
		y := b.Param("y", l.Target(rows))
		terms := l.LogProb(s, f, y)
		b.Result("logp", b.Sum(terms, 1))
		b.Result("gradient", b.Grad(b.Sum(terms), f)[0])
		b.Result("prior", s.Total(s.Prior))
		b.Result("taught", l.Teach(s, f))
		for _, r := range l.Predict(s, f) {
			b.Result("predict/"+r.Name, r.Value)
		}
		for i, c := range l.HessianRoot(s, f) {
			b.Result(fmt.Sprintf("root/%d", i), c)
		}
		for _, slot := range s.Trained() {
			b.Result("gradient/"+slot.Name, b.Grad(b.Sum(terms), slot.Value)[0])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return program{t, p}
}

// at evaluates the program in float64.
func (p program) at(noise, f, y []float64) map[string][]float64 {
	p.t.Helper()
	values := map[string][]float64{"f": f, "y": y, "noise.log_var": noise}
	var args []ref.Value
	for _, v := range p.p.Params() {
		args = append(args, ref.Float(values[p.p.Instrs[v].Name], p.p.Type(v).Shape...))
	}
	results, err := ref.Eval(p.p, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	out := map[string][]float64{}
	for i, r := range p.p.Results {
		out[r.Name] = results[i].F
	}
	return out
}

// outcome is a y with its weight in an expectation over p(y | f).
type outcome struct {
	weight float64
	y      []float64
}

// outcomes integrate over p(y | f): the classes, or the nodes of Gauss and Hermite along each axis.
// Polynomials up to the 15th degree are exact.
func (c likelihoodCase) outcomes(t *testing.T) []outcome {
	of := compile(t, c.l, 1).at(c.noise, c.f, make([]float64, c.l.Target(1).Size()))
	if p, ok := of["predict/logp"]; ok {
		out := make([]outcome, len(p))
		for i := range p {
			out[i] = outcome{math.Exp(p[i]), make([]float64, len(p))}
			out[i].y[i] = 1
		}
		return out
	}
	const n = 8
	x, w := make([]float64, n), make([]float64, n)
	quad.Hermite{}.FixedLocations(x, w, math.Inf(-1), math.Inf(1))
	out := []outcome{{1, nil}}
	for i, m := range of["predict/mean"] {
		sd := math.Exp(of["predict/log_var"][i] / 2)
		var next []outcome
		for _, o := range out {
			for k := range x {
				next = append(next, outcome{o.weight * w[k] / math.Sqrt(math.Pi), append(append([]float64(nil), o.y...), m+math.Sqrt2*sd*x[k])})
			}
		}
		out = next
	}
	return out
}

// HessianRoot is a root of E[−∇²log p(y | f)], here by second differences of LogProb.
func TestHessianRoot(t *testing.T) {
	const step = 1e-3
	for _, c := range likelihoodCases {
		p, n := compile(t, c.l, 1), len(c.f)
		outcomes := c.outcomes(t)
		found := make([][]float64, n)
		at := p.at(c.noise, c.f, outcomes[0].y)
		for i := range n {
			found[i] = make([]float64, n)
			for k := range n {
				for column := range n {
					if root, ok := at[fmt.Sprintf("root/%d", column)]; ok {
						found[i][k] += root[i] * root[k]
					}
				}
			}
		}
		for i := range n {
			for k := range n {
				want := 0.0
				for _, o := range outcomes {
					moved := func(a, b float64) float64 {
						f := append([]float64(nil), c.f...)
						f[i] += a * step
						f[k] += b * step
						return p.at(c.noise, f, o.y)["logp"][0]
					}
					want -= o.weight * (moved(1, 1) - moved(1, -1) - moved(-1, 1) + moved(-1, -1)) / (4 * step * step)
				}
				if math.Abs(found[i][k]-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%s: H[%d %d] is %v, by differences %v", c.name, i, k, found[i][k], want)
				}
			}
		}
	}
}

// What LogProb says and what Predict says are one distribution, whose score ∇log p(y | f) has the
// expectation zero.
func TestLogProbIsThatOfThePrediction(t *testing.T) {
	for _, c := range likelihoodCases {
		p := compile(t, c.l, 1)
		score := make([]float64, len(c.f))
		for _, o := range c.outcomes(t) {
			at := p.at(c.noise, c.f, o.y)
			for i, g := range at["gradient"] {
				score[i] += o.weight * g
			}
			want := 0.0
			if logp, ok := at["predict/logp"]; ok {
				for i, y := range o.y {
					want += y * logp[i]
				}
			}
			for i, m := range at["predict/mean"] {
				v := math.Exp(at["predict/log_var"][i])
				want += math.Log(math.Exp(-(o.y[i]-m)*(o.y[i]-m)/(2*v)) / math.Sqrt(2*math.Pi*v))
			}
			if math.Abs(at["logp"][0]-want) > 1e-10*(1+math.Abs(want)) {
				t.Errorf("%s: log p(%v) is %v, of the prediction %v", c.name, o.y, at["logp"][0], want)
			}
		}
		for i, g := range score {
			if math.Abs(g) > 1e-10 {
				t.Errorf("%s: the expectation of the score of output %d is %v", c.name, i, g)
			}
		}
	}
}

// What a teacher says of y enters the taught LogProb as the expectation of LogProb over the
// teacher's p(y | f).
func TestTaught(t *testing.T) {
	for _, c := range likelihoodCases {
		own, taught := compile(t, c.l, 1), compile(t, c.l.Taught(), 1)
		said := own.at(c.noise, c.f, make([]float64, c.l.Target(1).Size()))["taught"]
		student := make([]float64, len(c.f))
		for i, x := range c.f {
			student[i] = 0.5*x + 0.3
		}
		want := 0.0
		for _, o := range c.outcomes(t) {
			want += o.weight * own.at(c.noise, student, o.y)["logp"][0]
		}
		if found := taught.at(c.noise, student, said)["logp"][0]; math.Abs(found-want) > 1e-10 {
			t.Errorf("%s: a student's log-density is %v, the expectation is %v", c.name, found, want)
		}
		// Of students the teacher itself does best.
		best := taught.at(c.noise, c.f, said)
		for i, g := range best["gradient"] {
			if math.Abs(g) > 1e-10 {
				t.Errorf("%s: a student that equals its teacher has the gradient %v for output %d", c.name, g, i)
			}
		}
	}
}

package sgmcmc_test

import (
	"math"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
	"bayesbench/methods/sgmcmc"
)

// stationary is the variance of w under the step on U = ½w², whose posterior's
// variance is 1 (N = T = 1): over independent coordinates, and over the second half
// of the steps.
func stationary(t *testing.T, o sgmcmc.Preconditioned, lr float64, steps int) float64 {
	t.Helper()
	const coordinates = 1500
	o.Examples, o.Temperature = 1, schedule.Constant(1)
	p, err := ir.Build("step", func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		w := s.Learn("w", nn.Init{}, coordinates)
		loss := s.MulConst(s.Sum(s.Square(w)), 0.5)
		o.Step(s, s.Trained(), s.Grad(loss, w), s.Const(lr))
		for _, slot := range s.Slots {
			s.Result(slot.Name, slot.Next)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]ref.Value{"temperature": ref.Float([]float64{1})}
	for _, r := range p.Results {
		state[r.Name] = ref.Zeros(p.Type(r.Value))
	}
	for i := range state["w"].F { // close to the posterior, and with V its mean there
		state["w"].F[i] = math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/coordinates-1)
		state["w/v"].F[i] = 1
	}
	sum, n := 0.0, 0
	for step := range steps {
		state["key"] = ref.Uint([]uint32{7, uint32(step)}, 2)
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
		if step < steps/2 {
			continue
		}
		for _, w := range state["w"].F {
			sum += w * w
			n++
		}
	}
	return sum / float64(n)
}

// Without Γ the states are wider than the posterior, with it they are not: where V
// is the present g² alone, where it is an average over less than the chain's
// memory, and where it is one over more, so that there is little to correct.
//
// With V = g², P = 1/(λ + |w|), and without Γ the stationary density is
// proportional to (λ + |w|)·exp(−w²/2), whose variance is (λ√(2π) + 4)/(λ√(2π) + 2).
func TestPSGLDVariance(t *testing.T) {
	cases := []struct {
		alpha, lambda, lr float64
		steps             int
		low, high         float64 // of the variance without Γ
	}{
		{0, 0.5, 0.01, 1200, 1.54, 1.69}, // 1.615
		{0.9, 0.5, 0.005, 2000, 1.40, 1.69},
		{0.99, 0.5, 0.1, 600, 0.98, 1.15},
		{0.99, 1e-5, 0.01, 1200, 1.15, 1.5},
	}
	if testing.Short() {
		cases = cases[:1]
	}
	for _, c := range cases {
		without := sgmcmc.Preconditioned{Alpha: c.alpha, Lambda: c.lambda}
		with := without
		with.Gamma = true
		biased, right := stationary(t, without, c.lr, c.steps), stationary(t, with, c.lr, c.steps)
		t.Logf("α = %v, λ = %v, η = %v: variance %.3f without Γ, %.3f with it; the posterior's is 1", c.alpha, c.lambda, c.lr, biased, right)
		if biased < c.low || biased > c.high {
			t.Errorf("α = %v: variance %.3f without Γ, want %v to %v", c.alpha, biased, c.low, c.high)
		}
		if math.Abs(right-1) > 0.06 {
			t.Errorf("α = %v: variance %.3f with Γ, want 1", c.alpha, right)
		}
	}
}

// A network with max pooling is refused with the key's name: its second derivative
// is not known.
func TestGammaTermRefusesMaxPooling(t *testing.T) {
	m, err := methodtest.New("psgld", "gamma_term = true")
	if err != nil {
		t.Fatal(err)
	}
	model, err := nn.Open("lenet-5-caffe")
	if err != nil {
		t.Fatal(err)
	}
	j := methodtest.Toy()
	j.Task.Input = ir.Float(1, 28, 28)
	if _, err := m.Plan(model, j); err == nil || !strings.Contains(err.Error(), "gamma_term = true: want false") {
		t.Errorf("error %v, want one that names gamma_term", err)
	}
}

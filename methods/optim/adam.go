package optim

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
)

// Adam is, at step t = 1, 2, …,
//
//	g ← g + λw,  m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,
//	w ← w − lr·m̂/(√v̂ + ε),  m̂ = m/(1−β₁ᵗ),  v̂ = v/(1−β₂ᵗ)
//
// Kingma and Ba, "Adam", ICLR 2015. The two corrections are folded into two
// scalars, which the host computes in float64: with c = √(1−β₂ᵗ),
// lr·c/(1−β₁ᵗ)·m/(√v + c·ε) is the same step.
type Adam struct {
	Beta1, Beta2, Eps float64
	L2                float64 // λ, of an L2 penalty
	// Decoupled is the weight decay of AdamW: w ← w − lr·Decoupled·w before the
	// step, as in PyTorch. Loshchilov and Hutter, "Decoupled weight decay
	// regularization", ICLR 2019.
	Decoupled float64
	// Done is the number of steps that earlier stages took with these slots.
	Done int
}

// DefaultAdam has the paper's constants.
func DefaultAdam() Adam { return Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

func (o Adam) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	scale := s.Scheduled("adam/scale", schedule.AdamScale(o.Beta1, o.Beta2).After(o.Done))
	eps := s.Scheduled("adam/eps", schedule.AdamEps(o.Eps, o.Beta2).After(o.Done))
	rate := s.Mul(lr, scale)
	for i, p := range params {
		g := decayed(s, grads[i], p, o.L2)
		m, v := like(s, p, "m"), like(s, p, "v")
		nextM, nextV := average(s, m, g, o.Beta1), average(s, v, s.Square(g), o.Beta2)
		s.Set(m, nextM)
		s.Set(v, nextV)
		w := p.Value
		if o.Decoupled != 0 && !p.Spread {
			w = s.Sub(w, s.Mul(w, s.MulConst(lr, o.Decoupled)))
		}
		s.Set(p.Value, s.Sub(w, s.Div(s.Mul(nextM, rate), s.Add(s.Sqrt(nextV), eps))))
	}
}

// Resume is the optimiser for a stage that goes on with the slots of earlier
// ones, which took so many steps.
func Resume(o Optimizer, steps int) Optimizer {
	switch o := o.(type) {
	case Adam:
		o.Done += steps
		return o
	case Clip:
		o.Optimizer = Resume(o.Optimizer, steps)
		return o
	}
	return o
}

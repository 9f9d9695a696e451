package optim

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// SGD is stochastic gradient descent with momentum,
//
//	g ← g + λw,  v ← μv + g,  w ← w − lr·v
//
// and w ← w − lr·(g + μv) in Nesterov's form. Sutskever et al., "On the
// importance of initialization and momentum in deep learning", ICML 2013, with
// PyTorch's convention that lr is outside the velocity.
type SGD struct {
	Momentum    float64 // μ
	Nesterov    bool
	WeightDecay float64 // λ, of an L2 penalty
}

func (o SGD) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	for i, p := range params {
		g := decayed(s, grads[i], p, o.WeightDecay)
		if o.Momentum != 0 {
			velocity := like(s, p, "velocity")
			next := s.Add(s.MulConst(velocity, o.Momentum), g)
			s.Set(velocity, next)
			if o.Nesterov {
				g = s.Add(g, s.MulConst(next, o.Momentum))
			} else {
				g = next
			}
		}
		s.Set(p.Value, s.Sub(p.Value, s.Mul(g, lr)))
	}
}

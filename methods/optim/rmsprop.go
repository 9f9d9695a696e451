package optim

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// RMSProp is g ← g + λw, v ← αv + (1−α)g², w ← w − lr·g/(√v + ε). Tieleman and
// Hinton, "Lecture 6.5", COURSERA 2012, with ε outside the root as in PyTorch.
type RMSProp struct {
	Alpha, Eps  float64
	WeightDecay float64 // λ, of an L2 penalty
}

func (o RMSProp) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	for i, p := range params {
		g := decayed(s, grads[i], p, o.WeightDecay)
		v := like(s, p, "v")
		next := average(s, v, s.Square(g), o.Alpha)
		s.Set(v, next)
		s.Set(p.Value, s.Sub(p.Value, s.Div(s.Mul(g, lr), s.AddConst(s.Sqrt(next), o.Eps))))
	}
}

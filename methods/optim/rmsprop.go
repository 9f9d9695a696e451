package optim

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// RMSProp is v ← αv + (1−α)g², w ← w − lr·g/(√v + ε). Tieleman and Hinton,
// "Lecture 6.5", COURSERA 2012, with ε outside the root as in PyTorch.
type RMSProp struct {
	Alpha, Eps float64
}

func (o RMSProp) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	for i, p := range params {
		v := like(s, p, "v")
		next := average(s, v, s.Square(grads[i]), o.Alpha)
		s.Set(v, next)
		s.Set(p.Value, s.Sub(p.Value, s.Div(s.Mul(grads[i], lr), s.AddConst(s.Sqrt(next), o.Eps))))
	}
}

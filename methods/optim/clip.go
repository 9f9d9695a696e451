package optim

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// Clip bounds the gradient by its norm over all parameters together before the optimiser reads it,
//
//	g ← g·min(1, Norm/(‖g‖₂ + 10⁻⁶))
//
// as clip_grad_norm_ of PyTorch does. Pascanu et al., "On the difficulty of training recurrent
// neural networks", ICML 2013, algorithm 1.
type Clip struct {
	Optimizer
	Norm float64
}

func (c Clip) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	squares := make([]ir.Value, len(grads))
	for i, g := range grads {
		squares[i] = s.Sum(s.Square(g))
	}
	norm := s.Sqrt(s.Total(squares))
	scale := s.Min(s.Div(s.Const(c.Norm), s.AddConst(norm, 1e-6)), s.Const(1))
	clipped := make([]ir.Value, len(grads))
	for i, g := range grads {
		clipped[i] = s.Mul(g, scale)
	}
	c.Optimizer.Step(s, params, clipped, lr)
}

package optim

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// Optimizer updates parameters by their gradients.
type Optimizer interface {
	// Step sets the next value of each parameter; lr is the learning rate
	// f32[], grads[i] the gradient of params[i].
	Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value)
}

// average is decay·old + (1 − decay)·x.
func average(s *nn.Scope, old, x ir.Value, decay float64) ir.Value {
	return s.Add(s.MulConst(old, decay), s.MulConst(x, 1-decay))
}

// decayed is g + λ·w, the gradient with that of the penalty ½λ‖w‖². Of a spread it is g.
func decayed(s *nn.Scope, g ir.Value, p nn.Slot, lambda float64) ir.Value {
	if lambda == 0 || p.Spread {
		return g
	}
	return s.Add(g, s.MulConst(p.Value, lambda))
}

// like declares a slot beside param, of its shape and zero at the start.
func like(s *nn.Scope, param nn.Slot, name string) ir.Value {
	return s.Keep(param.Name+"/"+name, nn.Init{}, s.Shape(param.Value)...)
}

package sgmcmc

import (
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
)

// Langevin is the underdamped Langevin step with friction α,
//
//	v ← (1−α)v − η·g + √(2αηT/N)·ε,  w ← w + v
//
// g the gradient of the loss per example. With α = 1 it is SGLD,
// w ← w − η·g + √(2ηT/N)·ε, and keeps no velocity.
type Langevin struct {
	Friction    float64          // α in (0, 1]
	Temperature methods.Schedule // T; the zero value is 0, without noise
	Examples    int              // N
}

func (l Langevin) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	scale := ir.None
	if !l.Temperature.IsZero() {
		t := s.Scheduled("temperature", l.Temperature)
		scale = s.Sqrt(s.MulConst(s.Mul(lr, t), 2*l.Friction/float64(l.Examples)))
	}
	for i, p := range params {
		step := s.Mul(grads[i], lr)
		if scale != ir.None {
			step = s.Sub(step, s.Mul(s.Noise(s.Shape(p.Value)...), scale))
		}
		if l.Friction == 1 {
			s.Set(p.Value, s.Sub(p.Value, step))
			continue
		}
		v := s.Keep(p.Name+"/velocity", nn.Init{}, s.Shape(p.Value)...)
		next := s.Sub(s.MulConst(v, 1-l.Friction), step)
		s.Set(v, next)
		s.Set(p.Value, s.Add(p.Value, next))
	}
}

// Sampler describes a chain of the step. Along a direction of curvature λ the step
// has the characteristic polynomial z² − (2−α−ηλ)z + 1−α, whose roots are within
// the unit circle as long as ηλ is below 2(2−α).
func (l Langevin) Sampler(slots []string, eta float64) methods.Sampler {
	return methods.Sampler{Key: "lr", Slots: slots, Size: methods.StepSize{Factor: eta}, Limit: 2 * (2 - l.Friction)}
}

// constant is T as a schedule, none where there is no noise.
func constant(temperature float64) methods.Schedule {
	if temperature == 0 {
		return methods.Schedule{}
	}
	return schedule.Constant(temperature)
}

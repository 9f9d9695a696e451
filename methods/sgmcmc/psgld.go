package sgmcmc

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "psgld",
		Description: "preconditioned SGLD (Li et al. 2016)",
		New: func(p methods.Params) (methods.Method, error) {
			m := PSGLD{
				Chain: Chain{LR: 1e-3, PriorSigma: 1, Temperature: 1, Samples: 10, Init: nn.Glorot},
				Decay: Decay{Gamma: 0.55, B: 1000},
				Alpha: 0.99, Lambda: 1e-5,
			}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if err := m.Chain.check(); err != nil {
				return nil, err
			}
			switch {
			case !(m.Alpha >= 0 && m.Alpha < 1):
				return nil, methods.BadKey("alpha", m.Alpha, "a number in [0, 1)")
			case !(m.Lambda > 0) || math.IsInf(m.Lambda, 1):
				return nil, methods.BadKey("lambda", m.Lambda, "a finite number above 0")
			}
			return m, m.Decay.check()
		},
	})
}

// PSGLD is SGLD preconditioned as RMSProp is,
//
//	V ← αV + (1−α)g²,  P = 1/(λ + √V),  w ← w − ηP·g + √(2ηPT/N)·ε
//
// without the term Γ, which the authors drop too. Li, Chen, Carlson, Carin,
// "Preconditioned stochastic gradient Langevin dynamics for deep neural
// networks", AAAI 2016, algorithm 1; α and λ are theirs.
type PSGLD struct {
	Chain
	Decay
	Alpha  float64 `toml:"alpha"`
	Lambda float64 `toml:"lambda"`
}

func (m PSGLD) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	return m.Decay.plan(m.Chain, Preconditioned{m.Alpha, m.Lambda, constant(m.Temperature), j.Examples}, model, j)
}

// Preconditioned is PSGLD's step.
type Preconditioned struct {
	Alpha, Lambda float64
	Temperature   methods.Schedule // nil is 0
	Examples      int
}

func (o Preconditioned) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	scale := ir.None
	if o.Temperature != nil {
		t := s.Scheduled("temperature", o.Temperature)
		scale = s.MulConst(s.Mul(lr, t), 2/float64(o.Examples))
	}
	for i, p := range params {
		v := s.Keep(p.Name+"/v", nn.Init{}, s.Shape(p.Value)...)
		next := s.Add(s.MulConst(v, o.Alpha), s.MulConst(s.Square(grads[i]), 1-o.Alpha))
		s.Set(v, next)
		root := s.AddConst(s.Sqrt(next), o.Lambda) // 1/P
		w := s.Sub(p.Value, s.Div(s.Mul(grads[i], lr), root))
		if scale != ir.None {
			w = s.Add(w, s.Mul(s.Sqrt(s.Div(s.Broadcast(scale, s.Shape(w)), root)), s.Noise(s.Shape(w)...)))
		}
		s.Set(p.Value, w)
	}
}

// Sampler describes a chain of the step: SGLD's in the coordinates of the
// preconditioner that the chain ends with.
func (o Preconditioned) Sampler(slots []string, eta float64) methods.Sampler {
	return methods.Sampler{Key: "lr", Limit: 2, Steps: func(state map[string][]float32) map[string][]float64 {
		steps := map[string][]float64{}
		for _, slot := range slots {
			for _, v := range state[slot+"/v"] {
				steps[slot] = append(steps[slot], eta/(o.Lambda+math.Sqrt(float64(v))))
			}
		}
		return steps
	}}
}

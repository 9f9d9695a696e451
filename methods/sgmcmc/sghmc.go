package sgmcmc

import (
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "sghmc",
		Description: "stochastic gradient Hamiltonian Monte Carlo (Chen et al. 2014)",
		Ignores:     methods.LossKeys,
		New: func(p methods.Params) (methods.Method, error) {
			m := SGHMC{
				Chain:    Chain{LR: 0.01, PriorSigma: 1, Temperature: 1, Samples: 10, Init: nn.Glorot},
				Decay:    Decay{Gamma: 0, B: 1000},
				Friction: 0.1,
			}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if err := m.Chain.check(); err != nil {
				return nil, err
			}
			if err := checkFriction(m.Friction); err != nil {
				return nil, err
			}
			return m, m.Decay.check()
		},
	})
}

// SGHMC is stochastic gradient Hamiltonian Monte Carlo,
//
//	v ← (1−α)v − η·∇loss + √(2αηT/N)·ε,  w ← w + v
//
// with the gradient noise taken as small (β̂ = 0). Chen, Fox, Guestrin,
// "Stochastic gradient Hamiltonian Monte Carlo", ICML 2014, eq. 15.
type SGHMC struct {
	Chain
	Decay
	Friction float64 `toml:"friction"` // α, 1 − momentum
}

func (m SGHMC) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	return m.Decay.plan(m.Chain, Langevin{m.Friction, constant(m.Temperature), j.Task.Examples}, model, j)
}

func checkFriction(alpha float64) error {
	if !(alpha > 0 && alpha <= 1) {
		return methods.BadKey("friction", alpha, "a number in (0, 1]")
	}
	return nil
}

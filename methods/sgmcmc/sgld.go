package sgmcmc

import (
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "sgld",
		Description: "stochastic gradient Langevin dynamics (Welling & Teh 2011)",
		Ignores:     methods.LossKeys,
		New: func(p methods.Params) (methods.Method, error) {
			m := SGLD{
				Chain: Chain{LR: 0.1, PriorSigma: 1, Temperature: 1, Samples: 10, Init: nn.Glorot},
				Decay: Decay{Gamma: 0.55, B: 1000},
			}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if err := m.Chain.check(); err != nil {
				return nil, err
			}
			return m, m.Decay.check()
		},
	})
}

// SGLD is stochastic gradient Langevin dynamics,
//
//	w ← w − η_t·∇loss + √(2η_t·T/N)·ε,  η_t = lr·(1 + t/b)^(−γ)
//
// At temperature 0 it is stochastic gradient descent. Welling and Teh,
// "Bayesian learning via stochastic gradient Langevin dynamics", ICML 2011,
// eq. 4 with ε_t = 2η_t/N; γ = 0.55 is theirs.
type SGLD struct {
	Chain
	Decay
}

func (m SGLD) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	return m.Decay.plan(m.Chain, Langevin{1, constant(m.Temperature), j.Task.Examples}, model, j)
}

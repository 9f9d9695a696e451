package hmc

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
)

// adaptation is dual averaging of log ε, at trajectory m = 1, 2, …,
//
//	H̄ ← (1 − 1/(m+t₀))·H̄ + (δ − α)/(m+t₀),  log ε ← μ − √m/γ·H̄,
//	log ε̄ ← m^(−κ)·log ε + (1 − m^(−κ))·log ε̄
//
// with δ the acceptance wanted, α that of the trajectory, μ = log 10ε₀. Burn-in
// steps by ε, sampling by the ε̄ it ends with.
type adaptation struct {
	s                     *nn.Scope
	m                     Method
	logEps, logAverage, h ir.Value
}

const (
	gamma = 0.05
	t0    = 10
	kappa = 0.75
)

func newAdaptation(s *nn.Scope, m Method) adaptation {
	start := nn.Init{A: math.Log(m.StepSize)}
	return adaptation{s: s, m: m, logEps: s.Keep("hmc/log-step", start), logAverage: s.Keep("hmc/log-step-average", start), h: s.Keep("hmc/h", nn.Init{})}
}

// step is ε.
func (a adaptation) step(adapting bool) ir.Value {
	if adapting {
		return a.s.Exp(a.logEps)
	}
	return a.s.Exp(a.logAverage)
}

// update moves ε at the end of a trajectory.
func (a adaptation) update(end, accepted ir.Value) {
	s := a.s
	trajectories := func(x, from, gamma float64) schedule.Schedule { return schedule.Blocks(x, from, gamma, a.m.Leapfrog) }
	share := s.Scheduled("adapt/share", trajectories(1, 1+t0, 1))
	pull := s.Scheduled("adapt/pull", trajectories(1/gamma, 1, -0.5))
	weight := s.Scheduled("adapt/weight", trajectories(1, 1, kappa))
	h := s.Add(a.h, s.Mul(share, s.Sub(s.Sub(s.Const(a.m.Accept), accepted), a.h)))
	logEps := s.Sub(s.Const(math.Log(10*a.m.StepSize)), s.Mul(pull, h))
	average := s.Add(a.logAverage, s.Mul(weight, s.Sub(logEps, a.logAverage)))
	for _, v := range [][2]ir.Value{{a.h, h}, {a.logEps, logEps}, {a.logAverage, average}} {
		s.Set(v[0], s.Select(end, v[1], v[0]))
	}
}

package hmc

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "hmc",
		Description: "full-batch Hamiltonian Monte Carlo, the reference on small problems (Neal 2011)",
		Ignores:     methods.TrainKeys,
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{StepSize: 1e-3, Leapfrog: 20, Jitter: 0.2, BurnIn: 50, Samples: 100, Thin: 1, Accept: 0.8, Temperature: 1, PriorSigma: 1, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of HMC.
type Method struct {
	StepSize float64 `toml:"step_size"` // ε at the start
	Leapfrog int     `toml:"leapfrog"`  // L
	// Jitter draws each trajectory's step from [1−Jitter, 1+Jitter] times ε, so
	// that no trajectory is a whole period of some direction (Neal, section 3.2).
	Jitter      float64        `toml:"jitter"`
	BurnIn      int            `toml:"burn_in"` // trajectories, during which ε adapts
	Samples     int            `toml:"samples"`
	Thin        int            `toml:"thin"`   // trajectories a sample
	Accept      float64        `toml:"accept"` // acceptance wanted of the adaptation
	Temperature float64        `toml:"temperature"`
	PriorSigma  float64        `toml:"prior_sigma"` // σ
	Init        nn.Initializer `toml:"init"`
}

// maxCount bounds the numbers of which the steps are a product.
const maxCount = 100_000

func (m Method) check() error {
	switch {
	case !(m.StepSize > 0) || math.IsInf(m.StepSize, 1):
		return methods.BadKey("step_size", m.StepSize, "a finite number above 0")
	case m.Leapfrog < 1 || m.Leapfrog > maxCount:
		return methods.BadKey("leapfrog", m.Leapfrog, fmt.Sprintf("1 to %d steps", maxCount))
	case !(m.Jitter >= 0 && m.Jitter < 1):
		return methods.BadKey("jitter", m.Jitter, "a fraction in [0, 1)")
	case m.BurnIn < 0 || m.BurnIn > maxCount:
		return methods.BadKey("burn_in", m.BurnIn, fmt.Sprintf("0 to %d trajectories", maxCount))
	case m.Samples < 1 || m.Samples > maxCount:
		return methods.BadKey("samples", m.Samples, fmt.Sprintf("1 to %d", maxCount))
	case m.Thin < 1 || m.Thin > maxCount:
		return methods.BadKey("thin", m.Thin, fmt.Sprintf("1 to %d trajectories", maxCount))
	case !(m.Accept > 0 && m.Accept < 1):
		return methods.BadKey("accept", m.Accept, "a probability in (0, 1)")
	case !(m.Temperature > 0) || math.IsInf(m.Temperature, 1):
		return methods.BadKey("temperature", m.Temperature, "a finite number above 0")
	case !(m.PriorSigma > 0):
		return methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
	}
	return nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	n := fit.Network{Model: model, Job: j, Layers: fit.UnderPrior(m.PriorSigma, m.Init)}
	var p fit.Plan
	var moved []string
	p.Stage("start", 1, func(s *nn.Scope) { moved = m.start(s, n) }).FullBatch = true
	if m.BurnIn > 0 {
		p.Stage("burn-in", m.BurnIn*m.Leapfrog, func(s *nn.Scope) { m.step(s, n, true) }).FullBatch = true
	}
	sample := p.Stage("sample", m.Samples*m.Thin*m.Leapfrog, func(s *nn.Scope) { m.step(s, n, false) })
	sample.FullBatch = true
	run := m.Thin * m.Leapfrog
	predictor := p.Refreshed("sample", n)
	predictor.Chain = true
	p.Keep(sample, predictor, methods.Every{Period: run, Count: 1})
	p.Report(func(s *nn.Scope) {
		s.Result("accept_rate", s.Keep("hmc/accept", nn.Init{}))
		s.Result("step_size", newAdaptation(s, m).step(false))
	})
	p.Sampler(m.sampler(moved, j.Task.Examples))
	return p.Build()
}

// sampler describes the leapfrog step, which is stable along a direction of
// curvature λ of U = N·loss as long as ε²λ is below 4 (Neal, section 4.2); ε is
// the largest that the jitter gives.
func (m Method) sampler(slots []string, examples int) methods.Sampler {
	size := methods.StepSize{Factor: float64(examples), Log: "hmc/log-step-average", Stretch: 1 + m.Jitter}
	return methods.Sampler{Key: "step_size", Slots: slots, Size: size, Limit: 4, Adjusted: true}
}

// energy is U at the scope's parameters, with the objective it comes from.
func energy(s *nn.Scope, n fit.Network) (ir.Value, fit.Objective) {
	o := n.FullBatch(s, ir.None)
	return s.MulConst(o.Loss, float64(n.Job.Task.Examples)), o
}

// start fills the slots of U and ∇U at the initial state, and lists the parameters.
func (m Method) start(s *nn.Scope, n fit.Network) (slots []string) {
	u, o := energy(s, n)
	params := s.Trained()
	var wrt []ir.Value
	for _, p := range params {
		wrt, slots = append(wrt, p.Value), append(slots, p.Name)
	}
	for i, g := range s.Grad(u, wrt...) {
		s.Set(s.Keep(params[i].Name+"/gradient", nn.Init{}, s.Shape(g)...), g)
	}
	s.Set(s.Keep("hmc/energy", nn.Init{}), u)
	s.Set(s.Keep("hmc/nll", nn.Init{}), o.NLL)
	o.Record(s)
	return slots
}

// particle is one parameter in phase space: at the start of the trajectory, now,
// and one leapfrog step on.
type particle struct {
	q, p, g, q0, g0 ir.Value // slots
	half            ir.Value // p after the first half kick
	nextQ           ir.Value
	startQ, startG  ir.Value // of this trajectory
	kinetic         ir.Value // Σp² at the beginning
}

// step is one leapfrog step; the first of a trajectory draws the momentum, the
// last decides.
func (m Method) step(s *nn.Scope, n fit.Network, adapt bool) {
	begin, end := s.Scheduled("begin", schedule.Pulse(m.Leapfrog, 0)), s.Scheduled("end", schedule.Pulse(m.Leapfrog, m.Leapfrog-1))
	a := newAdaptation(s, m)
	jitterSlot := s.Keep("hmc/jitter", nn.Init{A: 1})
	jitter := s.Select(begin, s.AddConst(s.MulConst(s.Chance(), 2*m.Jitter), 1-m.Jitter), jitterSlot)
	s.Set(jitterSlot, jitter)
	eps := s.Mul(a.step(adapt), jitter)

	var particles []particle
	index := map[string]int{}
	s.Source = func(name string, init nn.Init, shape []int) ir.Value {
		if i, ok := index[name]; ok {
			return particles[i].nextQ
		}
		index[name] = len(particles)
		slot := func(suffix string) ir.Value { return s.Keep(name+suffix, nn.Init{}, shape...) }
		x := particle{q: s.Keep(name, init, shape...), p: slot("/momentum"), g: slot("/gradient"), q0: slot("/start"), g0: slot("/start-gradient")}
		momentum := s.Select(begin, s.MulConst(s.Noise(shape...), math.Sqrt(m.Temperature)), x.p)
		x.startQ, x.startG = s.Select(begin, x.q, x.q0), s.Select(begin, x.g, x.g0)
		x.kinetic = s.Sum(s.Square(momentum))
		x.half = s.Sub(momentum, s.Mul(x.g, s.MulConst(eps, 0.5)))
		x.nextQ = s.Add(x.q, s.Mul(x.half, eps))
		particles = append(particles, x)
		return x.nextQ
	}
	u, o := energy(s, n)
	var wrt, before, after []ir.Value
	for _, x := range particles {
		wrt = append(wrt, x.nextQ)
		before = append(before, x.kinetic)
	}
	gradients := s.Grad(u, wrt...)
	momenta := make([]ir.Value, len(particles))
	for i, x := range particles {
		momenta[i] = s.Sub(x.half, s.Mul(gradients[i], s.MulConst(eps, 0.5)))
		after = append(after, s.Sum(s.Square(momenta[i])))
	}

	uSlot, u0Slot, h0Slot := s.Keep("hmc/energy", nn.Init{}), s.Keep("hmc/start-energy", nn.Init{}), s.Keep("hmc/start-total", nn.Init{})
	u0 := s.Select(begin, uSlot, u0Slot)
	h0 := s.Select(begin, s.Add(uSlot, s.MulConst(s.Total(before), 0.5)), h0Slot)
	h1 := s.Add(u, s.MulConst(s.Total(after), 0.5))
	logRatio := s.MulConst(s.Sub(h0, h1), 1/m.Temperature)
	// A trajectory that diverged has no finite energy: NaN compares as false.
	accept := s.Less(s.Log(s.Chance()), logRatio)
	back := s.Mul(end, s.Sub(s.Const(1), accept))
	for i, x := range particles {
		s.Set(x.q, s.Select(back, x.startQ, x.nextQ))
		s.Set(x.g, s.Select(back, x.startG, gradients[i]))
		s.Set(x.p, momenta[i])
		s.Set(x.q0, x.startQ)
		s.Set(x.g0, x.startG)
	}
	s.Set(uSlot, s.Select(back, u0, u))
	s.Set(u0Slot, u0)
	nllSlot, nll0Slot := s.Keep("hmc/nll", nn.Init{}), s.Keep("hmc/start-nll", nn.Init{})
	nll0 := s.Select(begin, nllSlot, nll0Slot)
	s.Set(nllSlot, s.Select(back, nll0, o.NLL))
	s.Set(nll0Slot, nll0)
	s.Set(h0Slot, h0)
	probability := s.Exp(s.Min(s.Select(s.LessEqual(h1, h1), logRatio, s.Const(-100)), s.Const(0)))
	if adapt {
		a.update(end, probability)
	}
	// The mean over the stage's trajectories so far.
	share := s.Scheduled("accept/share", schedule.Blocks(1, 1, 1, m.Leapfrog))
	mean := s.Keep("hmc/accept", nn.Init{})
	s.Set(mean, s.Select(end, s.Add(mean, s.Mul(share, s.Sub(probability, mean))), mean))
	// Those of the trajectory's start, which are finite wherever it leads.
	s.Result("loss", s.MulConst(u0, 1/float64(n.Job.Task.Examples)))
	s.Result("nll", nll0)
	s.Result("accept", probability) // of ending here
	s.Result("step_size", eps)
}

package darkknowledge

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
	"bayesbench/methods/sgmcmc"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "bayesian-dark-knowledge",
		Description: "a student that learns an SGLD chain's predictive online (Balan et al. 2015)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{LR: 0.1, PriorSigma: 1, Temperature: 1, StudentSigma: 1, Noise: 0.05, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of Bayesian dark knowledge.
type Method struct {
	LR          float64 `toml:"lr"`          // of the teacher, as sgld's, constant
	PriorSigma  float64 `toml:"prior_sigma"` // σ
	Temperature float64 `toml:"temperature"`
	// BurnIn is in epochs; nil is a tenth of the training.
	BurnIn       *float64       `toml:"burn_in"`
	StudentSigma float64        `toml:"student_sigma"` // s
	Noise        float64        `toml:"noise"`         // standard deviation added to x
	Init         nn.Initializer `toml:"init"`
}

func (m Method) check() error {
	switch {
	case !(m.LR > 0) || math.IsInf(m.LR, 1):
		return methods.BadKey("lr", m.LR, "a finite number above 0")
	case !(m.PriorSigma > 0):
		return methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
	case !(m.StudentSigma > 0):
		return methods.BadKey("student_sigma", m.StudentSigma, "a number above 0, or inf")
	case !(m.Temperature >= 0) || math.IsInf(m.Temperature, 1):
		return methods.BadKey("temperature", m.Temperature, "a finite number not below 0")
	case !(m.Noise >= 0) || math.IsInf(m.Noise, 1):
		return methods.BadKey("noise", m.Noise, "a finite number not below 0")
	case m.BurnIn != nil && !(*m.BurnIn >= 0):
		return methods.BadKey("burn_in", *m.BurnIn, "an epoch, 0 or later")
	}
	return nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	opt, lr, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	burnIn := float64(j.Epochs) / 10
	if m.BurnIn != nil {
		burnIn = *m.BurnIn
	}
	if burnIn >= float64(j.Epochs) {
		return nil, methods.BadKey("burn_in", burnIn, fmt.Sprintf("less than the %d epochs of the training", j.Epochs))
	}
	first := int(burnIn * float64(j.StepsPerEpoch()))

	teacher := fit.Network{Model: model, Job: j, Prefix: "teacher/", Layers: fit.UnderPrior(m.PriorSigma, m.Init)}
	taught := j
	taught.Task.Likelihood = j.Task.Likelihood.Taught()
	student := fit.Network{Model: model, Job: taught, Layers: func(s *nn.Scope) nn.Layers {
		return &nn.Point{Scope: s, Init: m.Init, Penalty: fit.GaussianPrior(s, m.StudentSigma)}
	}}
	sampler := sgmcmc.Langevin{Friction: 1, Examples: j.Task.Examples}
	if m.Temperature > 0 {
		sampler.Temperature = schedule.Constant(m.Temperature)
	}
	var p fit.Plan
	var moved []string // by the chain
	if first > 0 {
		p.Stage("burn-in", first, func(s *nn.Scope) { m.walk(s, teacher, sampler) })
	}
	p.Stage("distil", j.Steps()-first, func(s *nn.Scope) {
		x := m.walk(s, teacher, sampler)
		chain := len(s.Trained())
		for _, slot := range s.Trained() {
			moved = append(moved, slot.Name)
		}
		perturbed := s.Add(x, s.MulConst(s.RowNoise(s.Shape(x)...), m.Noise))
		walked := slices.Clone(s.Slots)
		target := teacher.Teach(s, teacher.Outputs(s, perturbed))
		copy(s.Slots, walked) // the teacher's running statistics are those of its own batch
		s.Prior = nil         // the chain's
		o := student.On(s, perturbed, s.Stop(target), ir.None)
		fit.Descend(s, s.Trained()[chain:], o.Loss, opt, s.Scheduled("lr", lr.After(first)))
		s.Result("student", o.Loss)
	})
	p.Sampler(sampler.Sampler(moved, m.LR))
	p.Predictor("mean", student)
	p.Predictor("teacher", teacher)
	return p.Build()
}

// walk is a step of the chain on the batch, whose x it declares.
func (m Method) walk(s *nn.Scope, teacher fit.Network, sampler sgmcmc.Langevin) (x ir.Value) {
	x = teacher.X(s, teacher.Job.Batch)
	o := teacher.On(s, x, teacher.Y(s, teacher.Job.Batch), ir.None)
	fit.Descend(s, s.Trained(), o.Loss, sampler, s.Scheduled("teacher/lr", schedule.Constant(m.LR)))
	o.Record(s)
	return x
}

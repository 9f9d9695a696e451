package swag

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "swa",
		Description: "stochastic weight averaging (Izmailov et al. 2018)",
		New: func(p methods.Params) (methods.Method, error) {
			m := SWA{defaultTail()}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
	methods.Register(methods.Driver{
		Name:        "swag",
		Description: "Gaussian of stochastic weight averaging, diagonal + low rank (Maddox et al. 2019)",
		New: func(p methods.Params) (methods.Method, error) {
			m := SWAG{tail: defaultTail(), Rank: 20}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if m.Rank < 2 || m.Rank > m.Collect {
				return nil, methods.BadKey("rank", m.Rank, fmt.Sprintf("2 or more and no more than collect = %d", m.Collect))
			}
			return m, m.check()
		},
	})
}

// SWA is the settings of stochastic weight averaging.
type SWA struct{ tail }

// SWAG is the settings of its Gaussian.
type SWAG struct {
	tail
	Rank int `toml:"rank"` // K
}

// tail is the part of the training along which networks are collected.
type tail struct {
	// Start is the epoch at which it begins; nil is three quarters of the
	// training, as in the paper.
	Start      *float64       `toml:"start"`
	Collect    int            `toml:"collect"` // k
	LR         float64        `toml:"lr"`      // per-example, constant
	Momentum   float64        `toml:"momentum"`
	PriorSigma float64        `toml:"prior_sigma"`
	Init       nn.Initializer `toml:"init"`
}

func defaultTail() tail {
	return tail{Collect: 20, LR: 0.01, Momentum: 0.9, PriorSigma: 1, Init: nn.Glorot}
}

func (t tail) check() error {
	switch {
	case t.Start != nil && !(*t.Start >= 0):
		return methods.BadKey("start", *t.Start, "an epoch, 0 or later")
	case t.Collect < 1 || t.Collect > 1000: // each is two stages with programs of their own
		return methods.BadKey("collect", t.Collect, "1 to 1000")
	case !(t.LR > 0) || math.IsInf(t.LR, 1):
		return methods.BadKey("lr", t.LR, "a finite number above 0")
	case !(t.Momentum >= 0 && t.Momentum < 1):
		return methods.BadKey("momentum", t.Momentum, "a number in [0, 1)")
	case !(t.PriorSigma > 0):
		return methods.BadKey("prior_sigma", t.PriorSigma, "a number above 0, or inf")
	}
	return nil
}

func (m SWA) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	return m.plan(model, j, 0, func(p *fit.Plan, n fit.Network) { p.Refreshed("mean", under(n, mean)) })
}

func (m SWAG) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	return m.plan(model, j, m.Rank, func(p *fit.Plan, n fit.Network) {
		p.Refreshed("sample", under(n, m.sample))
		p.Refreshed("mean", under(n, mean))
	})
}

// plan trains, collects rank deviations beside the averages, and leaves the
// predictors to the method.
func (t tail) plan(model nn.Model, j methods.Job, rank int, predict func(p *fit.Plan, n fit.Network)) (*methods.Plan, error) {
	opt, lr, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	start := 0.75 * float64(j.Epochs)
	if t.Start != nil {
		start = *t.Start
	}
	if start >= float64(j.Epochs) {
		return nil, methods.BadKey("start", start, fmt.Sprintf("less than the %d epochs of the training", j.Epochs))
	}
	// The tail has an SGD of its own, under the suite's decay and clipping.
	explore, err := optim.Named(optim.Keys{
		Optimizer: "sgd", Momentum: t.Momentum, WeightDecay: j.Train.WeightDecay, ClipNorm: j.Train.ClipNorm,
	})
	if err != nil {
		return nil, err
	}
	first := int(start * float64(j.StepsPerEpoch()))
	left := j.Steps() - first
	if t.Collect > left {
		return nil, methods.BadKey("collect", t.Collect, fmt.Sprintf("no more than the %d steps after start", left))
	}
	n := fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers {
		return &nn.Point{Scope: s, Init: t.Init, Penalty: fit.GaussianPrior(s, t.PriorSigma)}
	}}
	var p fit.Plan
	if first > 0 {
		p.Stage("train", first, func(s *nn.Scope) { fit.Minimise(s, n, methods.Schedule{}, opt, lr) })
	}
	for i := range t.Collect {
		var trained []param
		steps := left*(i+1)/t.Collect - left*i/t.Collect
		p.Stage(fmt.Sprintf("explore-%d", i+1), steps, func(s *nn.Scope) {
			fit.Minimise(s, n, methods.Schedule{}, explore, schedule.Constant(t.LR))
			for _, slot := range s.Trained() {
				trained = append(trained, param{slot.Name, slot.Init, s.Shape(slot.Value)})
			}
		})
		p.Stage(fmt.Sprintf("collect-%d", i+1), 1, func(s *nn.Scope) { collect(s, trained, i, rank) })
	}
	predict(&p, n)
	return p.Build()
}

// param is a trained parameter.
type param struct {
	name  string
	init  nn.Init
	shape []int
}

// collect takes the parameters in as number i (from 0) of those collected.
func collect(s *nn.Scope, trained []param, i, rank int) {
	weight := s.Scheduled("weight", schedule.Constant(1/float64(i+1)))
	towards := func(slot, x ir.Value) ir.Value {
		next := s.Add(slot, s.Mul(s.Sub(x, slot), weight))
		s.Set(slot, next)
		return next
	}
	for _, p := range trained {
		shape := p.shape
		w := s.Keep(p.name, p.init, shape...)
		mean := towards(s.Keep(p.name+"/mean", nn.Init{}, shape...), w)
		if rank == 0 {
			continue
		}
		towards(s.Keep(p.name+"/square", nn.Init{}, shape...), s.Square(w))
		wide := append([]int{rank}, shape...)
		deviations := s.Keep(p.name+"/deviations", nn.Init{}, wide...)
		lo, column := make([]int, len(wide)), append([]int{1}, shape...)
		lo[0] = 1
		s.Set(deviations, s.Concat(0, s.Slice(deviations, lo, wide), s.Reshape(s.Sub(w, mean), column...)))
	}
}

type source = func(name string, init nn.Init, shape []int) ir.Value

// under is the network with its parameters from the source.
func under(n fit.Network, of func(s *nn.Scope) source) fit.Network {
	layers := n.Layers
	n.Layers = func(s *nn.Scope) nn.Layers {
		s.Source = of(s)
		return layers(s)
	}
	return n
}

// mean is w̄.
func mean(s *nn.Scope) source {
	return func(name string, init nn.Init, shape []int) ir.Value {
		return s.Keep(name+"/mean", nn.Init{}, shape...)
	}
}

// sample draws the parameters; one z′ serves the whole network.
func (m SWAG) sample(s *nn.Scope) source {
	low := s.MulConst(s.Noise(1, m.Rank), 1/math.Sqrt(2*float64(m.Rank-1)))
	return func(name string, init nn.Init, shape []int) ir.Value {
		mean := s.Keep(name+"/mean", nn.Init{}, shape...)
		square := s.Keep(name+"/square", nn.Init{}, shape...)
		deviations := s.Keep(name+"/deviations", nn.Init{}, append([]int{m.Rank}, shape...)...)
		variance := s.Max(s.Sub(square, s.Square(mean)), s.Const(0)) // rounding may make it negative
		diagonal := s.Mul(s.Sqrt(s.MulConst(variance, 0.5)), s.Noise(shape...))
		lowRank := s.Reshape(s.MatMul(low, s.Flatten(deviations), false, false), shape...)
		return s.Add(mean, s.Add(diagonal, lowRank))
	}
}

package svgd

import (
	"errors"
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
		Name:        "svgd",
		Description: "Stein variational gradient descent, RBF kernel (Liu & Wang 2016)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{Particles: 10, Bandwidth: 1, PriorSigma: 1, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			switch {
			case m.Particles < 1 || m.Particles > 200:
				return nil, methods.BadKey("particles", m.Particles, "1 to 200")
			case !(m.Bandwidth > 0) || math.IsInf(m.Bandwidth, 1):
				return nil, methods.BadKey("bandwidth", m.Bandwidth, "a finite number above 0")
			case !(m.PriorSigma > 0):
				return nil, methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
			}
			return m, nil
		},
	})
}

// Method is the settings of SVGD.
type Method struct {
	Particles  int            `toml:"particles"`   // M
	Bandwidth  float64        `toml:"bandwidth"`   // b
	PriorSigma float64        `toml:"prior_sigma"` // σ
	Init       nn.Initializer `toml:"init"`
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	if model.Given && m.Particles > 1 {
		return nil, errors.New("particles that start with one network's weights stay together; leave out model.init")
	}
	opt, lr, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	n := fit.Network{Model: model, Job: j, Layers: fit.UnderPrior(m.PriorSigma, m.Init)}
	var p fit.Plan
	p.Stage("train", j.Steps(), func(s *nn.Scope) {
		x, y := n.X(s, j.Batch), n.Y(s, j.Batch)
		var losses, nlls []ir.Value
		for i := range m.Particles {
			particle := n
			particle.Prefix = prefix(i)
			s.Prior = nil
			o := particle.On(s, x, y, ir.None)
			losses, nlls = append(losses, o.Loss), append(nlls, o.NLL)
		}
		sum := s.Total(losses)
		params := s.Trained()
		opt.Step(s, params, m.directions(s, params, sum, j.Task.Examples), s.Scheduled("lr", lr))
		s.Result("loss", s.MulConst(sum, 1/float64(m.Particles)))
		s.Result("nll", s.MulConst(s.Total(nlls), 1/float64(m.Particles)))
	})
	predictor := p.Predictor("sample", n)
	// The particles become the stored states, one a step.
	store := p.Stage("store", m.Particles, func(s *nn.Scope) {
		at := s.Scheduled("particle", schedule.Count())
		for _, slot := range p.Reads(predictor) {
			shape := slot.Type.Shape
			v := s.Keep(prefix(0)+slot.Name, slot.Init, shape...)
			for i := 1; i < m.Particles; i++ {
				v = s.Select(s.Equal(at, s.Const(float64(i))), s.Keep(prefix(i)+slot.Name, slot.Init, shape...), v)
			}
			s.Set(s.Keep(slot.Name, slot.Init, shape...), v)
		}
	})
	p.Keep(store, predictor, methods.Every{Period: 1, Count: 1})
	return p.Build()
}

func prefix(i int) string { return fmt.Sprintf("particle%d/", i) }

// directions are −φ/N for each parameter of each particle, which stand in that
// order, particle by particle; loss is the sum of the particles' losses per
// example.
func (m Method) directions(s *nn.Scope, params []nn.Slot, loss ir.Value, examples int) []ir.Value {
	n := m.Particles
	wrt := make([]ir.Value, len(params))
	for i, p := range params {
		wrt[i] = p.Value
	}
	gradients := s.Grad(loss, wrt...)
	if n == 1 {
		return gradients
	}
	each := len(params) / n
	// rows puts one parameter of all particles into a matrix [n size].
	rows := func(values []ir.Value, k int) ir.Value {
		var out []ir.Value
		for i := range n {
			v := values[i*each+k]
			out = append(out, s.Reshape(v, 1, s.Type(v).Size()))
		}
		return s.Concat(0, out...)
	}
	square := []int{n, n}
	distances := s.Full(0, n, n)
	for k := range each {
		x := rows(wrt, k)
		norms := s.Sum(s.Square(x), 1)
		both := s.Add(s.Broadcast(norms, square, 0), s.Broadcast(norms, square, 1))
		distances = s.Add(distances, s.Sub(both, s.MulConst(s.MatMul(x, x, false, true), 2)))
	}
	distances = s.Max(distances, s.Const(0)) // rounding may make them negative
	h := s.AddConst(s.MulConst(median(s, distances, n), m.Bandwidth/math.Log(float64(n))), 1e-12)
	kernel := s.Exp(s.Neg(s.Div(distances, s.Broadcast(h, square))))
	total := s.Sum(kernel, 1)
	strength := s.Div(s.Const(2/float64(examples)), h)
	out := make([]ir.Value, len(params))
	for k := range each {
		x, g := rows(wrt, k), rows(gradients, k)
		size := s.Shape(x)[1]
		apart := s.Sub(s.Mul(x, s.Broadcast(total, s.Shape(x), 0)), s.MatMul(kernel, x, false, false))
		minusPhi := s.Sub(s.MatMul(kernel, g, false, false), s.Mul(apart, strength))
		minusPhi = s.MulConst(minusPhi, 1/float64(n))
		for i := range n {
			row := s.Slice(minusPhi, []int{i, 0}, []int{i + 1, size})
			out[i*each+k] = s.Reshape(row, s.Shape(wrt[i*each+k])...)
		}
	}
	return out
}

// median is that of the off-diagonal elements of d[m m], none negative, whose
// diagonal is 0: by 30 bisections, so to 2⁻³⁰ of the largest.
func median(s *nn.Scope, d ir.Value, m int) ir.Value {
	n := m * m
	flat := s.Reshape(d, n)
	half := s.Const(float64(m + (n-m)/2)) // elements up to the median, with the diagonal
	low, high := s.Const(0), s.MaxOver(flat)
	for range 30 {
		middle := s.MulConst(s.Add(low, high), 0.5)
		enough := s.LessEqual(half, s.Sum(s.LessEqual(flat, s.Broadcast(middle, []int{n}))))
		low, high = s.Select(enough, low, middle), s.Select(enough, middle, high)
	}
	return high
}

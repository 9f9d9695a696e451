package laplace

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "laplace",
		Description: "Laplace approximation, diagonal or KFAC, last layer or all (MacKay 1992; Ritter et al. 2018)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{Structure: KFAC, Layers: Last, Precision: Marginal, PriorSigma: 1, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of the Laplace approximation.
type Method struct {
	Structure  string         `toml:"structure"`
	Layers     string         `toml:"layers"`
	Precision  string         `toml:"precision"`   // how τ is found
	PriorSigma float64        `toml:"prior_sigma"` // σ
	Init       nn.Initializer `toml:"init"`
}

const (
	Diag = "diag"
	KFAC = "kfac"

	Last = "last"
	All  = "all"

	Marginal = "marginal-likelihood"
	Fixed    = "fixed" // τ = 1/σ²
)

func (m Method) check() error {
	switch {
	case m.Structure != Diag && m.Structure != KFAC:
		return methods.BadKey("structure", m.Structure, `"diag" or "kfac"`)
	case m.Layers != Last && m.Layers != All:
		return methods.BadKey("layers", m.Layers, `"last" or "all"`)
	case m.Precision != Marginal && m.Precision != Fixed:
		return methods.BadKey("precision", m.Precision, `"marginal-likelihood" or "fixed"`)
	case !(m.PriorSigma > 0) || math.IsInf(m.PriorSigma, 1):
		return methods.BadKey("prior_sigma", m.PriorSigma, "a finite number above 0")
	}
	return nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	tensors, err := model.Tensors(j.Task.Input, j.Task.Likelihood.Outputs())
	if err != nil {
		return nil, err
	}
	if m.Layers == Last {
		tensors = tensors[len(tensors)-1:]
	}
	for _, t := range tensors {
		if len(t.Shape) != 2 {
			return nil, methods.BadKey("layers", m.Layers, fmt.Sprintf("%q: %s is a convolution, whose curvature is not known here", Last, t.Layer))
		}
	}
	n := fit.Network{Model: model, Job: j, Layers: fit.UnderPrior(m.PriorSigma, m.Init)}
	sampled := n
	sampled.Layers = func(s *nn.Scope) nn.Layers {
		s.Source = m.source(s, tensors)
		return n.Layers(s)
	}
	var p fit.Plan
	p.Minimise(n, methods.Schedule{})
	curvature := p.Stage("curvature", j.StepsPerEpoch(), func(s *nn.Scope) { m.accumulate(s, n, tensors) })
	curvature.Done = func(state map[string][]float32) error { return m.solve(state, tensors, j) }
	if m.Layers == All { // of the last layer alone the outputs are linear already
		p.PredictorOf("linearised", n, func(s *nn.Scope, x ir.Value) ir.Value { return m.linearised(s, n, tensors, x) })
	}
	p.Predictor("sample", sampled)
	p.Predictor("mean", n)
	return p.Build()
}

// extended is the shape of a layer's weights with the bias as a last column.
func extended(t nn.Tensor) (out, in int) { return t.Shape[0], t.Shape[1] + 1 }

// recorder notes the inputs and outputs of the fully connected layers.
type recorder struct {
	nn.Layers
	wanted  []nn.Tensor
	inputs  []ir.Value
	outputs []ir.Value
}

func (r *recorder) Linear(name string, x ir.Value, out int) ir.Value {
	y := r.Layers.Linear(name, x, out)
	if slices.ContainsFunc(r.wanted, func(t nn.Tensor) bool { return t.Layer == name }) {
		r.inputs, r.outputs = append(r.inputs, x), append(r.outputs, y)
	}
	return y
}

// accumulate adds a batch to the curvature's factors.
func (m Method) accumulate(s *nn.Scope, n fit.Network, tensors []nn.Tensor) {
	s.Training = false
	r := &recorder{Layers: n.Layers(s), wanted: tensors}
	rows := n.Job.Batch
	likelihood := n.Job.Task.Likelihood
	out := n.Model.Apply(r, n.X(s, rows), likelihood.Outputs())
	add := func(name string, v ir.Value) {
		slot := s.Keep(name, nn.Init{}, s.Shape(v)...)
		s.Set(slot, s.Add(slot, v))
	}
	gradients := make([][]ir.Value, len(tensors)) // of each layer, for each column
	for _, column := range likelihood.HessianRoot(s, out) {
		for i, g := range s.Grad(s.Sum(s.Mul(out, s.Stop(column))), r.outputs...) {
			gradients[i] = append(gradients[i], g)
		}
	}
	for i, t := range tensors {
		a := withOnes(s, r.inputs[i])
		var terms []ir.Value
		for _, g := range gradients[i] {
			if m.Structure == KFAC {
				terms = append(terms, s.MatMul(g, g, true, false))
			} else {
				terms = append(terms, s.MatMul(s.Square(g), s.Square(a), true, false))
			}
		}
		if m.Structure == KFAC {
			add(t.Layer+"/A", s.MatMul(a, a, true, false))
			add(t.Layer+"/G", s.Total(terms))
		} else {
			add(t.Layer+"/H", s.Total(terms))
		}
	}
}

// draws gives each layer's deviation from the mode, [out in+1] with the bias as
// a last column, the same wherever it is asked for.
func (m Method) draws(s *nn.Scope) func(t nn.Tensor) ir.Value {
	drawn := map[string]ir.Value{}
	return func(t nn.Tensor) ir.Value {
		if v, ok := drawn[t.Layer]; ok {
			return v
		}
		out, in := extended(t)
		v := s.Mul(s.Noise(out, in), s.Keep(t.Layer+"/std", nn.Init{}, out, in))
		if m.Structure == KFAC {
			left := s.MatMul(s.Keep(t.Layer+"/UG", nn.Init{}, out, out), v, false, false)
			v = s.MatMul(left, s.Keep(t.Layer+"/UA", nn.Init{}, in, in), false, true)
		}
		drawn[t.Layer] = v
		return v
	}
}

// source draws the layers' weights and biases; the other parameters are the
// mode's.
func (m Method) source(s *nn.Scope, tensors []nn.Tensor) func(string, nn.Init, []int) ir.Value {
	draw := m.draws(s)
	return func(name string, init nn.Init, shape []int) ir.Value {
		mode := s.Keep(name, init, shape...)
		for _, t := range tensors {
			out, in := extended(t)
			switch name {
			case t.Layer + ".w":
				return s.Add(mode, s.Slice(draw(t), []int{0, 0}, []int{out, in - 1}))
			case t.Layer + ".b":
				return s.Add(mode, s.Reshape(s.Slice(draw(t), []int{0, in - 1}, []int{out, in}), out))
			}
		}
		return mode
	}
}

// linearised is the network's outputs to first order in the weights,
//
//	f(x, w*) + J(x)·(w − w*),  w ~ q
//
// one w for all examples. A layer's part of J·Δ is, for output c, the product
// of ∂f_c/∂(its outputs) with what Δ adds to its outputs, x·Δᵀ.
func (m Method) linearised(s *nn.Scope, n fit.Network, tensors []nn.Tensor, x ir.Value) ir.Value {
	r := &recorder{Layers: n.Layers(s), wanted: tensors}
	outputs := n.Job.Task.Likelihood.Outputs()
	out := n.Model.Apply(r, x, outputs)
	rows := s.Shape(x)[0]
	draw := m.draws(s)
	added := make([]ir.Value, len(tensors))
	for i, t := range tensors {
		added[i] = s.MatMul(withOnes(s, r.inputs[i]), draw(t), false, true)
	}
	var columns []ir.Value
	for c := range outputs {
		of := s.Slice(out, []int{0, c}, []int{rows, c + 1})
		var terms []ir.Value
		for i, g := range s.Grad(s.Sum(of), r.outputs...) {
			terms = append(terms, s.Sum(s.Mul(g, added[i]), 1))
		}
		columns = append(columns, s.Add(of, s.Reshape(s.Total(terms), rows, 1)))
	}
	return s.Concat(1, columns...)
}

// withOnes is a layer's inputs with a last column of ones for the bias.
func withOnes(s *nn.Scope, x ir.Value) ir.Value {
	return s.Concat(1, x, s.Full(1, s.Shape(x)[0], 1))
}

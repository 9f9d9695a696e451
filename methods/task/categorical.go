package task

import (
	"fmt"

	"bayesbench/backends/ir"
	"bayesbench/methods/key"
	"bayesbench/methods/nn"
)

func init() {
	kinds["categorical"] = kind{"one of C classes, by the softmax of C outputs", nil, newCategorical}
}

func newCategorical(k Keys, t Target) (Likelihood, error) {
	if t.Classes == 0 {
		return nil, key.Bad("likelihood.name", k.Name, fmt.Sprintf("\"gaussian\": the target of the data is %d numbers and no class", len(t.Units)))
	}
	return Categorical{t.Classes}, nil
}

// Categorical is one of C classes,
//
//	log p(y | f) = Σ_c y_c·log softmax(f)_c
//
// y a row of probabilities: a 1 at the label, a mixture of labels, or a teacher's. It results in
// "logp" f32[rows C], log softmax(f). The Hessian in f is diag(p) − p·pᵀ at every y, and its root
// has the columns √p_c·(e_c − p).
type Categorical struct{ Classes int }

func (l Categorical) Name() string            { return "categorical" }
func (l Categorical) Outputs() int            { return l.Classes }
func (l Categorical) Target(rows int) ir.Type { return ir.Float(rows, l.Classes) }

func (l Categorical) LogProb(s *nn.Scope, f, y ir.Value) ir.Value {
	return s.Mul(y, s.LogSoftmax(f))
}

func (l Categorical) Predict(s *nn.Scope, f ir.Value) []ir.Result {
	return []ir.Result{{Name: "logp", Value: s.LogSoftmax(f)}}
}

func (l Categorical) HessianRoot(s *nn.Scope, f ir.Value) []ir.Value {
	shape := s.Shape(f)
	p := s.Exp(s.LogSoftmax(f))
	var columns []ir.Value
	for c := range shape[1] {
		pc := s.Slice(p, []int{0, c}, []int{shape[0], c + 1})
		// e_c − p: p, negated, with 1 added at class c.
		unit := s.Pad(s.Full(1, shape[0], 1), []int{0, c}, []int{0, shape[1] - c - 1})
		root := s.Broadcast(s.Sqrt(s.Reshape(pc, shape[0])), shape, 0)
		columns = append(columns, s.Mul(root, s.Sub(unit, p)))
	}
	return columns
}

// Taught is l itself: log p(y | f) is linear in y, so that the expectation is its value at the
// teacher's probabilities.
func (l Categorical) Taught() Likelihood { return l }

// Teach is the probabilities.
func (l Categorical) Teach(s *nn.Scope, f ir.Value) ir.Value { return s.Exp(s.LogSoftmax(f)) }

package fit

import (
	"errors"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
)

// Network is a model under a method's layers, for one job.
type Network struct {
	Model  nn.Model
	Job    methods.Job
	Layers func(s *nn.Scope) nn.Layers
	Prefix string // of its slots' names, where a program has several networks
}

// Outputs applies the network to x.
func (n Network) Outputs(s *nn.Scope, x ir.Value) (out ir.Value) {
	s.Under(n.Prefix, func() { out = n.Model.Apply(n.Layers(s), x, n.Job.Task.Likelihood.Outputs()) })
	return out
}

// X declares the input x, a batch of inputs.
func (n Network) X(s *nn.Scope, rows int) ir.Value { return s.Param("x", n.Job.Task.X(rows)) }

// Y declares the input y, a batch of targets.
func (n Network) Y(s *nn.Scope, rows int) ir.Value {
	return s.Param("y", n.Job.Task.Likelihood.Target(rows))
}

// logProb is the terms of log p(y | outputs), f32[rows terms].
func (n Network) logProb(s *nn.Scope, outputs, y ir.Value) (terms ir.Value) {
	s.Under(n.Prefix, func() { terms = n.Job.Task.Likelihood.LogProb(s, outputs, y) })
	return terms
}

// NLL is the mean of −log p(y | outputs) over the rows.
func (n Network) NLL(s *nn.Scope, outputs, y ir.Value) ir.Value {
	return negativeMean(s, n.logProb(s, outputs, y))
}

// negativeMean is −Σ terms/rows.
func negativeMean(s *nn.Scope, terms ir.Value) ir.Value {
	return s.MulConst(s.Neg(s.Sum(terms)), 1/float64(s.Shape(terms)[0]))
}

// Teach is what the outputs say of y to a student.
func (n Network) Teach(s *nn.Scope, outputs ir.Value) (target ir.Value) {
	s.Under(n.Prefix, func() { target = n.Job.Task.Likelihood.Teach(s, outputs) })
	return target
}

// predict makes what the outputs say of y results of the program.
func (n Network) predict(s *nn.Scope, outputs ir.Value) {
	s.Under(n.Prefix, func() {
		for _, r := range n.Job.Task.Likelihood.Predict(s, outputs) {
			s.Result(r.Name, r.Value)
		}
	})
}

// score adds to nll what makes its gradient that of the expectation over the
// discrete noise of s.Scores too: mean over rows of (nll_i − b_i)·log q(z_i),
// the factor taken as constant. The baseline b_i is the mean nll of the other
// rows, which does not depend on z_i. Williams, "Simple statistical
// gradient-following algorithms for connectionist reinforcement learning",
// Machine Learning 1992.
func score(s *nn.Scope, nll, terms ir.Value) ir.Value {
	rows := s.Shape(terms)[0]
	if rows < 2 {
		s.Fail(errors.New("the score-function estimator needs batches of 2 or more"))
	}
	each := s.Neg(s.Sum(terms, 1))
	advantage := s.Stop(s.MulConst(s.Sub(each, nll), float64(rows)/float64(rows-1)))
	return s.Add(nll, s.Mean(s.Mul(advantage, s.Total(s.Scores))))
}

// Objective is what a step minimises, all f32[].
type Objective struct {
	Loss ir.Value // per example
	NLL  ir.Value // per example
	KL   ir.Value // nats, unweighted; ir.None where the layers add none
	// Surrogate is what to differentiate: Loss, and terms for discrete noise.
	Surrogate ir.Value
}

// Objective declares the batch x, y and builds
//
//	loss = nll + (klWeight·KL − log prior)/N
//
// with the KL and prior terms that the layers and the likelihood add. klWeight is not read where
// there is no KL; ir.None means 1.
func (n Network) Objective(s *nn.Scope, klWeight ir.Value) Objective {
	return n.On(s, n.X(s, n.Job.Batch), n.Y(s, n.Job.Batch), klWeight)
}

// FullBatch is Objective on all N examples, for a stage that has FullBatch set.
func (n Network) FullBatch(s *nn.Scope, klWeight ir.Value) Objective {
	return n.On(s, n.X(s, n.Job.Task.Examples), n.Y(s, n.Job.Task.Examples), klWeight)
}

// On is Objective on a given batch.
func (n Network) On(s *nn.Scope, x, y, klWeight ir.Value) Objective {
	logProb := n.logProb(s, n.Outputs(s, x), y)
	nll := negativeMean(s, logProb)
	o := Objective{Loss: nll, NLL: nll, KL: ir.None, Surrogate: nll}
	if len(s.Scores) > 0 {
		o.Surrogate = score(s, nll, logProb)
	}
	terms := append([]ir.Value(nil), s.Prior...)
	if len(s.KL) > 0 {
		o.KL = s.Total(s.KL)
		weighted := o.KL
		if klWeight != ir.None {
			weighted = s.Mul(o.KL, klWeight)
		}
		terms = append(terms, weighted)
	}
	if len(terms) > 0 {
		penalty := s.MulConst(s.Total(terms), 1/float64(n.Job.Task.Examples))
		o.Loss, o.Surrogate = s.Add(nll, penalty), s.Add(o.Surrogate, penalty)
	}
	return o
}

// Record makes the objective's scalars results of the program.
func (o Objective) Record(s *nn.Scope) {
	s.Result("loss", o.Loss)
	s.Result("nll", o.NLL)
	if o.KL != ir.None {
		s.Result("kl", o.KL)
	}
}

// Descend updates the slots by the optimiser.
func Descend(s *nn.Scope, params []nn.Slot, loss ir.Value, opt optim.Optimizer, lr ir.Value) {
	wrt := make([]ir.Value, len(params))
	for i, p := range params {
		wrt[i] = p.Value
	}
	opt.Step(s, params, s.Grad(loss, wrt...), lr)
}

package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"bayesbench/results"
)

// Family says what a metric is computed from.
type Family string

// The families.
const (
	Test        Family = "test"        // an evaluation with labels
	OOD         Family = "ood"         // (in-distribution, out-of-distribution)
	Adversarial Family = "adversarial" // (clean, attacked), same inputs and labels
	Reference   Family = "reference"   // (approximation, reference), same inputs
	Curve       Family = "curve"       // scores at several ensemble sizes
	Chains      Family = "chains"      // function values along Markov chains
	Network     Family = "network"     // the weight tensors and the network, the same on any machine
	Cost        Family = "cost"        // clocks and counters, different on each machine and run
)

// Metric names one number of a result.
type Metric struct {
	// Unit is the metric's name in a benchmark line, without blanks or any
	// character that benchstat's filter language treats as an operator.
	// A hyphen sets off a convention: ece15-lorc is the 15-bin ECE with bins
	// (lo,hi], left open, right closed.
	Unit   string
	Better results.Better
	Family Family
	Kind   Kind
	// Short is one line: what it is, in which unit, by which convention.
	Short string

	// compute is nil where the number does not come from predictions. NaN means
	// not defined here.
	compute func(*scoring) float64
}

var registry []Metric

// register is called from the init function of each metric's file. Metrics of predictions are those
// of classes.
func register(family Family, ms ...Metric) {
	kind := KindCategorical
	switch family {
	case Chains, Network, Cost:
		kind = KindNone
	}
	registerOf(kind, family, ms...)
}

// registerOf registers the metrics of one kind of prediction. Kinds share a unit where it says the
// same of each: then it improves the same way and is of the same family.
func registerOf(kind Kind, family Family, ms ...Metric) {
	for _, m := range ms {
		m.Family, m.Kind = family, kind
		for _, other := range registry {
			if other.Unit == m.Unit && (other.Kind == kind || other.Better != m.Better || other.Family != family) {
				panic("metrics: unit registered twice: " + m.Unit)
			}
		}
		registry = append(registry, m)
	}
}

// test adapts a metric of one evaluation.
func test(f func(*Evaluation) float64) func(*scoring) float64 {
	return func(s *scoring) float64 { return f(s.e) }
}

// pair adapts a metric of two evaluations.
func pair(f func(e, other *Evaluation) float64) func(*scoring) float64 {
	return func(s *scoring) float64 { return f(s.e, s.other) }
}

// scoring is what the metrics of one call share: each input is sorted or
// binned once for all of them.
type scoring struct {
	e, other *Evaluation // families of one evaluation have no other
	gaussian *GaussianEvaluation
	samples  *SampleEvaluation

	risks      func() RiskCurve
	bins       func() []results.Bin // the 15 of equal width
	classes    func() []float64     // ACE and TACE
	detections map[string]Detection
}

func newScoring(e, other *Evaluation) *scoring {
	return &scoring{
		e: e, other: other,
		risks:      sync.OnceValue(func() RiskCurve { return Risks(e) }),
		bins:       sync.OnceValue(func() []results.Bin { return Reliability(e, bins15) }),
		classes:    sync.OnceValue(func() []float64 { return classWise(e, bins15, -1, 1e-3) }),
		detections: make(map[string]Detection),
	}
}

// List returns every metric, families together and in each the kinds of prediction, in the order of
// their files.
func List() []Metric {
	list := slices.Clone(registry)
	order := []Family{Test, OOD, Adversarial, Reference, Curve, Chains, Network, Cost}
	slices.SortStableFunc(list, func(a, b Metric) int {
		return cmp.Or(slices.Index(order, a.Family)-slices.Index(order, b.Family), slices.Index(Kinds, a.Kind)-slices.Index(Kinds, b.Kind))
	})
	return list
}

// Lookup finds a metric by its unit. Of one that several kinds of prediction have, the direction
// and the family are the same, and the text is that of one of them.
func Lookup(unit string) (Metric, bool) {
	for _, m := range registry {
		if m.Unit == unit {
			return m, true
		}
	}
	return Metric{}, false
}

// Score computes the metrics of family [Test]. The evaluation must have labels.
func (e *Evaluation) Score() ([]results.Value, error) {
	if e.Labels == nil {
		return nil, fmt.Errorf("metrics: cannot score predictions without labels")
	}
	return score(KindCategorical, Test, newScoring(e, nil)), nil
}

// ScoreOOD computes the metrics of family [OOD]: how well the uncertainty of
// the predictive tells inputs of another distribution from those of its own.
func ScoreOOD(in, out *Evaluation) ([]results.Value, error) {
	if in.C != out.C {
		return nil, fmt.Errorf("metrics: out-of-distribution predictions have %d classes, want %d", out.C, in.C)
	}
	return score(KindCategorical, OOD, newScoring(in, out)), nil
}

// ScoreAdversarial computes the metrics of family [Adversarial] from the
// predictions for the clean inputs and for the same inputs under attack, both
// with labels.
func ScoreAdversarial(clean, attacked *Evaluation) ([]results.Value, error) {
	if clean.Labels == nil || !slices.Equal(clean.Labels, attacked.Labels) {
		return nil, fmt.Errorf("metrics: clean and attacked predictions must have the same labels")
	}
	return score(KindCategorical, Adversarial, newScoring(clean, attacked)), nil
}

// ScoreReference computes the metrics of family [Reference]: the distance of
// an approximate predictive from that of a reference posterior, such as long
// HMC chains, on the same inputs.
func ScoreReference(approx, ref *Evaluation) ([]results.Value, error) {
	if approx.N != ref.N || approx.C != ref.C {
		return nil, fmt.Errorf("metrics: reference predictions have shape [%d %d], want [%d %d]", ref.N, ref.C, approx.N, approx.C)
	}
	return score(KindCategorical, Reference, newScoring(approx, ref)), nil
}

func score(kind Kind, family Family, s *scoring) []results.Value {
	var scores []results.Value
	for _, m := range registry {
		if m.Kind != kind || m.Family != family || m.compute == nil {
			continue
		}
		if v := m.compute(s); !math.IsNaN(v) {
			scores = append(scores, results.Value{Unit: m.Unit, Value: v})
		}
	}
	return scores
}

package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate"

	"bayesbench/results"
)

func init() {
	register(Test,
		Metric{Unit: "aurc", Better: results.Lower, Short: "area under the risk-coverage curve, mean of the selective error over coverages i/N, by confidence, ties averaged", compute: ofRisks(RiskCurve.Area)},
		Metric{Unit: "aurc-trapz", Better: results.Lower, Short: "AURC by trapezoids over coverage, divided by 1 − 1/N (torch-uncertainty), ties averaged", compute: ofRisks(RiskCurve.Trapezoid)},
		Metric{Unit: "eaurc", Better: results.Lower, Short: "aurc − that of the best possible order with the same errors", compute: ofRisks(RiskCurve.Excess)},
		Metric{Unit: "augrc", Better: results.Lower, Short: "area under the generalised risk-coverage curve, (errors among the accepted)/N against coverage from 0 to 1, ties averaged (Traub et al.)", compute: ofRisks(RiskCurve.Generalised)},
		Metric{Unit: "eaugrc", Better: results.Lower, Short: "augrc − error²/2, that of the best possible order with the same errors", compute: ofRisks(RiskCurve.GeneralisedExcess)},
		Metric{Unit: "augrc-trapz", Better: results.Lower, Short: "area under the generalised risk-coverage curve from coverage 1/N on, trapezoids, divided by 1 − 1/N (torch-uncertainty), ties averaged", compute: ofRisks(RiskCurve.GeneralisedTrapezoid)},
		Metric{Unit: "misclass-auroc-maxprob", Better: results.Higher, Short: "AUROC of telling errors from correct predictions by 1 − max p̄, the failure AUROC", compute: test(misclassified(MaxProbScore))},
		Metric{Unit: "misclass-auroc-entropy", Better: results.Higher, Short: "AUROC of telling errors from correct predictions by H(p̄)", compute: test(misclassified(EntropyScore))},
	)
	for _, percent := range []int{10, 20, 50} {
		register(Test, Metric{
			Unit: fmt.Sprintf("accuracy-reject%d", percent), Better: results.Higher,
			Short:   fmt.Sprintf("accuracy on the inputs left when the %d %% least confident are rejected, ties averaged", percent),
			compute: ofRisks(func(r RiskCurve) float64 { return r.AccuracyAtRejection(float64(percent) / 100) }),
		})
	}
}

// ofRisks adapts a metric of the risk-coverage curve.
func ofRisks(f func(RiskCurve) float64) func(*scoring) float64 {
	return func(s *scoring) float64 { return f(s.risks()) }
}

// RiskCurve holds the selective errors r_i = (errors among the i most
// confident)/i for i = 1…N; the coverage of r_i is i/N.
type RiskCurve []float64

// Risks returns the risk-coverage curve of e. Inputs are ranked by
// [MaxProbScore]. Where a cut goes through inputs of equal confidence, it takes
// the expectation over the orders in which they may stand: each counts as the
// error rate of them all. So no number here depends on the order of the inputs.
func Risks(e *Evaluation) RiskCurve {
	return risks(ascending(e.doubt).share(e.wrong))
}

// risks returns the curve of errors in order of falling confidence.
func risks(sorted []float64) RiskCurve {
	r := make(RiskCurve, len(sorted))
	errs := 0.0
	for i, w := range sorted {
		errs += w
		r[i] = errs / float64(i+1)
	}
	return r
}

// Area is AURC, mean_i r_i. Source: Geifman, Uziel, El-Yaniv (2019),
// "Bias-reduced uncertainty estimation for deep neural classifiers", section 2.
func (r RiskCurve) Area() float64 { return average(r) }

// Excess is E-AURC, [RiskCurve.Area] − AURC*, AURC* that of the same errors all
// ranked last, by its exact sum (Geifman et al. 2019 print the approximation
// e + (1−e) ln(1−e)).
func (r RiskCurve) Excess() float64 {
	n := len(r)
	best := make([]float64, n)
	errs := int(math.Round(r[n-1] * float64(n)))
	for i := n - errs; i < n; i++ {
		best[i] = 1
	}
	return r.Area() - risks(best).Area()
}

// Trapezoid is the area under (i/N, r_i) by trapezoids, divided by 1 − 1/N,
// torch-uncertainty's AURC. NaN for a single input.
func (r RiskCurve) Trapezoid() float64 { return overCoverage(r) }

// Generalised is AUGRC, the area under the generalised risk r_i·i/N, the share of all inputs that
// are accepted and wrong, over the coverage i/N from 0 to 1 by trapezoids. With the error e and the
// AUROC of telling errors from correct predictions by the same score it is
//
//	(1 − AUROC)·e(1 − e) + e²/2.
//
// Source: Traub et al. (2024), "Overcoming common flaws in the evaluation of selective
// classification systems".
func (r RiskCurve) Generalised() float64 {
	joint := r.joint()
	sum := -joint[len(joint)-1] / 2
	for _, g := range joint {
		sum += g
	}
	return sum / float64(len(r))
}

// GeneralisedExcess is e-AUGRC, [RiskCurve.Generalised] − e²/2, what it is where every error is
// less confident than every correct prediction.
func (r RiskCurve) GeneralisedExcess() float64 {
	e := r[len(r)-1]
	return r.Generalised() - e*e/2
}

// GeneralisedTrapezoid is the area under (i/N, r_i·i/N) from i = 1 on, divided by 1 − 1/N,
// torch-uncertainty's AUGRC. NaN for a single input.
func (r RiskCurve) GeneralisedTrapezoid() float64 { return overCoverage(r.joint()) }

// joint is r_i·i/N.
func (r RiskCurve) joint() []float64 {
	joint := make([]float64, len(r))
	for i := range r {
		joint[i] = r[i] * float64(i+1) / float64(len(r))
	}
	return joint
}

func overCoverage(y []float64) float64 {
	if len(y) < 2 {
		return math.NaN()
	}
	n := float64(len(y))
	coverage := make([]float64, len(y))
	for i := range coverage {
		coverage[i] = float64(i+1) / n
	}
	return integrate.Trapezoidal(coverage, y) / (1 - 1/n)
}

// AccuracyAtRejection is the accuracy on the N − floor(share·N) most confident
// inputs.
func (r RiskCurve) AccuracyAtRejection(share float64) float64 {
	kept := len(r) - int(math.Floor(share*float64(len(r))+edgeTolerance))
	return 1 - r[kept-1]
}

// misclassified is the AUROC of an uncertainty score for the errors of e.
func misclassified(uncertainty func(*Evaluation) []float64) func(*Evaluation) float64 {
	return func(e *Evaluation) float64 {
		var right, wrong []float64
		u := uncertainty(e)
		for n, y := range e.Labels {
			if e.Predicted[n] == y {
				right = append(right, u[n])
			} else {
				wrong = append(wrong, u[n])
			}
		}
		if len(right) == 0 || len(wrong) == 0 {
			return math.NaN()
		}
		return Detect(right, wrong).AUROC
	}
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate"
)

func init() {
	register(Test,
		Metric{Unit: "aurc", Better: Lower, Short: "area under the risk-coverage curve, mean of the selective error over coverages i/N, by confidence", compute: test(AURC)},
		Metric{Unit: "aurc-trapz", Better: Lower, Short: "AURC by trapezoids over coverage, divided by 1 − 1/N (torch-uncertainty)", compute: test(AURCTrapezoid)},
		Metric{Unit: "eaurc", Better: Lower, Short: "aurc − that of the best possible order with the same errors", compute: test(EAURC)},
		Metric{Unit: "augrc-trapz", Better: Lower, Short: "area under the generalised risk-coverage curve, trapezoids, divided by 1 − 1/N", compute: test(AUGRCTrapezoid)},
		Metric{Unit: "misclass-auroc-maxprob", Better: Higher, Short: "AUROC of telling errors from correct predictions by 1 − max p̄", compute: test(misclassified(MaxProbScore))},
		Metric{Unit: "misclass-auroc-entropy", Better: Higher, Short: "AUROC of telling errors from correct predictions by H(p̄)", compute: test(misclassified(EntropyScore))},
	)
	for _, percent := range []int{10, 20, 50} {
		register(Test, Metric{
			Unit: fmt.Sprintf("accuracy-reject%d", percent), Better: Higher,
			Short:   fmt.Sprintf("accuracy on the inputs left when the %d %% least confident are rejected", percent),
			compute: test(func(e *Evaluation) float64 { return AccuracyAtRejection(e, float64(percent)/100) }),
		})
	}
}

// Risks returns the selective error r_i = (errors among the i most confident)/i
// for i = 1…N; confidence ties in order of index. The coverage of r_i is i/N.
func Risks(e *Evaluation) []float64 {
	return risks(byConfidence(e))
}

// byConfidence returns the errors of e, most confident input first.
func byConfidence(e *Evaluation) []float64 {
	wrong := e.errors()
	uncertainty := make([]float64, e.N)
	for n, q := range e.Confidence {
		uncertainty[n] = -q
	}
	sorted := make([]float64, e.N)
	for i, n := range ascending(uncertainty) {
		sorted[i] = wrong[n]
	}
	return sorted
}

func risks(sorted []float64) []float64 {
	r := make([]float64, len(sorted))
	errs := 0.0
	for i, w := range sorted {
		errs += w
		r[i] = errs / float64(i+1)
	}
	return r
}

// AURC is mean_i r_i of [Risks]. Source: Geifman, Uziel, El-Yaniv (2019),
// "Bias-reduced uncertainty estimation for deep neural classifiers", section 2.
func AURC(e *Evaluation) float64 { return average(Risks(e)) }

// EAURC is the excess [AURC] − AURC*, AURC* that of the same errors all ranked
// last, by its exact sum (Geifman et al. 2019 print the approximation
// e + (1−e) ln(1−e)).
func EAURC(e *Evaluation) float64 {
	best := make([]float64, e.N)
	errs := int(math.Round(Error(e) * float64(e.N)))
	for i := e.N - errs; i < e.N; i++ {
		best[i] = 1
	}
	return AURC(e) - average(risks(best))
}

// AURCTrapezoid is the area under (i/N, r_i) by trapezoids, divided by 1 − 1/N,
// torch-uncertainty's AURC. NaN for a single input.
func AURCTrapezoid(e *Evaluation) float64 { return overCoverage(Risks(e)) }

// AUGRCTrapezoid is the area under (i/N, r_i·i/N), divided by 1 − 1/N. Source:
// Traub et al. (2024), "Overcoming common flaws in the evaluation of selective
// classification systems"; the quadrature is torch-uncertainty's.
func AUGRCTrapezoid(e *Evaluation) float64 {
	r := Risks(e)
	for i := range r {
		r[i] *= float64(i+1) / float64(e.N)
	}
	return overCoverage(r)
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
// inputs, ties in order of index.
func AccuracyAtRejection(e *Evaluation, share float64) float64 {
	kept := e.N - int(math.Floor(share*float64(e.N)+edgeTolerance))
	return 1 - Risks(e)[kept-1]
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

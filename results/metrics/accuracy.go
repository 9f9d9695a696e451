package metrics

import (
	"math"

	"bayesbench/results"
)

func init() {
	register(Test,
		Metric{Unit: "accuracy", Better: results.Higher, Short: "share of inputs whose most probable class is the label", compute: test(Accuracy)},
		Metric{Unit: "error", Better: results.Lower, Short: "1 − accuracy, as a share (0.0192 is 1.92 %)", compute: test(Error)},
		Metric{Unit: "top5", Better: results.Higher, Short: "share of inputs whose label is among the five most probable classes; needs more than 5 classes", compute: test(Top5)},
		Metric{Unit: "nll", Better: results.Lower, Short: "negative log-likelihood −mean log p̄(y), nats, p̄ floored at 1e-12", compute: test(NLL)},
		Metric{Unit: "brier_sum", Better: results.Lower, Short: "Brier score summed over classes, mean over inputs, in [0,2]", compute: test(BrierSum)},
		Metric{Unit: "brier_mean", Better: results.Lower, Short: "Brier score divided by the number of classes (as in Deep Ensembles)", compute: test(BrierMean)},
	)
}

// Accuracy is mean_n 1[argmax_c p̄[n,c] = y_n], ties to the lowest class.
func Accuracy(e *Evaluation) float64 { return 1 - Error(e) }

// Error is 1 − [Accuracy], a share of one and not per cent.
func Error(e *Evaluation) float64 {
	return e.mean(e.wrong)
}

// Top5 is the share of inputs whose label has fewer than five classes before
// it in order of falling probability, ties in order of class. With five
// classes or fewer it says nothing and is NaN.
func Top5(e *Evaluation) float64 {
	if e.C <= 5 {
		return math.NaN()
	}
	return e.mean(func(n int) float64 {
		row, y := e.LogP[n*e.C:(n+1)*e.C], e.Labels[n]
		before := 0
		for c, l := range row {
			if equal := tied(l, row[y]); equal && c < y || !equal && l > row[y] {
				before++
			}
		}
		if before < 5 {
			return 1
		}
		return 0
	})
}

// NLL is −mean_n log max(p̄[n,y_n], 1e-12), nats per input: a label that was
// given no probability costs 27.6 and not infinity. A sum over the test set, as
// some papers print it, is −N·NLL.
func NLL(e *Evaluation) float64 {
	return e.mean(func(n int) float64 { return -e.LogLikelihood(n) })
}

// BrierSum is mean_n Σ_c (p̄[n,c] − 1[c=y_n])², in [0,2]: the form of Brier
// (1950) and of most libraries.
func BrierSum(e *Evaluation) float64 {
	return e.mean(func(n int) float64 {
		sum := 0.0
		for c, q := range e.P[n*e.C : (n+1)*e.C] {
			if c == e.Labels[n] {
				q--
			}
			sum += q * q
		}
		return sum
	})
}

// BrierMean is [BrierSum] / C, the form of Lakshminarayanan et al. (2017),
// "Simple and scalable predictive uncertainty estimation using deep ensembles",
// section 3.
func BrierMean(e *Evaluation) float64 { return BrierSum(e) / float64(e.C) }

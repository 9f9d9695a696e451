package metrics

import (
	"math"

	"bayesbench/results"
)

func init() {
	register(Test,
		Metric{Unit: "entropy", Better: results.Neither, Short: "mean entropy H(p̄) of the predictive, nats", compute: test(MeanEntropy)},
		Metric{Unit: "mutual_information", Better: results.Neither, Short: "mean H(p̄) − mean_k H(p_k) (BALD), nats, at least 0; needs 2 samples", compute: test(MutualInformation)},
	)
}

// MeanEntropy is mean_n H(p̄_n), H(p) = −Σ_c p_c log p_c in nats: the total
// uncertainty.
func MeanEntropy(e *Evaluation) float64 {
	return e.mean(func(n int) float64 { return e.Entropy[n] })
}

// MutualInformation is mean_n max(0, H(p̄_n) − mean_k H(p_k,n)) in nats, the
// information between prediction and weights: the part of the uncertainty that
// more data could remove. NaN for one member. Source: Houlsby et al. (2011),
// "Bayesian active learning for classification and preference learning".
func MutualInformation(e *Evaluation) float64 {
	if e.Mutual == nil {
		return math.NaN()
	}
	return e.mean(func(n int) float64 { return e.Mutual[n] })
}

package metrics

import (
	"math"

	"bayesbench/results"
)

func init() {
	register(Reference,
		Metric{Unit: "agreement", Better: results.Higher, Short: "share of inputs with the same most probable class as the reference posterior", compute: pair(Agreement)},
		Metric{Unit: "total_variation", Better: results.Lower, Short: "mean total variation distance from the reference predictive, in [0,1]", compute: pair(TotalVariation)},
	)
}

// Agreement is mean_n 1[argmax p̄_n = argmax q̄_n]. Source: Izmailov et al.
// (2021), "What are Bayesian neural network posteriors really like?", section 8.
func Agreement(e, ref *Evaluation) float64 {
	return e.mean(func(n int) float64 {
		if e.Predicted[n] == ref.Predicted[n] {
			return 1
		}
		return 0
	})
}

// TotalVariation is mean_n ½ Σ_c |p̄[n,c] − q̄[n,c]| (Izmailov et al. 2021).
func TotalVariation(e, ref *Evaluation) float64 {
	sum := 0.0
	for i, q := range e.P {
		sum += math.Abs(q - ref.P[i])
	}
	return sum / 2 / float64(e.N)
}

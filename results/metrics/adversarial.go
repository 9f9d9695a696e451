package metrics

import (
	"math"

	"bayesbench/results"
)

func init() {
	register(Adversarial,
		Metric{Unit: "adv-accuracy", Better: results.Higher, Short: "accuracy on the attacked inputs", compute: pair(func(_, a *Evaluation) float64 { return Accuracy(a) })},
		Metric{Unit: "adv-nll", Better: results.Lower, Short: "NLL on the attacked inputs, nats", compute: pair(func(_, a *Evaluation) float64 { return NLL(a) })},
		Metric{Unit: "adv-success", Better: results.Lower, Short: "share of the correctly classified inputs that the attack turns wrong", compute: pair(AttackSuccess)},
	)
	for _, s := range uncertaintyScores {
		register(Adversarial, detectionMetrics("adv", "attacked inputs", s)...)
	}
}

// AttackSuccess is the share of inputs that are right when clean and wrong when
// attacked, among those right when clean; NaN where none is.
func AttackSuccess(clean, attacked *Evaluation) float64 {
	right, turned := 0, 0
	for n, y := range clean.Labels {
		if clean.Predicted[n] == y {
			right++
			if attacked.Predicted[n] != y {
				turned++
			}
		}
	}
	if right == 0 {
		return math.NaN()
	}
	return float64(turned) / float64(right)
}

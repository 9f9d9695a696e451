package metrics

import "slices"

// Kind says what a prediction is, and so which metrics it has.
type Kind string

// The kinds of prediction. A metric of kind None comes from no prediction: clocks, weights, chains.
const (
	KindCategorical Kind = "categorical" // probabilities of classes, [Predictive]
	KindGaussian    Kind = "gaussian"    // means and variances of numbers, [Gaussian]
	KindSamples     Kind = "samples"     // draws of numbers, [Samples]
	KindNone        Kind = ""
)

// Kinds are the kinds of prediction.
var Kinds = []Kind{KindCategorical, KindGaussian, KindSamples}

// others are the metrics that come from no prediction on the test set, of which a table shows what
// there is.
var others = []string{"sparsity", "compression", "train-samples/s", "program-sec", "ood-auroc-entropy", "ood-fpr95-entropy"}

// headlines are the metrics of each kind that are looked at first, the first of all first.
var headlines = map[Kind][]string{
	KindCategorical: {"error", "nll", "ece15-lorc", "brier_sum"},
	KindGaussian:    {"rmse", "nll", "crps", "qce15"},
	KindSamples:     {"rmse", "crps", "qce15"},
}

// Headline are the metrics of this kind of prediction that are looked at first, in order; none for
// [KindNone].
func (k Kind) Headline() []string { return headlines[k] }

// Pointwise reports whether stored predictions of this kind can be compared test point by test
// point.
func (k Kind) Pointwise() bool { return k == KindCategorical }

// First are the metrics that are looked at first of all, of each kind one, each once.
func First() []string {
	var units []string
	for _, k := range Kinds {
		if unit := headlines[k][0]; !slices.Contains(units, unit) {
			units = append(units, unit)
		}
	}
	return units
}

// Headline are the metrics of a table that names none, in the order of its columns, as far as it
// has values of them: those of every kind, the first of each first, then the others.
func Headline() []string {
	var all []string
	for place := 0; ; place++ {
		before := len(all)
		for _, k := range Kinds {
			if place < len(headlines[k]) {
				all = append(all, headlines[k][place])
			}
		}
		if len(all) == before {
			break
		}
	}
	var once []string
	for _, unit := range append(all, others...) {
		if !slices.Contains(once, unit) {
			once = append(once, unit)
		}
	}
	return once
}

// KindOf returns the kind of the predictions that a record is of, by the units of its values:
// that whose first headline metric it has. Draws and Gaussians of numbers share theirs; it is
// Gaussian where there is a likelihood.
func KindOf(has func(unit string) bool) Kind {
	switch {
	case has("error"):
		return KindCategorical
	case has("rmse") && has("nll"):
		return KindGaussian
	case has("rmse"):
		return KindSamples
	}
	return KindNone
}

package metrics

import (
	"fmt"
	"slices"

	"bayesbench/results"
)

func init() {
	register(Curve,
		Metric{Unit: "dee", Better: results.Higher, Short: "deep-ensemble equivalent: size of the deep ensemble with the same calibrated log-likelihood"},
		Metric{Unit: "dee-lo", Better: results.Higher, Short: "dee against the ensembles' mean + sd"},
		Metric{Unit: "dee-hi", Better: results.Higher, Short: "dee against the ensembles' mean − sd"},
	)
}

// EnsembleCurve is the calibrated log-likelihood of deep ensembles against
// their size, what [EnsembleCurve.Equivalent] reads off.
type EnsembleCurve struct {
	Sizes []int     // strictly rising
	LL    []float64 // mean over ensembles of that size, nats; higher is better
	SD    []float64 // standard deviation over them; nil where unknown
}

// DEE is a deep-ensemble equivalent.
type DEE struct {
	Value float64
	// Lo and Hi come from the curve one sd up and one sd down; equal to Value
	// without an SD.
	Lo, Hi float64
	// Saturated says that the score reaches that of the largest ensemble, or
	// beats it: the value is to be read as "at least".
	Saturated bool
}

// Equivalent returns the smallest real size l, no less than the first, with
// LL_DE(l) ≥ ll, by linear interpolation between the sizes of the curve; the
// largest size where none suffices. Source: Ashukha et al. (2020), "Pitfalls of
// in-domain uncertainty estimation and ensembling in deep learning", section 5.
func (c EnsembleCurve) Equivalent(ll float64) (DEE, error) {
	if len(c.Sizes) == 0 || len(c.LL) != len(c.Sizes) || c.SD != nil && len(c.SD) != len(c.Sizes) {
		return DEE{}, fmt.Errorf("metrics: ensemble curve of %d sizes, %d scores, %d standard deviations", len(c.Sizes), len(c.LL), len(c.SD))
	}
	if !slices.IsSortedFunc(c.Sizes, func(a, b int) int { return a - b }) || len(slices.Compact(slices.Clone(c.Sizes))) != len(c.Sizes) {
		return DEE{}, fmt.Errorf("metrics: ensemble sizes %v do not rise", c.Sizes)
	}
	shifted := func(sds float64) []float64 {
		curve := slices.Clone(c.LL)
		for i := range c.SD {
			curve[i] += sds * c.SD[i]
		}
		return curve
	}
	d := DEE{Value: c.at(c.LL, ll), Lo: c.at(shifted(+1), ll), Hi: c.at(shifted(-1), ll)}
	d.Saturated = d.Value == float64(c.Sizes[len(c.Sizes)-1])
	return d, nil
}

func (c EnsembleCurve) at(curve []float64, ll float64) float64 {
	for i, y := range curve {
		if y < ll {
			continue
		}
		size := float64(c.Sizes[i])
		if i == 0 {
			return size
		}
		before := float64(c.Sizes[i-1])
		return before + (size-before)*(ll-curve[i-1])/(y-curve[i-1])
	}
	return float64(c.Sizes[len(c.Sizes)-1])
}

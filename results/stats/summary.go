package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Spread says what stands after a ±.
type Spread string

// The spreads.
const (
	SD   Spread = "sd"   // standard deviation over seeds, n−1
	SE   Spread = "se"   // standard error of the mean, sd/√n
	CI95 Spread = "ci95" // half width of the 95 % t interval of the mean
)

// Spreads are all of them.
var Spreads = []Spread{SD, SE, CI95}

// Of turns a standard deviation over n seeds into this spread. It is NaN for
// fewer than two.
func (k Spread) Of(sd float64, n int) float64 {
	root := math.Sqrt(float64(n))
	switch {
	case n < 2:
		return math.NaN()
	case k == SE:
		return sd / root
	case k == CI95:
		return sd / root * distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975)
	}
	return sd
}

// rounding is the deviation, as a share of the mean, below which values differ by
// the rounding of their last digits alone.
const rounding = 1e-14

// Summarise returns the mean of x and its standard deviation, which is NaN for
// one value. x is not empty. Values that differ by rounding alone have the
// deviation 0.
func Summarise(x []float64) (mean, sd float64) {
	if len(x) == 1 {
		return x[0], math.NaN()
	}
	if !slices.ContainsFunc(x, func(v float64) bool { return v != x[0] }) {
		return x[0], 0
	}
	mean, sd = stat.MeanStdDev(x, nil)
	if sd <= rounding*math.Abs(mean) {
		sd = 0
	}
	return mean, sd
}

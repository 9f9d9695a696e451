package stats

import (
	"fmt"
	"math"

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

// Summary is a mean and its spread over seeds.
type Summary struct {
	N        int
	Mean     float64
	Spread   float64 // NaN for one value
	Kind     Spread
	Warnings []error
}

// fewSeeds is the number of seeds below which a spread is not to be trusted.
const fewSeeds = 3

// Summarise returns the mean of x and its spread. x is not empty.
func Summarise(x []float64, kind Spread) Summary {
	s := Summary{N: len(x), Kind: kind}
	n := float64(len(x))
	if len(x) == 1 {
		s.Mean, s.Spread = x[0], math.NaN()
		s.Warnings = append(s.Warnings, fmt.Errorf("one seed has no spread"))
		return s
	}
	s.Mean, s.Spread = stat.MeanStdDev(x, nil)
	switch kind {
	case SE:
		s.Spread /= math.Sqrt(n)
	case CI95:
		s.Spread *= distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) / math.Sqrt(n)
	}
	if len(x) < fewSeeds {
		s.Warnings = append(s.Warnings, fmt.Errorf("spread of only %d seeds", len(x)))
	}
	return s
}

// String is the mean ± spread with what it is: 1.92 ± 0.05 (sd, n=5).
func (s Summary) String() string {
	if math.IsNaN(s.Spread) {
		return fmt.Sprintf("%.4g (n=%d)", s.Mean, s.N)
	}
	return fmt.Sprintf("%.4g ± %.2g (%s, n=%d)", s.Mean, s.Spread, s.Kind, s.N)
}

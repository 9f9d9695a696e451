package bench

import (
	"math"
	"testing"
)

// The largest eigenvalue of a diagonal matrix is found, also where another has the
// larger magnitude and is negative, and where they lie close.
func TestLargestEigenvalue(t *testing.T) {
	for _, diagonal := range [][]float64{{3, 1, 0.5, 0}, {-7, 2, 1, -1}, {-4, -2, -3}, {0, 0}, {5}, crowded()} {
		start, want := make([]float64, len(diagonal)), math.Inf(-1)
		for i, d := range diagonal {
			start[i], want = 1+float64(i)/10, max(want, d)
		}
		got, err := largestEigenvalue(start, func(u []float64) ([]float64, error) {
			out := make([]float64, len(u))
			for i := range u {
				out[i] = diagonal[i] * u[i]
			}
			return out, nil
		})
		if err != nil || math.Abs(got-want) > 0.005*(1+math.Abs(want)) {
			t.Errorf("of %v: %v, %v; want %v", diagonal, got, err, want)
		}
	}
}

// crowded is a hundred eigenvalues, the largest a per cent apart.
func crowded() []float64 {
	out := make([]float64, 100)
	for i := range out {
		out[i] = math.Pow(0.99, float64(i))
	}
	return out
}

package draw

import (
	"math"
	"testing"

	"bayesbench/backends/rng"
)

func TestWordsAreTheBlocksInOrder(t *testing.T) {
	s := New(rng.Key{3, 4}, 9)
	for c := range uint32(5) {
		a, b := rng.Block(rng.Key{3, 4}, c, 9)
		if x, y := s.Uint32(), s.Uint32(); x != a || y != b {
			t.Fatalf("block %d: %x %x, want %x %x", c, x, y, a, b)
		}
	}
}

// Sample means and variances against the distributions', to five standard errors (for the variance,
// its own from the fourth moment of the sample).
func TestMoments(t *testing.T) {
	const n = 40000
	for name, c := range map[string]struct {
		draw           func(s *Stream) float64
		mean, variance float64
	}{
		"Float64":      {func(s *Stream) float64 { return s.Float64() }, 0.5, 1.0 / 12},
		"Between":      {func(s *Stream) float64 { return s.Between(-3, 5) }, 1, 64.0 / 12},
		"Below 7":      {func(s *Stream) float64 { return float64(s.Below(7)) }, 3, 4},
		"Normal":       {func(s *Stream) float64 { return s.Normal() }, 0, 1},
		"Gamma 0.2":    {func(s *Stream) float64 { return s.Gamma(0.2) }, 0.2, 0.2},
		"Gamma 3.5":    {func(s *Stream) float64 { return s.Gamma(3.5) }, 3.5, 3.5},
		"Beta 0.4":     {func(s *Stream) float64 { return s.Beta(0.4) }, 0.5, 0.25 / 1.8},
		"Beta 2":       {func(s *Stream) float64 { return s.Beta(2) }, 0.5, 0.25 / 5},
		"Poisson 0.7":  {func(s *Stream) float64 { return float64(s.Poisson(0.7)) }, 0.7, 0.7},
		"Poisson 29":   {func(s *Stream) float64 { return float64(s.Poisson(29)) }, 29, 29},
		"Poisson 250":  {func(s *Stream) float64 { return float64(s.Poisson(250)) }, 250, 250},
		"Poisson zero": {func(s *Stream) float64 { return float64(s.Poisson(0)) }, 0, 0},
	} {
		s := New(rng.Key{1, 2}, 3)
		var sum, sq, fourth float64
		for range n {
			x := c.draw(&s) - c.mean
			sum += x
			sq += x * x
			fourth += x * x * x * x
		}
		mean, variance := sum/n, sq/n
		if math.Abs(mean) > 5*math.Sqrt(c.variance/n) {
			t.Errorf("%s: mean is off by %.4f", name, mean)
		}
		if se := math.Sqrt((fourth/n - variance*variance) / n); math.Abs(variance-c.variance) > 5*se {
			t.Errorf("%s: variance %.4f, want %.4f ± %.4f", name, variance, c.variance, se)
		}
	}
}

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// By hand, and against the definition written out once more for all signs.
func TestMaxSignFlip(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		rows [][]float64
		want []float64
		minP float64
	}{
		{[][]float64{{1, 1, 1}}, []float64{1. / 8}, 1. / 8},
		{[][]float64{{-1, -1, -1}}, []float64{1}, 1. / 8},
		{[][]float64{{1, 2, 3, 4, 5}}, []float64{1. / 32}, 1. / 32},
		// The same twice is one test; one of which only some pairs are known has as many signs as
		// all.
		{[][]float64{{1, 1, 1}, {2, 2, 2}}, []float64{1. / 8, 1. / 8}, 1. / 8},
		{[][]float64{{1, nan, nan}}, []float64{4. / 8}, 1. / 8},
		// Of opposite series one reaches its greatest sum at each of two signs.
		{[][]float64{{1, 1, 1}, {-1, -1, -1}}, []float64{2. / 8, 1}, 1. / 8},
		{[][]float64{{0, 0}}, []float64{1}, 1. / 4},
		{[][]float64{{math.Inf(1), 1}}, []float64{1}, 1. / 4},
		{[][]float64{{1e308, 1e308, 1e308}}, []float64{1. / 8}, 1. / 8},
		{nil, nil, 1},
	} {
		p, minP := MaxSignFlip(c.rows)
		if minP != c.minP || len(p) != len(c.want) {
			t.Errorf("%v: p %v, at least %v", c.rows, p, minP)
			continue
		}
		for k := range p {
			if p[k] != c.want[k] {
				t.Errorf("%v: p %v, want %v", c.rows, p, c.want)
			}
		}
	}
}

// For one series the test is the one-sided sign-flip test of the sum: brute force over all signs.
func TestMaxSignFlipOfOneSeries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		d := make([]float64, 3+r.IntN(7))
		sum := 0.0
		for i := range d {
			d[i] = r.NormFloat64()
			sum += d[i]
		}
		count := 0
		for s := range 1 << len(d) {
			flipped := 0.0
			for i, x := range d {
				flipped += x * float64(1-2*(s>>i&1))
			}
			if flipped >= sum-1e-12 {
				count++
			}
		}
		if p, _ := MaxSignFlip([][]float64{d}); math.Abs(p[0]-float64(count)/float64(int(1)<<len(d))) > 1e-15 {
			t.Errorf("%v: p %v, want %d of %d", d, p, count, 1<<len(d))
		}
	}
}

// Drawn signs give the enumerated p to their own error, and no more work than is allowed.
func TestMaxSignFlipDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	d := make([]float64, exactPairs+1)
	for i := range d {
		d[i] = r.NormFloat64() + 0.3
	}
	count, sum := 0, 0.0
	for _, x := range d {
		sum += x
	}
	for s := range 1 << len(d) {
		flipped := 0.0
		for i, x := range d {
			flipped += x * float64(1-2*(s>>i&1))
		}
		if flipped >= sum-1e-12 {
			count++
		}
	}
	exact := float64(count) / float64(int(1)<<len(d))
	p, minP := MaxSignFlip([][]float64{d})
	if math.Abs(p[0]-exact) > 4*math.Sqrt(exact/monteCarloFlips) || minP != 1./(monteCarloFlips+1) {
		t.Errorf("p %v, enumerated %v; at least %v", p[0], exact, minP)
	}
}

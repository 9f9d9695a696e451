package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/backends/rng"
)

// PairedBootstrap compares two models on the same test points: losses a[n] and
// b[n] of point n. It returns the percentile interval of mean(a − b) over
// resampled points, and the test that it is 0, by the share of replicates on
// the far side of 0:
//
//	p = min(1, 2·(1 + min(#{θ* ≤ 0}, #{θ* ≥ 0})) / (1 + reps)).
//
// It speaks of the finite test set for these two trained networks, not of
// training again.
func PairedBootstrap(a, b []float64, confidence float64, reps int, key rng.Key) (Test, Interval, error) {
	if len(a) != len(b) || len(a) == 0 {
		return Test{}, Interval{}, fmt.Errorf("stats: losses of %d and %d test points", len(a), len(b))
	}
	diffs := make([]float64, len(a))
	for i := range diffs {
		diffs[i] = a[i] - b[i]
	}
	thetas := replicates(diffs, Mean, reps, key)
	low, high := 0, 0
	for _, t := range thetas {
		if t <= 0 {
			low++
		}
		if t >= 0 {
			high++
		}
	}
	t := Test{
		Name: "paired bootstrap over test points", N: len(a),
		P:    min(1, 2*float64(1+min(low, high))/float64(1+reps)),
		MinP: 2 / float64(1+reps),
	}
	return t, percentile(thetas, stat.Mean(diffs, nil), confidence), nil
}

// McNemar is the exact test that two classifiers err equally often on the same
// test points, given whether each is right: of the n points on which just one
// is right, b fall to the first,
//
//	p = min(1, 2·P(Binomial(n, ½) ≤ min(b, n−b))).
//
// Source: McNemar (1947); recommended by Dietterich (1998), "Approximate
// statistical tests for comparing supervised classification learning
// algorithms".
func McNemar(rightA, rightB []bool) (Test, error) {
	if len(rightA) != len(rightB) {
		return Test{}, fmt.Errorf("stats: outcomes of %d and %d test points", len(rightA), len(rightB))
	}
	onlyA, onlyB := 0, 0
	for i, a := range rightA {
		switch {
		case a && !rightB[i]:
			onlyA++
		case !a && rightB[i]:
			onlyB++
		}
	}
	n := onlyA + onlyB
	t := Test{Name: "exact McNemar test", N: n, P: 1, MinP: min(1, math.Ldexp(1, 1-n))}
	if n > 0 {
		t.P = min(1, 2*distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(min(onlyA, onlyB))))
	}
	return t, nil
}

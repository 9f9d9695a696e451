package stats

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// Unpaired compares two samples whose seeds do not match, by the Mann-Whitney
// U test of benchmath (which sorts what it is given; here it gets copies).
func Unpaired(a, b []float64) Test {
	sample := func(x []float64) *benchmath.Sample {
		return benchmath.NewSample(slices.Clone(x), &benchmath.DefaultThresholds)
	}
	c := benchmath.AssumeNothing.Compare(sample(a), sample(b))
	t := Test{Name: "Mann-Whitney U test", N: len(a) + len(b), P: c.P, Warnings: c.Warnings}
	// All of one sample above all of the other has probability 2/C(n+m, n).
	t.MinP = min(1, 2*math.Exp(-logChoose(len(a)+len(b), len(a))))
	return t
}

func logChoose(n, k int) float64 {
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lg(n) - lg(k) - lg(n-k)
}

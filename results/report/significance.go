package report

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// A Summary is one metric over the seeds.
type Summary struct {
	N    int     // seeds
	Mean float64 // NaN if N is 0
	SD   float64 // standard deviation over seeds, n-1 in the denominator; NaN if N is below 2
}

func summarise(values map[string]float64) Summary {
	xs := stats.PairBySeed(values, values).A // in the order of the seeds
	if len(xs) == 0 {
		return Summary{Mean: math.NaN(), SD: math.NaN()}
	}
	s := stats.Summarise(xs, stats.SD)
	return Summary{N: s.N, Mean: s.Mean, SD: s.Spread}
}

// A Verdict says what a comparison found.
type Verdict string

// The verdicts. Undecided is a difference that the seeds at hand cannot tell from chance.
const (
	IsBetter  Verdict = "better"
	IsWorse   Verdict = "worse"
	Differs   Verdict = "differs" // in a metric without a better direction
	Undecided Verdict = "undecided"
	Identical Verdict = "identical" // bit for bit, at every seed
)

// A Comparison is that of one cell with the baseline, paired by seed.
type Comparison struct {
	Pairs    int
	Delta    float64 // mean difference from the baseline
	P        float64 // exact two-sided sign-flip test of the paired differences
	MinP     float64 // the smallest P that so many pairs can give
	Adjusted float64 // P after Holm's correction over the table
	Verdict  Verdict
	better   results.Better
}

// comparePaired compares two methods at their common seeds, or returns nil if they have none.
func comparePaired(ours, theirs map[string]float64, better results.Better) *Comparison {
	diffs := stats.PairBySeed(ours, theirs).Differences()
	if len(diffs) == 0 || slices.ContainsFunc(diffs, func(d float64) bool { return math.IsNaN(d) || math.IsInf(d, 0) }) {
		return nil
	}
	test := stats.Paired(diffs)
	c := &Comparison{Pairs: len(diffs), Delta: stats.Mean(diffs), P: test.P, MinP: test.MinP, Adjusted: test.P, better: better}
	if !slices.ContainsFunc(diffs, func(d float64) bool { return d != 0 }) {
		c.Verdict = Identical
	}
	return c
}

// judge corrects the comparisons of one table for their number and gives the verdicts. If none could have been
// significant with these seeds, it returns a note that says so and how many it takes.
func judge(all []*Comparison, alpha float64) string {
	all = slices.DeleteFunc(slices.Clone(all), func(c *Comparison) bool { return c.Verdict == Identical })
	if len(all) == 0 {
		return ""
	}
	ps := make([]float64, len(all))
	for i, c := range all {
		ps[i] = c.P
	}
	floor, pairs := 0.0, math.MaxInt
	for i, p := range stats.Holm(ps) {
		c := all[i]
		c.Adjusted = p
		switch {
		case p > alpha:
			c.Verdict = Undecided
		case c.better == results.Neither:
			c.Verdict = Differs
		case (c.Delta < 0) == (c.better == results.Lower):
			c.Verdict = IsBetter
		default:
			c.Verdict = IsWorse
		}
		if c.MinP > floor {
			floor, pairs = c.MinP, c.Pairs
		}
	}
	// Holm holds the largest of m p-values to alpha itself, the smallest to alpha/m: with every p at its floor, the
	// first must pass at alpha/m.
	if best := math.Min(1, floor*float64(len(all))); best > alpha {
		need := 1
		for math.Ldexp(2, -need)*float64(len(all)) > alpha {
			need++
		}
		return fmt.Sprintf("Too few seeds for a verdict: with %d the smallest attainable p is %.3g, and %.3g after Holm's correction for %d comparisons; below %g takes %d seeds (or fewer columns).",
			pairs, floor, best, len(all), alpha, need)
	}
	return ""
}

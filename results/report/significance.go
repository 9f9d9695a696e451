package report

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// atLevel fills in the significance level.
func (q Query) atLevel() (Query, error) {
	if q.Alpha == 0 {
		q.Alpha = 0.05
	}
	if !(q.Alpha > 0 && q.Alpha < 1) {
		return q, fmt.Errorf("significance level %v: want more than 0 and less than 1", q.Alpha)
	}
	return q, nil
}

// Summary is one metric over the seeds.
type Summary struct {
	N    int     // seeds
	Mean float64 // NaN if N is 0
	SD   float64 // standard deviation over seeds, n-1 in the denominator; NaN if N is below 2
}

func summarise(values byReplicate) Summary {
	xs := inOrder(values)
	if len(xs) == 0 {
		return Summary{Mean: math.NaN(), SD: math.NaN()}
	}
	mean, sd := stats.Summarise(xs)
	return Summary{N: len(xs), Mean: mean, SD: sd}
}

// Verdict says what a comparison found.
type Verdict string

// The verdicts. Undecided is a difference that the seeds at hand cannot tell from chance.
const (
	IsBetter  Verdict = "better"
	IsWorse   Verdict = "worse"
	Differs   Verdict = "differs" // in a metric without a better direction
	Undecided Verdict = "undecided"
	Identical Verdict = "identical" // bit for bit, at every seed
)

// Comparison is that of one cell with the baseline, paired by seed.
type Comparison struct {
	Pairs    int     // 0 where the two have no seed in common
	Delta    float64 // mean difference from the baseline
	P        float64 // exact two-sided sign-flip test of the paired differences, without pairs the Mann-Whitney U test
	MinP     float64 // the smallest P that so many seeds can give
	Adjusted float64 // P after Holm's correction over the primary metric's comparisons, or over those of its column
	Verdict  Verdict

	Exploratory bool // not of the primary metric

	better results.Better
	n      int // pairs, or runs of both where there are none
}

// compareCells compares two methods at their common seeds or, if they have none, as unpaired
// samples. It returns nil where either has no finite values.
func compareCells(ours, theirs byReplicate, better results.Better) *Comparison {
	unbounded := func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
	pairs := pair(ours, theirs)
	if len(pairs.Keys) == 0 {
		a, b := inOrder(ours), inOrder(theirs)
		if len(a) == 0 || len(b) == 0 || slices.ContainsFunc(slices.Concat(a, b), unbounded) {
			return nil
		}
		test := stats.Unpaired(a, b)
		return &Comparison{Delta: stats.Mean(a) - stats.Mean(b), P: test.P, MinP: test.MinP, Adjusted: test.P, better: better, n: test.N}
	}
	diffs := pairs.Differences()
	if slices.ContainsFunc(diffs, unbounded) {
		return nil
	}
	test := stats.Paired(diffs)
	c := &Comparison{Pairs: len(diffs), Delta: stats.Mean(diffs), P: test.P, MinP: test.MinP, Adjusted: test.P, better: better, n: test.N}
	if !slices.ContainsFunc(diffs, func(d float64) bool { return d != 0 }) {
		c.Verdict = Identical
	}
	return c
}

// judge corrects comparisons for their number and gives the verdicts. The identical ones count, for
// what is found must not choose how many comparisons there are. If some could not have been
// significant with these seeds, it returns a note that says so and how many of what the rows are
// over, such as seeds, it takes.
func judge(all []*Comparison, alpha float64, over string) string {
	ps, floors := make([]float64, len(all)), make([]float64, len(all))
	for i, c := range all {
		ps[i], floors[i] = c.P, c.MinP
	}
	// Holm holds the largest of m p-values to alpha itself, the smallest to alpha/m: with every p
	// at its floor, the first must pass at alpha/m.
	floors = stats.Holm(floors)
	var worst *Comparison
	tested, hopeless, best := 0, 0, 0.0
	for i, p := range stats.Holm(ps) {
		c := all[i]
		c.Adjusted = p
		if c.Verdict == Identical {
			continue
		}
		tested++
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
		if floors[i] > alpha {
			if hopeless++; worst == nil || c.MinP > worst.MinP {
				worst, best = c, floors[i]
			}
		}
	}
	if hopeless == 0 {
		return ""
	}
	need := 1
	for math.Ldexp(2, -need)*float64(len(all)) > alpha {
		need++
	}
	on := ""
	if hopeless < tested {
		on = fmt.Sprintf(" on %d of %s", hopeless, plural(len(all), "comparison"))
	}
	return fmt.Sprintf("Too few %s for a verdict%s: with %s the smallest attainable p is %.3g, and %.3g after Holm's correction for %s; below %g takes %d %s (or fewer rows).",
		over, on, plural(worst.n, "run"), worst.MinP, best, plural(len(all), "comparison"), alpha, need, over)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/backends/rng"
)

// A Test is the outcome of a two-sided test of no difference.
type Test struct {
	Name string
	N    int // pairs, or points that differ
	P    float64
	// MinP is the smallest P that the test can give at this N, whatever the
	// data: with 5 pairs no sign-flip test reaches 0.05. It is 0 where there
	// is no such bound.
	MinP     float64
	Warnings []error
}

// Significant reports P ≤ alpha. Where MinP is above alpha it is false for any
// data, and [Test.TooFew] says so.
func (t Test) Significant(alpha float64) bool { return t.P <= alpha }

// TooFew reports that the test cannot reach alpha at its N: print a footnote,
// not the absence of a star.
func (t Test) TooFew(alpha float64) bool { return t.MinP > alpha }

// warnTooFew appends the warning about MinP at the level 0.05.
func (t Test) warnTooFew() Test {
	if t.TooFew(0.05) {
		t.Warnings = append(t.Warnings, fmt.Errorf("%s of %d pairs cannot give a p below %.3g", t.Name, t.N, t.MinP))
	}
	return t
}

// infinite returns the test that stands where a difference is not finite (a
// compression of 1/0, a diverged loss): it decides nothing and says why.
func infinite(name string, diffs []float64) (Test, bool) {
	for i, d := range diffs {
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return Test{Name: name, N: len(diffs), P: 1, MinP: 1, Warnings: []error{fmt.Errorf("difference %d is %v: not tested", i, d)}}, true
		}
	}
	return Test{}, false
}

// Paired tests that differences between paired seeds are symmetric around 0. It
// is [SignFlip], which assumes nothing else.
func Paired(diffs []float64) Test { return SignFlip(diffs) }

// exactFlips is the number of pairs up to which SignFlip enumerates all signs.
const exactFlips = 20

// monteCarloFlips is how many random sign vectors stand for all beyond that.
const monteCarloFlips = 99_999

// SignFlip is the exact permutation test of paired differences: under the null
// hypothesis each difference is as likely with either sign, so
//
//	p = #{s ∈ {±1}ⁿ : |Σ s_i d_i| ≥ |Σ d_i|} / 2ⁿ,  at least 2^(1−n).
//
// Differences of 0 flip into themselves and stay in. Beyond 20 pairs 99,999
// random sign vectors are drawn and p = (1+count)/100,000 (Phipson and Smyth
// 2010). Source: Fisher (1935), "The design of experiments", section 21.
func SignFlip(diffs []float64) Test {
	n := len(diffs)
	t := Test{Name: "sign-flip test", N: n, P: 1, MinP: 1}
	if t, bad := infinite(t.Name, diffs); bad {
		return t
	}
	if n == 0 {
		return t.warnTooFew()
	}
	observed, size := 0.0, 0.0
	for _, d := range diffs {
		observed += d
		size += math.Abs(d)
	}
	// Sums that are equal but for rounding count as equal.
	reach := math.Abs(observed) - 1e-12*size
	if n > exactFlips {
		t.Name = "sign-flip test (Monte Carlo)"
		count := 0
		words := make([]uint32, (n+31)/32)
		for r := range monteCarloFlips {
			rng.Bits(words, rng.Key{}, uint32(r))
			sum := 0.0
			for i, d := range diffs {
				if words[i/32]>>(i%32)&1 == 1 {
					d = -d
				}
				sum += d
			}
			if math.Abs(sum) >= reach {
				count++
			}
		}
		t.P = float64(count+1) / (monteCarloFlips + 1)
		t.MinP = 1. / (monteCarloFlips + 1)
		return t
	}
	// The first sign may be fixed: a vector and its negative count alike.
	count := 0
	for signs := range 1 << (n - 1) {
		sum := diffs[n-1]
		for i, d := range diffs[:n-1] {
			if signs>>i&1 == 1 {
				d = -d
			}
			sum += d
		}
		if math.Abs(sum) >= reach {
			count++
		}
	}
	t.P = math.Ldexp(float64(count), 1-n)
	t.MinP = math.Ldexp(1, 1-n)
	return t.warnTooFew()
}

// exactRanks is the number of nonzero differences up to which Wilcoxon is exact.
const exactRanks = 50

// Wilcoxon is the signed-rank test of paired differences: differences of 0 are
// dropped, the others ranked by size with ties sharing their mean rank, and the
// sum of the ranks of the positive ones compared with its exact distribution
// over all signs (also with ties), beyond 50 differences with the normal
// approximation corrected for ties. Source: Wilcoxon (1945), "Individual
// comparisons by ranking methods".
func Wilcoxon(diffs []float64) Test {
	if t, bad := infinite("Wilcoxon signed-rank test", diffs); bad {
		return t
	}
	var nonzero []float64
	for _, d := range diffs {
		if d != 0 {
			nonzero = append(nonzero, d)
		}
	}
	n := len(nonzero)
	t := Test{Name: "Wilcoxon signed-rank test", N: n, P: 1, MinP: math.Ldexp(1, 1-n)}
	if dropped := len(diffs) - n; dropped > 0 {
		t.Warnings = append(t.Warnings, fmt.Errorf("%d of %d differences are 0 and left out", dropped, len(diffs)))
	}
	if n == 0 {
		t.MinP = 1
		return t.warnTooFew()
	}
	ranks, ties := doubledRanks(nonzero) // twice the ranks, whole numbers even with ties
	total, positive := 0, 0
	for i, d := range nonzero {
		total += ranks[i]
		if d > 0 {
			positive += ranks[i]
		}
	}
	lower := min(positive, total-positive)
	if n > exactRanks {
		x := float64(n)
		variance := x*(x+1)*(2*x+1)/24 - ties/48
		z := (float64(lower) - float64(total)/2) / 2 / math.Sqrt(variance)
		t.P = min(1, 2*distuv.UnitNormal.CDF(z))
		t.MinP = 0
		return t
	}
	// ways[w] is how many sign vectors give the doubled rank sum w.
	ways := make([]float64, total+1)
	ways[0] = 1
	for _, r := range ranks {
		for w := total; w >= r; w-- {
			ways[w] += ways[w-r]
		}
	}
	count := 0.0
	for _, c := range ways[:lower+1] {
		count += c
	}
	t.P = min(1, math.Ldexp(count, 1-n))
	return t.warnTooFew()
}

// doubledRanks ranks by absolute value and returns twice the mean ranks, and
// Σ (t³ − t) over groups of t ties.
func doubledRanks(x []float64) (ranks []int, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch d := math.Abs(x[a]) - math.Abs(x[b]); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return a - b
	})
	ranks = make([]int, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && math.Abs(x[order[j]]) == math.Abs(x[order[i]]) {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		doubled := i + 1 + j
		for ; i < j; i++ {
			ranks[order[i]] = doubled
		}
	}
	return ranks, ties
}

// An Interval is a confidence interval around an estimate.
type Interval struct {
	Center, Lo, Hi float64
	Confidence     float64
}

// PairedT is Student's t test of mean difference 0, with the interval of the
// mean at the given confidence. It assumes normal differences, and in return
// has no smallest p: three seeds that happen to lie close give a small one, so
// [Paired] is what decides stars. One pair gives P = 1 and an infinite interval;
// equal nonzero differences give P = 0.
func PairedT(diffs []float64, confidence float64) (Test, Interval) {
	n := float64(len(diffs))
	t := Test{Name: "paired t test", N: len(diffs), P: 1}
	unknown := Interval{stat.Mean(diffs, nil), math.Inf(-1), math.Inf(1), confidence}
	if t, bad := infinite(t.Name, diffs); bad {
		return t, unknown
	}
	if len(diffs) < 2 {
		t.MinP = 1
		return t.warnTooFew(), unknown
	}
	mean, sd := stat.MeanStdDev(diffs, nil)
	se := sd / math.Sqrt(n)
	student := distuv.StudentsT{Sigma: 1, Nu: n - 1}
	half := se * student.Quantile((1+confidence)/2)
	t.P = min(1, 2*tTail(math.Abs(mean), se, student))
	return t, Interval{mean, mean - half, mean + half, confidence}
}

// PairedTAbove is the one-sided t test that the mean difference exceeds margin:
// its P is small when the data show it. A gate asks it whether a metric got
// worse by more than a margin. Fewer than two pairs give P = 1.
func PairedTAbove(diffs []float64, margin float64) Test {
	t := Test{Name: "one-sided paired t test", N: len(diffs), P: 1}
	if t, bad := infinite(t.Name, diffs); bad {
		return t
	}
	if len(diffs) < 2 {
		t.MinP = 1
		return t.warnTooFew()
	}
	n := float64(len(diffs))
	mean, sd := stat.MeanStdDev(diffs, nil)
	t.P = tTail(mean-margin, sd/math.Sqrt(n), distuv.StudentsT{Sigma: 1, Nu: n - 1})
	return t
}

// tTail is P(T ≥ x/se), with the limits for se = 0.
func tTail(x, se float64, student distuv.StudentsT) float64 {
	switch {
	case se > 0:
		return student.Survival(x / se)
	case x > 0:
		return 0
	case x < 0:
		return 1
	}
	return 0.5
}

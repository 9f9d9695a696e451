package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/backends/rng"
)

// Test is the outcome of a two-sided test of no difference.
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
	diffs = halved(diffs)
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

// halved scales differences, by a power of two and so exactly, until no sum of them overflows.
func halved(diffs []float64) []float64 {
	largest := 0.0
	for _, d := range diffs {
		largest = max(largest, math.Abs(d))
	}
	if largest < math.MaxFloat64/float64(2*len(diffs)) {
		return diffs
	}
	small := make([]float64, len(diffs))
	for i, d := range diffs {
		small[i] = math.Ldexp(d, -64)
	}
	return small
}

// Interval is a confidence interval around an estimate.
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

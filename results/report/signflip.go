package report

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// signFlip is a stand-in until results/stats is there.
func signFlip(diffs []float64) (p, minP float64) {
	n := len(diffs)
	obs := 0.0
	for _, d := range diffs {
		obs += d
	}
	count := 0
	for m := range 1 << n {
		s := 0.0
		for i, d := range diffs {
			if m>>i&1 == 1 {
				s -= d
			} else {
				s += d
			}
		}
		if math.Abs(s) >= math.Abs(obs)*(1-1e-12) {
			count++
		}
	}
	return float64(count) / float64(int(1)<<n), math.Ldexp(2, -n)
}

func holm(ps []float64) []float64 {
	idx := make([]int, len(ps))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int {
		if ps[a] < ps[b] {
			return -1
		} else if ps[a] > ps[b] {
			return 1
		}
		return 0
	})
	out := make([]float64, len(ps))
	run := 0.0
	for r, i := range idx {
		run = max(run, min(1, ps[i]*float64(len(ps)-r)))
		out[i] = run
	}
	return out
}

type interval struct{ mean, low, high, p float64 }

// tInterval is the two-sided paired t interval and test of the mean of diffs.
func tInterval(diffs []float64, alpha float64) interval {
	m, n := mean(diffs), float64(len(diffs))
	if n < 2 {
		return interval{m, math.Inf(-1), math.Inf(1), 1}
	}
	se := stat.StdDev(diffs, nil) / math.Sqrt(n)
	if math.IsNaN(se) || math.IsInf(se, 0) { // infinite values: a change that has no size
		return interval{m, math.Inf(-1), math.Inf(1), 1}
	}
	if se == 0 {
		if m == 0 {
			return interval{m, m, m, 1}
		}
		return interval{m, m, m, 0}
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	half := se * t.Quantile(1-alpha/2)
	return interval{m, m - half, m + half, 2 * t.Survival(math.Abs(m/se))}
}

// tUpper is the probability that Student's t exceeds excess/se.
func tUpper(excess, se float64, freedom int) float64 {
	if se == 0 {
		if excess > 0 {
			return 0
		}
		return 1
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Survival(excess / se)
}

func benjaminiHochberg(ps []float64) []float64 {
	idx := make([]int, len(ps))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	out := make([]float64, len(ps))
	run := 1.0
	for r := len(idx) - 1; r >= 0; r-- {
		run = min(run, ps[idx[r]]*float64(len(ps))/float64(r+1))
		out[idx[r]] = run
	}
	return out
}

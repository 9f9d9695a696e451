package report

import (
	"math"
	"slices"
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

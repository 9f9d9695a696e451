package stats

import (
	"math"

	"bayesbench/backends/rng"
)

// Limits of MaxSignFlip's work. Up to exactPairs pairs all signs are enumerated, if that is no more
// than exactWork additions; else signs are drawn, at least fewestFlips of them.
const (
	exactPairs  = 16
	exactWork   = 200_000_000
	fewestFlips = 999
)

// MaxSignFlip asks of several series of paired differences at once whether any mean is above 0.
// Difference rows[k][i] is that of series k in pair i; NaN says that series k lacks pair i. The
// null hypothesis is that the two sides of each pair could as well have been swapped, in all series
// together: whatever the series have in common (what disturbed one pair's measurements disturbed
// all of them) is taken into account. With
//
//	S_k(s) = Σ_i s_i d_ki / √(Σ_i d_ki²),  s ∈ {±1}ⁿ,
//
// the p-value of series k, corrected for all series, is
//
//	p_k = #{s : max_j S_j(s) ≥ S_k(1)} / 2ⁿ,  at least 2⁻ⁿ (minP) whatever the number of series,
//
// and the chance that any p_k is at most alpha is at most alpha. The swap is exact where lots were
// drawn for the order of each pair's measurements. For more pairs or series than can be enumerated,
// signs are drawn and p_k is (1+count)/(1+draws). Source: Westfall and Young (1993),
// "Resampling-based multiple testing", single-step max T.
func MaxSignFlip(rows [][]float64) (p []float64, minP float64) {
	pairs := 0
	scaled := make([][]float64, len(rows)) // d/√Σd²
	observed := make([]float64, len(rows))
	for k, row := range rows {
		pairs = max(pairs, len(row))
		scaled[k] = make([]float64, len(row))
		largest := 0.0
		for _, d := range row {
			if !math.IsNaN(d) {
				largest = max(largest, math.Abs(d))
			}
		}
		if largest == 0 || math.IsInf(largest, 0) {
			continue // nothing differs, or no size can be given: S is 0
		}
		squares := 0.0
		for i, d := range row {
			if !math.IsNaN(d) {
				scaled[k][i] = d / largest
				squares += scaled[k][i] * scaled[k][i]
			}
		}
		for i := range row {
			scaled[k][i] /= math.Sqrt(squares)
			observed[k] += scaled[k][i]
		}
	}
	counts := make([]int, len(rows))
	flip := func(signs []uint32) {
		most := math.Inf(-1)
		for _, row := range scaled {
			sum := 0.0
			for i, d := range row {
				if signs[i/32]>>(i%32)&1 == 1 {
					d = -d
				}
				sum += d
			}
			most = max(most, sum)
		}
		for k, s := range observed {
			if most >= s-1e-12 { // sums that are equal but for rounding count as equal
				counts[k]++
			}
		}
	}
	signs := make([]uint32, (pairs+31)/32+1)
	cost := max(1, pairs*len(rows))
	p = make([]float64, len(rows))
	if pairs <= exactPairs && cost<<pairs <= exactWork {
		for s := range 1 << pairs {
			signs[0] = uint32(s)
			flip(signs)
		}
		for k, n := range counts {
			p[k] = math.Ldexp(float64(n), -pairs)
		}
		return p, math.Ldexp(1, -pairs)
	}
	draws := min(monteCarloFlips, max(fewestFlips, exactWork/cost))
	for r := range draws {
		rng.Bits(signs, rng.Key{}, uint32(r))
		flip(signs)
	}
	for k, n := range counts {
		p[k] = float64(n+1) / float64(draws+1)
	}
	return p, 1 / float64(draws+1)
}

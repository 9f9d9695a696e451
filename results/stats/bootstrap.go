package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/backends/rng"
)

// Replicates is a usual number of bootstrap replicates.
const Replicates = 10_000

// resample fills index with draws from 0…n−1, n = len(index), for replicate r:
// element i is ⌊w·n/2³²⌋ with w word i%2 of the block of counter (i/2, r). The
// bias of that division is below n/2³².
func resample(index []int, key rng.Key, r int) {
	n := uint64(len(index))
	for i := 0; i < len(index); i += 2 {
		w0, w1 := rng.Block(key, uint32(i/2), uint32(r))
		index[i] = int(uint64(w0) * n >> 32)
		if i+1 < len(index) {
			index[i+1] = int(uint64(w1) * n >> 32)
		}
	}
}

// replicates evaluates the statistic on resamples of x.
func replicates(x []float64, statistic func([]float64) float64, reps int, key rng.Key) []float64 {
	index, drawn := make([]int, len(x)), make([]float64, len(x))
	thetas := make([]float64, reps)
	for r := range thetas {
		resample(index, key, r)
		for i, j := range index {
			drawn[i] = x[j]
		}
		thetas[r] = statistic(drawn)
	}
	return thetas
}

// Percentile is the bootstrap percentile interval of a statistic of x: the
// quantiles (1∓confidence)/2 of its values on reps resamples of x with
// replacement. The statistic must not keep or change its argument.
func Percentile(x []float64, statistic func([]float64) float64, confidence float64, reps int, key rng.Key) Interval {
	thetas := replicates(x, statistic, reps, key)
	return percentile(thetas, statistic(x), confidence)
}

func percentile(thetas []float64, center, confidence float64) Interval {
	slices.Sort(thetas)
	return Interval{center, quantile(thetas, (1-confidence)/2), quantile(thetas, (1+confidence)/2), confidence}
}

// BCa is the bias-corrected and accelerated bootstrap interval: percentiles at
//
//	Φ(z0 + (z0+z)/(1−a(z0+z))),  z = Φ⁻¹((1∓confidence)/2),
//
// z0 from the share of replicates below the estimate (ties half), a from the
// jackknife's skewness. It needs two values or more; where all replicates are
// equal the interval is that point. Source: Efron (1987), "Better bootstrap
// confidence intervals".
func BCa(x []float64, statistic func([]float64) float64, confidence float64, reps int, key rng.Key) Interval {
	center := statistic(x)
	thetas := replicates(x, statistic, reps, key)
	slices.Sort(thetas)
	if thetas[0] == thetas[reps-1] {
		return Interval{center, thetas[0], thetas[0], confidence}
	}
	below, equal := 0.0, 0.0
	for _, t := range thetas {
		if t < center {
			below++
		} else if t == center {
			equal++
		}
	}
	// Half a replicate keeps z0 finite where all lie on one side.
	share := min(max(below+equal/2, 0.5), float64(reps)-0.5) / float64(reps)
	z0 := distuv.UnitNormal.Quantile(share)
	a := acceleration(x, statistic)
	at := func(p float64) float64 {
		z := z0 + distuv.UnitNormal.Quantile(p)
		return quantile(thetas, distuv.UnitNormal.CDF(z0+z/(1-a*z)))
	}
	return Interval{center, at((1 - confidence) / 2), at((1 + confidence) / 2), confidence}
}

// acceleration is Σ d³ / (6 (Σ d²)^{3/2}), d the jackknife's mean minus its
// values.
func acceleration(x []float64, statistic func([]float64) float64) float64 {
	jack := make([]float64, len(x))
	rest := make([]float64, len(x)-1)
	for i := range x {
		copy(rest, x[:i])
		copy(rest[i:], x[i+1:])
		jack[i] = statistic(rest)
	}
	mean := stat.Mean(jack, nil)
	var square, cube float64
	for _, j := range jack {
		d := mean - j
		square += d * d
		cube += d * d * d
	}
	if square == 0 {
		return 0
	}
	return cube / (6 * math.Pow(square, 1.5))
}

// Mean is the statistic most often bootstrapped.
func Mean(x []float64) float64 { return stat.Mean(x, nil) }

// quantile interpolates linearly between the order statistics of sorted x
// (numpy's default).
func quantile(sorted []float64, p float64) float64 {
	at := min(max(p, 0), 1) * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

package stats

import (
	"slices"

	"gonum.org/v1/gonum/stat"

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

// percentile is the bootstrap percentile interval: the quantiles
// (1∓confidence)/2 of the replicates, which it sorts.
func percentile(thetas []float64, center, confidence float64) Interval {
	slices.Sort(thetas)
	return Interval{center, quantile(thetas, (1-confidence)/2), quantile(thetas, (1+confidence)/2), confidence}
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

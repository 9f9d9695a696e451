package metrics

import (
	"math"
	"slices"
)

// tieTolerance is how close two scores, or two probabilities of one row, count
// as equal, absolutely or relative to their size: closer than any two numbers
// that say something, wider than what the order of a sum leaves. It does not
// join averages that tie only before their members were rounded to float32.
const tieTolerance = 1e-12

// tied says whether rankings take a and b for equal.
func tied(a, b float64) bool {
	d := math.Abs(a - b)
	return a == b || d <= tieTolerance*max(1, math.Abs(a), math.Abs(b)) && !math.IsInf(d, 0)
}

// ranking is an order of inputs by a score, with the groups of neighbours
// that the score does not tell apart. Which input stands where in a group is
// the accident of a file, so no metric may depend on it: what a metric adds up
// along the order it takes from [ranking.share], the expectation over all
// orders within the groups.
type ranking struct {
	order []int // indices, the smallest score first
	ends  []int // where in order each group ends
}

// ascending ranks by x. Neighbours whose scores are [tied] are of one group.
func ascending(x []float64) ranking {
	type item struct {
		x float64
		i int
	}
	items := make([]item, len(x))
	for i, v := range x {
		items[i] = item{v, i}
	}
	slices.SortFunc(items, func(a, b item) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return a.i - b.i
	})
	r := ranking{order: make([]int, len(x)), ends: make([]int, 0, len(x))}
	for i, it := range items {
		r.order[i] = it.i
		if i+1 == len(items) || !tied(it.x, items[i+1].x) {
			r.ends = append(r.ends, i+1)
		}
	}
	return r
}

// share returns the values of the inputs in the order of the ranking, those of
// a group replaced by their mean.
func (r ranking) share(value func(i int) float64) []float64 {
	shared := make([]float64, len(r.order))
	start := 0
	for _, end := range r.ends {
		sum := 0.0
		for at := start; at < end; at++ {
			shared[at] = value(r.order[at])
			sum += shared[at]
		}
		if size := end - start; size > 1 {
			for at := start; at < end; at++ {
				shared[at] = sum / float64(size)
			}
		}
		start = end
	}
	return shared
}

// quantile is the p-quantile of numbers in rising order by linear interpolation at position (n −
// 1)p, type 7 of Hyndman and Fan (1996), "Sample quantiles in statistical packages", and numpy's
// default.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

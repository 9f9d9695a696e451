package data

import (
	"cmp"
	"slices"

	"bayesbench/backends/rng"
)

// spread visits a split that is stored class by class so that any part from the start on is a fair
// sample: first one example of each class, then every class in proportion to its size. Example j of
// the m of a class, in a shuffled order, comes at place (j+1/2)/m between 0 and 1, j = 0 before
// all. The shuffle is the same for every job: it has a key of its own, and no seed.
func spread(s Split) []int32 {
	order := rng.Perm(s.Len(), rng.Key{}, streamSpread)
	labels := Labels(s)
	of := make([]int, s.Targets().Classes)
	for _, class := range labels {
		of[class]++
	}
	place := make([]float64, s.Len())
	seen := make([]int, len(of))
	for _, i := range order {
		class := labels[i]
		if seen[class] > 0 {
			place[i] = (float64(seen[class]) + 0.5) / float64(of[class])
		}
		seen[class]++
	}
	// Stable: classes that come at the same place keep the order of the shuffle.
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(place[a], place[b]) })
	return order
}

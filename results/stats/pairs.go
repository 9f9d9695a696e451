package stats

import (
	"maps"
	"slices"
)

// Pairs holds two results at the replicates that both have: seeds, or seeds and splits of the data.
type Pairs[K comparable] struct {
	Keys         []K // rising
	A, B         []float64
	OnlyA, OnlyB []K // replicates without a partner, left out
}

// Pair pairs results by replicate, in the order of compare.
func Pair[K comparable](a, b map[K]float64, compare func(K, K) int) Pairs[K] {
	var p Pairs[K]
	for _, key := range slices.SortedFunc(maps.Keys(a), compare) {
		if y, ok := b[key]; ok {
			p.Keys = append(p.Keys, key)
			p.A = append(p.A, a[key])
			p.B = append(p.B, y)
		} else {
			p.OnlyA = append(p.OnlyA, key)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(b), compare) {
		if _, ok := a[key]; !ok {
			p.OnlyB = append(p.OnlyB, key)
		}
	}
	return p
}

// Differences returns A − B, pair by pair.
func (p Pairs[K]) Differences() []float64 {
	d := make([]float64, len(p.A))
	for i := range d {
		d[i] = p.A[i] - p.B[i]
	}
	return d
}

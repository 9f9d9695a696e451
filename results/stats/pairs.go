package stats

import (
	"maps"
	"slices"
	"strconv"
)

// Pairs holds two results at the seeds that both have.
type Pairs struct {
	Seeds        []string // rising, as numbers where they are numbers
	A, B         []float64
	OnlyA, OnlyB []string // seeds without a partner, left out
}

// PairBySeed pairs results by seed. Seeds come as text because records store
// them so.
func PairBySeed(a, b map[string]float64) Pairs {
	var p Pairs
	for _, seed := range slices.SortedFunc(maps.Keys(a), compareSeeds) {
		if y, ok := b[seed]; ok {
			p.Seeds = append(p.Seeds, seed)
			p.A = append(p.A, a[seed])
			p.B = append(p.B, y)
		} else {
			p.OnlyA = append(p.OnlyA, seed)
		}
	}
	for _, seed := range slices.SortedFunc(maps.Keys(b), compareSeeds) {
		if _, ok := a[seed]; !ok {
			p.OnlyB = append(p.OnlyB, seed)
		}
	}
	return p
}

// Differences returns A − B, seed by seed.
func (p Pairs) Differences() []float64 {
	d := make([]float64, len(p.A))
	for i := range d {
		d[i] = p.A[i] - p.B[i]
	}
	return d
}

func compareSeeds(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	switch {
	case errX == nil && errY == nil && x != y:
		if x < y {
			return -1
		}
		return 1
	case errX == nil && errY != nil:
		return -1
	case errX != nil && errY == nil:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

package gonum

import (
	"slices"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// schedule orders the units so that each comes after those it reads and those
// it must follow, and, of those that could be next, one that can join the strand
// of the one before comes first, then one that frees memory, then the one that
// comes first in the program. It returns the units by strand.
func (pl *plan) schedule() [][]int {
	var todo []int
	waits := make([]int, len(pl.members)) // for arguments, and for the units it must follow
	left := make([]int, len(pl.users))    // units that have yet to read a value
	reads := make([][]ir.Value, len(pl.members))
	for u, members := range pl.members {
		if members == nil {
			continue
		}
		todo = append(todo, u)
		reads[u] = pl.unitReads(u)
		for _, a := range reads[u] {
			left[a]++
			if pl.of[a] >= 0 {
				waits[u]++
			}
		}
		for _, next := range pl.then[u] {
			waits[next]++
		}
	}
	var strands [][]int
	open := strandPlan{pl: pl}
	for len(todo) > 0 {
		best, bestFreed, bestFits := -1, 0, false
		for i, u := range todo {
			if waits[u] > 0 {
				continue
			}
			fits := open.fits(u)
			if bestFits && !fits {
				continue
			}
			if f := pl.freed(u, reads[u], left); best < 0 || fits && !bestFits || f > 0 && f > bestFreed ||
				f <= 0 && bestFreed <= 0 && pl.rank(u) < pl.rank(todo[best]) {
				best, bestFreed, bestFits = i, f, fits
			}
		}
		u := todo[best]
		todo = slices.Delete(todo, best, best+1)
		if !bestFits && len(open.units) > 0 {
			strands = append(strands, open.units)
			open = strandPlan{pl: pl}
		}
		open.add(u)
		for _, a := range reads[u] {
			left[a]--
		}
		for _, next := range pl.then[u] {
			waits[next]--
		}
		for _, other := range todo {
			for _, a := range reads[other] {
				if pl.of[a] == u {
					waits[other]--
				}
			}
		}
	}
	if len(open.units) > 0 {
		strands = append(strands, open.units)
	}
	return strands
}

// rank is where unit u comes in the program: with the last of its members, but
// for one that is computed earlier than the program says.
func (pl *plan) rank(u int) ir.Value {
	all := pl.members[u]
	i := len(all) - 1
	for i > 0 && pl.noiseOverRoot(all[i]) {
		i--
	}
	return all[i]
}

// unitReads lists the values that unit u reads from outside, each once.
func (pl *plan) unitReads(u int) []ir.Value {
	var out []ir.Value
	for _, m := range pl.members[u] {
		for _, a := range pl.reads(m) {
			if pl.of[a] != u && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// stored reports whether others than its own unit need v in memory.
func (pl *plan) stored(v ir.Value) bool {
	if _, ok := pl.result[v]; ok || pl.isCopied(v) {
		return true
	}
	for _, u := range pl.users[v] {
		if pl.of[u] != pl.of[v] {
			return true
		}
	}
	return false
}

func (pl *plan) isCopied(v ir.Value) bool {
	for _, i := range pl.copies {
		if pl.canon[pl.p.Results[i].Value] == v {
			return true
		}
	}
	return false
}

// freed is by how many floats of arena running u next leaves less in use.
func (pl *plan) freed(u int, reads []ir.Value, left []int) int {
	sum := 0
	for _, a := range reads {
		if pl.inArena(a) && left[a] == 1 {
			sum += pl.size(a)
		}
	}
	for _, m := range pl.members[u] {
		if pl.inArena(m) && pl.stored(m) {
			sum -= pl.size(m)
		}
	}
	return sum
}

// inArena reports whether v, if it is stored, is so in the arena.
func (pl *plan) inArena(v ir.Value) bool {
	_, isResult := pl.result[v]
	return pl.of[v] >= 0 && !isResult && pl.p.Type(v).DType == ir.F32
}

// place is a range of the arena, the span of the schedule in which it is in use,
// and the values that are there one after the other.
type place struct {
	values     []ir.Value
	first, end int // strands first ≤ i ≤ end of the schedule
	lo, hi     int // floats
}

// arena gives every stored value a range such that no two overlap in both
// memory and time, and returns the ranges and the length.
func (pl *plan) arena(strands [][]int) ([]place, int) {
	var places []place
	shared := map[ir.Value]int{} // index of a value's place
	at := make([]int, len(pl.members))
	for i, units := range strands {
		for _, u := range units {
			at[u] = i
		}
	}
	for _, u := range slices.Concat(strands...) {
		for _, m := range pl.members[u] {
			if !pl.inArena(m) || !pl.stored(m) {
				continue
			}
			if a, ok := pl.over[m]; ok {
				shared[m] = shared[a]
				p := &places[shared[m]]
				p.values = append(p.values, m)
				for _, user := range pl.users[m] {
					p.end = max(p.end, at[pl.of[user]])
				}
				continue
			}
			shared[m] = len(places)
			p := place{values: []ir.Value{m}, first: at[u], end: at[u], hi: (pl.size(m) + kernel.LineFloats - 1) / kernel.LineFloats * kernel.LineFloats}
			for _, user := range pl.users[m] {
				p.end = max(p.end, at[pl.of[user]])
			}
			if pl.isCopied(m) {
				p.end = len(strands)
			}
			if pl.keeps(u) {
				p.first, p.end = 0, len(strands)
			}
			places = append(places, p)
		}
	}
	// The largest first; each as low as the others let it.
	slices.SortStableFunc(places, func(a, b place) int { return b.hi - a.hi })
	if total := stack(places, true); total <= ownArena {
		return places, total
	}
	return places, stack(places, false)
}

// stack gives the places their ranges, the first as low as it goes, each as low
// as those before let it, and returns the length. With apart, place goes only to
// values of the same size, of which a worker computes the same part each time.
func stack(places []place, apart bool) int {
	total := 0
	for i := range places {
		p := &places[i]
		size := p.hi - p.lo
		var taken []place
		for _, q := range places[:i] {
			if q.first <= p.end && p.first <= q.end || apart && keepsApart(q.hi-q.lo, size) {
				taken = append(taken, q)
			}
		}
		slices.SortFunc(taken, func(a, b place) int { return a.lo - b.lo })
		lo := 0
		for _, q := range taken {
			if q.lo-lo >= size {
				break
			}
			lo = max(lo, q.hi)
		}
		p.lo, p.hi = lo, lo+size
		total = max(total, p.hi)
	}
	return total
}

// ownArena is the longest arena, in floats, in which values of different sizes
// keep apart. A line that another worker wrote before can take longer to get
// than one from memory; but what no longer stays in a third-level cache had
// better be short.
const ownArena = 9 << 20

// keepsApart reports whether values of so many floats must not take each
// other's place; what is small may.
func keepsApart(a, b int) bool { return a != b && max(a, b) > 16<<10 }

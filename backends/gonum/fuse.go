package gonum

import (
	"slices"

	"bayesbench/backends/ir"
)

// units says which values are computed together. A unit becomes one
// instruction of the executable: an elementwise group, or a single op.
type units struct {
	of      []int        // unit of a value, -1 where none computes it
	members [][]ir.Value // of each unit, ascending; nil where merged into another
	then    [][]int      // units that must come after a unit, beside those that read of it
	stamp   []int        // of legal's search, by unit
	search  int
}

// fuse gathers elementwise ops of one extent into as few groups as it can.
// From the last op to the first each joins the groups of its users, so that
// an op runs where its value is wanted and not before; then groups that read
// the same array are joined. No merge may make a cycle of groups.
func (pl *plan) fuse() {
	pl.findOrigins()
	n := len(pl.p.Instrs)
	pl.of, pl.members, pl.stamp = make([]int, n), make([][]ir.Value, n), make([]int, n)
	for v := range ir.Value(n) {
		pl.of[v] = -1
		if pl.computed(v) {
			pl.of[v], pl.members[v] = int(v), []ir.Value{v}
		}
	}
	for v := ir.Value(n - 1); v >= 0; v-- {
		if pl.of[v] >= 0 && pl.fusible(v) && pl.p.Instrs[v].Op != ir.ReduceSum && !pl.noiseOverRoot(v) {
			for _, u := range pl.users[v] {
				pl.merge(v, u)
			}
		}
	}
	var scalars []ir.Value
	for v := range ir.Value(n) {
		for i, u := range pl.users[v] {
			// A number or a row that both read is no reason to join them.
			if !pl.fusible(u) || pl.extent(u) != pl.size(v) {
				continue
			}
			for _, w := range pl.users[v][:i] {
				pl.merge(u, w)
			}
		}
		if pl.of[v] >= 0 && pl.fusible(v) && pl.extent(v) == 1 {
			scalars = append(scalars, v)
		}
	}
	for i, v := range scalars {
		for _, w := range scalars[:i] {
			pl.merge(v, w)
		}
	}
}

// noiseOverRoot reports whether v is noise over a deviation, which is computed
// where the noise is, not where the gradient wants it.
func (pl *plan) noiseOverRoot(v ir.Value) bool {
	in := &pl.p.Instrs[v]
	return in.Op == ir.Div && pl.isNoise(pl.canon[in.Args[0]]) && pl.p.Instrs[pl.canon[in.Args[1]]].Op == ir.Sqrt
}

// computed reports whether an instruction of the executable makes v.
func (pl *plan) computed(v ir.Value) bool {
	op := pl.p.Instrs[v].Op
	return pl.need[v] && pl.canon[v] == v && op != ir.Param && op != ir.Const
}

// merge joins the units of v and w if they are groups of one extent and
// nothing outside lies between them.
func (pl *plan) merge(v, w ir.Value) {
	a, b := pl.of[v], pl.of[w]
	if a == b || !pl.fusible(v) || !pl.fusible(w) || pl.extent(v) != pl.extent(w) ||
		pl.clash(a, b) || pl.staysApart(a, b) || !pl.legal(a, b) {
		return
	}
	if a > b {
		a, b = b, a
	}
	for _, m := range pl.members[b] {
		pl.of[m] = a
	}
	pl.members[a] = append(pl.members[a], pl.members[b]...)
	slices.Sort(pl.members[a])
	pl.members[b] = nil
}

// legal reports whether units a and b can be one: no member of one is a sum
// that the other reads, and no path leads from one to the other through a
// third unit.
func (pl *plan) legal(a, b int) bool {
	pl.search++
	var todo []int
	for _, u := range []int{a, b} {
		for _, m := range pl.members[u] {
			for _, user := range pl.users[m] {
				next := pl.of[user]
				switch {
				case next == u:
				case next == a || next == b:
					if pl.p.Instrs[m].Op == ir.ReduceSum {
						return false
					}
				case pl.stamp[next] != pl.search:
					pl.stamp[next] = pl.search
					todo = append(todo, next)
				}
			}
		}
	}
	for len(todo) > 0 {
		u := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, m := range pl.members[u] {
			for _, user := range pl.users[m] {
				next := pl.of[user]
				if next == a || next == b {
					return false
				}
				if pl.stamp[next] != pl.search {
					pl.stamp[next] = pl.search
					todo = append(todo, next)
				}
			}
		}
	}
	return true
}

// plane is the length of the planes that unit u sums over, 0 if it does not.
func (pl *plan) plane(u int) int {
	for _, m := range pl.members[u] {
		if pl.p.Instrs[m].Op == ir.ReduceSum {
			if s, _ := pl.sumOf(m); s.plane != 0 {
				return s.plane
			}
		}
	}
	return 0
}

// clash reports whether two groups sum over planes that no block fits both of.
func (pl *plan) clash(a, b int) bool {
	p, q := pl.plane(a), pl.plane(b)
	return p != 0 && q != 0 && p != q
}

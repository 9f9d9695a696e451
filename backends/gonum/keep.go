package gonum

import (
	"slices"

	"bayesbench/backends/ir"
)

// What a prediction makes of the weights alone, their standard deviations and
// masks, is the same for every posterior sample, and a sampled set of weights
// for every batch. So a group that computes from parameters alone keeps what it
// computed until a buffer of theirs is written; and what takes long and does not
// depend on noise is not computed in one group with what does.

// worthKeeping is the cost, as opCost counts it, from which on a group keeps
// what it computed.
const worthKeeping = 8

// origin says what an elementwise value is computed from.
type origin uint8

const (
	fromElsewhere origin = iota // a contraction, a state that the program updates
	fromParams                  // parameters that stay, and constants
	fromNoise                   // these and noise
)

// findOrigins says where each value comes from, and which of them to compute
// apart from the noise that joins them.
func (pl *plan) findOrigins() {
	n := len(pl.p.Instrs)
	pl.origin, pl.apart = make([]origin, n), make([]bool, n)
	cost := make([]int, n)
	for v := range ir.Value(n) {
		switch op := pl.p.Instrs[v].Op; {
		case op == ir.Const || op == ir.Param && !slices.Contains(pl.state, v):
			pl.origin[v] = fromParams
		case pl.computed(v) && pl.fusible(v):
			pl.origin[v], cost[v] = fromParams, opCost(op)
			if pl.isNoise(v) {
				pl.origin[v] = fromNoise
			}
			reads := pl.reads(v)
			for _, a := range reads {
				cost[v] += cost[a]
				if pl.origin[a] == fromElsewhere || pl.origin[v] == fromElsewhere {
					pl.origin[v] = fromElsewhere
				} else {
					pl.origin[v] = max(pl.origin[v], pl.origin[a])
				}
			}
			for _, a := range reads {
				if pl.origin[v] == fromNoise && pl.origin[a] == fromParams && cost[a] >= worthKeeping {
					pl.apart[a] = true
				}
			}
		}
	}
}

// staysApart reports whether one of two units has a value to be computed apart
// from the noise that the other has.
func (pl *plan) staysApart(a, b int) bool {
	apart := func(v ir.Value) bool { return pl.apart[v] }
	noisy := func(v ir.Value) bool { return pl.origin[v] == fromNoise }
	has := func(u int, is func(ir.Value) bool) bool { return slices.ContainsFunc(pl.members[u], is) }
	return has(a, apart) && has(b, noisy) || has(b, apart) && has(a, noisy)
}

// keeps reports whether unit u keeps what it computed. A program that updates a
// state has another noise key at every run.
func (pl *plan) keeps(u int) bool {
	cost := 0
	for _, m := range pl.members[u] {
		if _, isResult := pl.result[m]; isResult || pl.origin[m] == fromElsewhere || pl.origin[m] == fromNoise && pl.updates() {
			return false
		}
		cost += opCost(pl.p.Instrs[m].Op)
	}
	return cost >= worthKeeping
}

// updates reports whether the program updates a state.
func (pl *plan) updates() bool {
	return slices.ContainsFunc(pl.state, func(v ir.Value) bool { return v != ir.None })
}

// sources lists the arguments, by index, that the unit's values are computed
// from.
func (pl *plan) sources(u int) []int {
	params := pl.p.Params()
	var out []int
	var seen []ir.Value
	todo := slices.Clone(pl.members[u])
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if slices.Contains(seen, v) {
			continue
		}
		seen = append(seen, v)
		if i := slices.Index(params, v); i >= 0 {
			out = append(out, i)
		} else {
			todo = append(todo, pl.reads(v)...)
		}
	}
	return out
}

// current reports whether what the group computed in the run before still
// holds.
func (g *group) current() bool {
	if !g.keep || !g.kept {
		g.kept = true
		return false
	}
	for _, i := range g.sources {
		if g.e.changed[i] {
			return false
		}
	}
	return true
}

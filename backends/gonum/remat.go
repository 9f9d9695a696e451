package gonum

import (
	"slices"

	"bayesbench/backends/ir"
)

// rematerialise copies cheap elementwise ops into the groups that read their
// values, so that one group need not write for another to read what it can
// compute as well: memory is the slower of the two by far. It returns the
// program with the copies, or p where there are none.
func rematerialise(pl *plan) *ir.Program {
	p := pl.p
	pl.again = make([]bool, len(p.Instrs))
	any := false
	for v := range ir.Value(len(p.Instrs)) {
		if pl.onlyBetweenGroups(v) && pl.worthRecomputing(v) {
			pl.again[v], any = true, true
		}
	}
	if !any {
		return p
	}
	c := copier{pl: pl, copies: map[use]ir.Value{}}
	for v, in := range p.Instrs {
		unit := -1
		if pl.of[v] >= 0 && pl.fusible(ir.Value(v)) {
			unit = pl.of[v]
		}
		c.at = append(c.at, c.emit(in, unit, false))
	}
	out := &ir.Program{Name: p.Name, Instrs: c.instrs}
	for _, r := range p.Results {
		out.Results = append(out.Results, ir.Result{Name: r.Name, Value: c.at[r.Value]})
	}
	return out
}

// copier writes the program with the copies.
type copier struct {
	pl     *plan
	instrs []ir.Instr
	at     []ir.Value // where a value of the old program is
	copies map[use]ir.Value
}

// use is a value as one unit computes it again.
type use struct {
	unit int
	v    ir.Value
}

// emit writes an instruction for a unit, or for none (-1); cloning, where the
// instruction is itself a copy.
func (c *copier) emit(in ir.Instr, unit int, cloning bool) ir.Value {
	args := make([]ir.Value, len(in.Args))
	for i, a := range in.Args {
		args[i] = c.read(a, unit, cloning)
	}
	in.Args = args
	c.instrs = append(c.instrs, in)
	return ir.Value(len(c.instrs) - 1)
}

// read is the operand a of an instruction of the unit.
func (c *copier) read(a ir.Value, unit int, cloning bool) ir.Value {
	v := c.pl.canon[a]
	copied := c.pl.again[v] || cloning && !c.pl.inMemory(v)
	if unit < 0 || c.pl.of[v] == unit || !copied {
		return c.at[a]
	}
	if v != a { // an alias of what is copied
		return c.emit(c.pl.p.Instrs[a], unit, cloning)
	}
	key := use{unit, v}
	if _, ok := c.copies[key]; !ok {
		c.copies[key] = c.emit(c.pl.p.Instrs[v], unit, true)
	}
	return c.copies[key]
}

// Writing an array takes about as long as maxRecompute simple ops on it, or as
// reading maxReads others.
const (
	maxRecompute = 24
	maxReads     = 1
)

// worthRecomputing compares what it takes for each unit that reads v to
// compute it with writing v once and reading it.
func (pl *plan) worthRecomputing(v ir.Value) bool {
	r := recipe{pl: pl}
	r.add(v)
	if r.impossible {
		return false
	}
	cost, reads := 0, 0
	var seen []int
	for _, user := range pl.users[v] {
		u := pl.of[user]
		if u == pl.of[v] || slices.Contains(seen, u) {
			continue
		}
		seen = append(seen, u)
		cost += r.cost
		reads-- // of v
		has := pl.unitReads(u)
		for _, a := range r.arrays {
			if !slices.Contains(has, a) {
				reads++
			}
		}
	}
	return cost <= maxRecompute && reads <= maxReads
}

// onlyBetweenGroups reports whether v is in memory only because another group
// of its extent reads it, element by element.
func (pl *plan) onlyBetweenGroups(v ir.Value) bool {
	if pl.of[v] < 0 || !pl.fusible(v) || pl.isNoise(v) || pl.apart[v] || pl.p.Instrs[v].Op == ir.ReduceSum || pl.p.Instrs[v].Op == ir.Broadcast || !pl.stored(v) {
		return false
	}
	if _, ok := pl.result[v]; ok || pl.isCopied(v) {
		return false
	}
	for _, u := range pl.users[v] {
		if pl.of[u] == pl.of[v] {
			continue
		}
		if !pl.fusible(u) || pl.extent(u) != pl.size(v) {
			return false
		}
	}
	return true
}

func (pl *plan) isNoise(v ir.Value) bool { return pl.p.Instrs[v].Op.Class() == ir.Noise }

// inMemory reports whether v is there to be read: of what comes before the value
// that is being looked at it is known whether it is computed again.
func (pl *plan) inMemory(v ir.Value) bool {
	return pl.of[v] < 0 || pl.stored(v) && !pl.again[v]
}

// opCost is how long an op takes, in simple ops.
func opCost(op ir.Op) int {
	switch op {
	case ir.Div, ir.Sqrt:
		return 3
	case ir.Exp, ir.Log, ir.Log1p, ir.Sigmoid, ir.Tanh, ir.Sin, ir.Cos, ir.Uniform:
		return 8
	case ir.Softplus:
		return 12
	case ir.Normal:
		return 16
	}
	return 1
}

// recipe is what it takes to compute a value from what is in memory.
type recipe struct {
	pl         *plan
	cost       int        // in simple ops
	arrays     []ir.Value // that are read, of the value's size
	done       []ir.Value
	impossible bool
}

func (r *recipe) add(v ir.Value) {
	if slices.Contains(r.done, v) || r.impossible {
		return
	}
	r.done = append(r.done, v)
	in := &r.pl.p.Instrs[v]
	r.cost += opCost(in.Op)
	for _, a := range in.Args {
		acc := r.pl.access(a)
		switch {
		case acc.kind == constant:
		case !r.pl.inMemory(acc.value):
			r.impossible = r.impossible || !r.pl.fusible(acc.value) || r.pl.isNoise(acc.value)
			r.add(acc.value)
		case acc.kind == direct && !slices.Contains(r.arrays, acc.value):
			r.arrays = append(r.arrays, acc.value)
		}
	}
}

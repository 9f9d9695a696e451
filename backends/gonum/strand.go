package gonum

import (
	"fmt"
	"slices"
	"strings"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// A strand is units that run together, band by band of the same rows: what makes
// an operand of a product from the weights, the products, what is done with
// their results, the update of the weights. A worker takes a band through all
// of them while it is in cache, and waits for the others once, at the end. So
// no unit may need more of what another of the strand writes than its own rows.

// strandPlan is the strand that the schedule is adding to.
type strandPlan struct {
	pl      *plan
	units   []int
	rows    int // 0: of a group alone, which goes with any that divide it
	packed  int // floats of what its products pack of their second operands
	touched map[ir.Value]touch
}

// maxPacked bounds the packed operands that a strand goes through with every
// band: they must stay in the second-level cache.
const maxPacked = 128 << 10

// touch is how units use an array: of rows, a band has to do with its own rows
// only.
type touch struct{ rows, writes bool }

// fits reports whether unit u, which is ready, can join the strand.
func (s *strandPlan) fits(u int) bool {
	pl := s.pl
	if len(s.units) == 0 || !pl.banded(s.units[0]) || !pl.banded(u) {
		return false
	}
	rows := s.rows
	if v := pl.members[u][0]; !pl.fusible(v) {
		g := pl.product(v)
		switch {
		case rows == 0 && (pl.extent(pl.members[s.units[0]][0]) != g.M*g.K || g.TransA || !pl.cutsInto(s.units[0], g.M)):
			return false // the group has nothing to do with the product
		case rows != 0 && rows != g.M || s.packed > 0 && s.packed+g.K*g.N > maxPacked:
			return false
		}
		rows = g.M
	}
	if rows == 0 || !pl.cutsInto(u, rows) {
		return false
	}
	touched := s.touched
	if s.rows == 0 {
		touched = map[ir.Value]touch{}
		pl.touch(touched, s.units[0], rows)
	}
	own := map[ir.Value]touch{}
	pl.touch(own, u, rows)
	for array, a := range own {
		if b, ok := touched[array]; ok && (a.writes || b.writes) && !(a.rows && b.rows) {
			return false
		}
	}
	return true
}

// add puts unit u, which fits, or which begins the strand, at its end.
func (s *strandPlan) add(u int) {
	s.units = append(s.units, u)
	rows := s.rows
	if v := s.pl.members[u][0]; s.pl.banded(u) && !s.pl.fusible(v) {
		g := s.pl.product(v)
		rows, s.packed = g.M, s.packed+g.K*g.N
	}
	if rows == 0 {
		return
	}
	if s.rows == 0 {
		s.rows, s.touched = rows, map[ir.Value]touch{}
		for _, other := range s.units {
			s.pl.touch(s.touched, other, rows)
		}
		return
	}
	s.pl.touch(s.touched, u, rows)
}

// banded reports whether unit u can be part of a strand.
func (pl *plan) banded(u int) bool {
	v := pl.members[u][0]
	if pl.fusible(v) {
		return true
	}
	if op := pl.p.Instrs[v].Op; op != ir.MatMul && op != ir.Linear {
		return false
	}
	g := pl.product(v)
	return g.ByRows()
}

// cutsInto reports whether unit u can be cut into the rows.
func (pl *plan) cutsInto(u, rows int) bool {
	first := pl.members[u][0]
	if !pl.fusible(first) {
		return true
	}
	n := pl.extent(first)
	length := n / rows
	if n%rows != 0 || length < kernel.LineFloats {
		return false
	}
	if plane := pl.plane(u); plane != 0 {
		if block, _ := blockFor(plane); length%min(plane, block) != 0 {
			return false
		}
	}
	return length%kernel.LineFloats == 0 || !slices.ContainsFunc(pl.members[u], pl.isNoise)
}

// array is what names the memory of v: the parameter that it takes the place of,
// where it does.
func (pl *plan) array(v ir.Value) ir.Value {
	if i, ok := pl.result[v]; ok && pl.state[i] != ir.None {
		return pl.state[i]
	}
	return v
}

// touch adds how unit u uses arrays when it is cut into the rows.
func (pl *plan) touch(all map[ir.Value]touch, u, rows int) {
	add := func(v ir.Value, t touch) {
		v = pl.array(v)
		if was, ok := all[v]; ok {
			t.rows, t.writes = t.rows && was.rows, t.writes || was.writes
		}
		all[v] = t
	}
	if v := pl.members[u][0]; !pl.fusible(v) {
		in := &pl.p.Instrs[v]
		for i, a := range in.Args {
			a, _ := pl.mapped(v, a)
			add(a, touch{rows: i == 0 && !in.TransA})
		}
		add(v, touch{rows: true, writes: true})
		return
	}
	n := pl.extent(pl.members[u][0])
	for _, m := range pl.members[u] {
		in := &pl.p.Instrs[m]
		for _, a := range in.Args {
			if acc := pl.access(a); acc.kind != constant && (pl.of[acc.value] != u || pl.stored(acc.value)) {
				add(acc.value, touch{rows: acc.kind == direct && pl.size(acc.value) == n})
			}
		}
		if pl.stored(m) {
			add(m, touch{rows: in.Op != ir.ReduceSum, writes: true})
		}
	}
}

// strand is the instruction of a strand of two units or more.
type strand struct {
	e     *executable
	rows  int
	items []item
	task  func(band, worker int)
}

// item is a product or a group of a strand.
type item struct {
	product *product
	group   *group
	skip    bool // what the group computed in the run before still holds
}

// newStrand makes the instruction of units that run together.
func (e *executable) newStrand(units []int) instr {
	if len(units) == 1 {
		return e.assemble(units[0])
	}
	s := &strand{e: e}
	s.task = s.doBand
	for _, u := range units {
		if v := e.plan.members[u][0]; !e.plan.fusible(v) {
			s.rows = e.plan.product(v).M
		}
	}
	for _, u := range units {
		it := item{}
		if v := e.plan.members[u][0]; e.plan.fusible(v) {
			it.group = e.newGroup(e.plan.members[u], s.rows)
		} else {
			it.product = e.newProduct(v)
			it.product.bands = e.be.pool.NewBands(&it.product.g)
		}
		s.items = append(s.items, it)
	}
	return s
}

func (s *strand) run(e *executable) {
	scratch, idle := e.be.pool.Scratch(), true
	for i := range s.items {
		it := &s.items[i]
		if it.group != nil {
			it.skip = !it.group.begin()
			idle = idle && it.skip
			continue
		}
		m := it.product
		n := m.bands.Scratch()
		m.bands.Begin(e.f32[m.c], e.f32[m.a], e.f32[m.b], m.epilogue(e), scratch[:n:n])
		scratch, idle = scratch[n:], false
	}
	if !idle {
		e.be.pool.Run(kernel.BandCount(s.rows), s.task)
	}
	for i := range s.items {
		if it := &s.items[i]; it.product != nil {
			it.product.bands.End()
		} else if !it.skip {
			it.group.finish()
		}
	}
}

// doBand takes one band through all.
func (s *strand) doBand(band, worker int) {
	for i := range s.items {
		it := &s.items[i]
		switch {
		case it.product != nil:
			it.product.bands.Do(band, worker)
		case !it.skip:
			it.group.runBand(band, worker)
		}
	}
}

func (s *strand) reserve(*executable) int {
	n := 0
	for _, it := range s.items {
		if it.product != nil {
			n += it.product.bands.Scratch()
		}
	}
	return n
}

func (s *strand) instrs() []instr {
	var all []instr
	for _, it := range s.items {
		if it.product != nil {
			all = append(all, it.product)
		} else {
			all = append(all, it.group)
		}
	}
	return all
}

func (s *strand) String() string {
	var text []string
	for _, in := range s.instrs() {
		text = append(text, fmt.Sprint(in))
	}
	return fmt.Sprintf("strand of %d rows: %s", s.rows, strings.Join(text, ", "))
}

// bandCut is how a group's elements are cut in a strand.
type bandCut struct {
	rows, length int // of each row
	blocks       int // of the longest band
}

func newBandCut(rows, length, block int) bandCut {
	c := bandCut{rows: rows, length: length}
	for b := range kernel.BandCount(rows) {
		lo, hi := kernel.BandRows(rows, b)
		c.blocks = max(c.blocks, ((hi-lo)*length+block-1)/block)
	}
	return c
}

// runBand runs the group's code on a band.
func (g *group) runBand(band, worker int) {
	lo, hi := kernel.BandRows(g.cut.rows, band)
	g.runRange(lo*g.cut.length, hi*g.cut.length, band*g.cut.blocks, worker)
}

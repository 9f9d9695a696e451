package gonum

import (
	"fmt"
	"slices"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

// group runs elementwise ops over n elements block by block: all its code for
// one block, which stays in the first-level cache, then for the next. Blocks
// are cut by n and the code alone, so partial sums do not depend on workers.
type group struct {
	e       *executable
	n       int
	block   int // elements; a multiple of 16, as noise wants
	blocks  int
	perTask int // blocks
	tasks   int
	regs    int
	code    []micro
	streams []int // arrays that the code reads or writes, by canonical value
	sums    []terminal
	rows    []row
	task    func(task, worker int)
	cut     bandCut // in a strand
	// keep says that what was computed holds, once kept, until one of the
	// arguments that it is computed from changes.
	keep, kept bool
	sources    []int
}

// terminal is a sum that the group ends in. Its parts are summed apart, so
// that their order does not depend on the tasks, and joined by channel.
type terminal struct {
	groupSum
	value   ir.Value
	part    int // elements of one part; 0: a block
	partial []float32
	split   split // of the channels
	join    func(task, worker int)
}

// row is a broadcast that repeats often, a number among them, spread out once
// for each run: its period, and a block more, so that a block may begin
// anywhere in it.
type row struct {
	access
	x []float32
}

// micro is one operation on a block.
type micro struct {
	do      action
	un      kernel.UnaryOp
	bin     kernel.BinaryOp
	dst     operand
	a, b, c operand
	s, t    number
	access  access // of load
	stream  uint32 // of noise
	row     uint64 // elements of a row of noise whose key says which is the first, else 0
	sum     int    // index of the sum
	adam    *adamStep
}

// adamStep is what the action adam has beside a gradient a and the moments b
// and c.
type adamStep struct {
	w, m1, v1 operand
	k         [6]number // as kernel.Adam has them
	values    [6]float32
}

type action uint8

const (
	unary           action = iota // dst = un(a)
	binary                        // dst = bin(a, b)
	withScalar                    // dst = bin(a, s)
	scalarWith                    // dst = bin(s, b)
	fma                           // dst = a·b + c
	fnma                          // dst = c − a·b
	fmaScalar                     // dst = a·s + c
	weighted                      // dst = a·s + b·t
	weightedProduct               // dst = a·s + b·c·t
	overRoot                      // dst = a / (√b + s)
	adam                          // dst, m1, v1 = kernel.Adam(w, b, c, a, k)
	choose                        // dst = a ? b : c
	fill                          // dst = s
	load                          // dst = a, through access
	uniform
	normal
	sum // of a
	dot // sum of a·b
)

// operand is where a block lies: in a register, or at its place in an array.
type operand struct {
	in where
	at int // register, canonical value, or row
}

type where uint8

const (
	inRegister where = iota
	inArray
	inRow
)

// number is a scalar: a constant, the only element of a value, or the element
// that a whole block reads.
type number struct {
	value        ir.Value // ir.None: x
	x            float32
	each, length int // as in access; each 0: the only element
	negate       bool
}

// number is s in a block that begins at element lo.
func (e *executable) number(s number, lo int) float32 {
	x := s.x
	if s.value != ir.None {
		i := 0
		if s.each > 0 {
			i = lo / s.each % s.length
		}
		x = e.f32[s.value][i]
	}
	if s.negate {
		return -x
	}
	return x
}

// Blocks: of maxBlock elements while the registers then fit half of a
// first-level cache of 32 KiB, else of half that. A task is at least
// taskFloats elements.
const (
	maxBlock   = 1024
	cacheRegs  = 12
	taskFloats = 4096
	// rowRepeats is how often a row must repeat to be worth spreading out.
	rowRepeats = 4
)

// blockFor is the block of a group that sums over planes: a multiple of plane,
// or a part of one, and in either case of 16.
func blockFor(plane int) (int, bool) {
	if plane == 0 {
		return maxBlock, true
	}
	step := plane
	for step%kernel.LineFloats != 0 {
		step *= 2
	}
	if step <= maxBlock {
		return maxBlock / step * step, true
	}
	for d := maxBlock; d >= maxBlock/4; d -= kernel.LineFloats {
		if plane%d == 0 {
			return d, true
		}
	}
	return 0, false
}

// newGroup makes the group of a unit's members. In a strand of rows it runs band
// by band; elsewhere rows is 0.
func (e *executable) newGroup(members []ir.Value, rows int) *group {
	unit := e.plan.of[members[0]]
	g := &group{e: e, n: e.plan.extent(members[0])}
	plane := e.plan.plane(unit)
	g.block, _ = blockFor(plane)
	c := coder{e: e, g: g, unit: unit, at: map[ir.Value]operand{}, loaded: map[access]operand{}, inStrand: rows > 0}
	c.emit(members)
	g.regs = allocate(g.code)
	g.streams = streamed(g.code)
	if g.keep = e.plan.keeps(unit); g.keep {
		g.sources = e.plan.sources(unit)
	}
	if g.regs > cacheRegs && plane == 0 {
		g.block /= 2
	}
	g.blocks = (g.n + g.block - 1) / g.block
	g.perTask = max(1, taskFloats/g.block)
	g.perTask = max(g.perTask, g.blocks/(8*e.be.pool.Workers()))
	g.tasks = (g.blocks + g.perTask - 1) / g.perTask
	g.task = g.doTask
	parts := g.blocks
	if rows > 0 {
		g.cut = newBandCut(rows, g.n/rows, g.block)
		parts = kernel.BandCount(rows) * g.cut.blocks
	}
	for i := range g.sums {
		t := &g.sums[i]
		parts := parts
		if t.plane > 0 {
			t.part = min(t.plane, g.block)
			parts = g.n / t.part
		}
		t.partial = make([]float32, parts)
		t.split = e.split(t.channels, parts/t.channels)
		t.join = func(task, _ int) { t.doJoin(e, task) }
	}
	return g
}

func (g *group) reserve(*executable) int { return 0 }

func (g *group) run(e *executable) {
	if g.begin() {
		e.be.pool.Run(g.tasks, g.task)
		g.finish()
	}
}

// begin makes ready for a run, unless what was computed in another still holds.
func (g *group) begin() bool {
	if g.current() {
		return false
	}
	for i := range g.rows {
		g.rows[i].spread(g.e)
	}
	for i := range g.code {
		if a := g.code[i].adam; a != nil {
			for j, k := range a.k {
				a.values[j] = g.e.number(k, 0)
			}
		}
	}
	return true
}

// finish joins the sums.
func (g *group) finish() {
	for i := range g.sums {
		t := &g.sums[i]
		g.e.be.pool.Run(t.split.tasks, t.join)
	}
}

// doJoin adds the parts of some channels, image by image.
func (t *terminal) doJoin(e *executable, task int) {
	lo, hi := t.split.part(task)
	each := len(t.partial) // parts of a channel that stand together
	if t.plane > 0 {
		each = t.plane / t.part
	}
	for c := lo; c < hi; c++ {
		var s float64
		for at := c * each; at < len(t.partial); at += t.channels * each {
			for _, x := range t.partial[at : at+each] {
				s += float64(x)
			}
		}
		e.f32[t.value][c] = float32(s)
	}
}

// add sums x, or x·y, part by part: the block that begins at element lo and has
// a part of the given index for itself where no planes are summed.
func (t *terminal) add(lo, index int, x, y []float32) {
	at, size := index, len(x)
	if t.part > 0 {
		at, size = lo/t.part, t.part
	}
	for ; len(x) > 0; at++ {
		if y == nil {
			t.partial[at] = kernel.Sum(x[:size])
		} else {
			t.partial[at] = kernel.Dot(x[:size], y[:size])
			y = y[size:]
		}
		x = x[size:]
	}
}

// newRow makes the row of an access for blocks of n elements.
func newRow(a access, n int) row {
	r := row{a, kernel.Floats(a.each*a.length + n)}
	if a.kind == constant {
		kernel.Fill(r.x, a.x)
	}
	return r
}

func (r *row) spread(e *executable) {
	period := r.each * r.length
	switch r.kind {
	case constant:
		return
	case scalar:
		kernel.Fill(r.x, e.f32[r.value][0])
		return
	case tiled:
		copy(r.x, e.f32[r.value])
	case channels:
		kernel.RepeatEach(r.x[:period], e.f32[r.value], r.each)
	}
	for n := period; n < len(r.x); n += period {
		copy(r.x[n:], r.x[:period])
	}
}

func (g *group) doTask(task, worker int) {
	b := task * g.perTask
	g.runRange(b*g.block, min(g.n, (b+g.perTask)*g.block), b, worker)
}

// runRange runs the code on elements lo to end, whose first block has the index
// given among the parts of sums.
func (g *group) runRange(lo, end, index, worker int) {
	for ; lo < end; lo += g.block {
		s := span{g: g, regs: g.e.regs[worker], lo: lo, hi: min(end, lo+g.block), end: end, block: g.block}
		g.runBlock(&s, index)
		index++
	}
}

// streamed lists the arrays that the code goes through, if there is code enough
// beside them to hide their way from memory.
func streamed(code []micro) []int {
	var all []int
	for i := range code {
		m := &code[i]
		for _, o := range append(m.reads(), m.writes()...) {
			if o.in == inArray && !slices.Contains(all, o.at) {
				all = append(all, o.at)
			}
		}
	}
	if !kernel.Prefetches() || 2*len(code) <= len(all) {
		return nil
	}
	return all
}

// ahead asks for a share of the next block's arrays, as much as there is for
// operation i of the code: all at once the loads would wait for one another.
// A block is often a page, where the hardware's own prefetching ends.
func (s *span) ahead(i int) {
	const piece = 16 * kernel.LineFloats
	g := s.g
	pieces := (g.block + piece - 1) / piece
	total := pieces * len(g.streams)
	for k := i * total / len(g.code); k < (i+1)*total/len(g.code); k++ {
		lo := s.hi + k%pieces*piece
		if hi := min(lo+piece, s.hi+g.block, s.end); lo < hi {
			kernel.Prefetch(g.e.f32[g.streams[k/pieces]][lo:hi])
		}
	}
}

// span is one block: elements lo to hi of a range that goes on to end, and the
// registers for it.
type span struct {
	g           *group
	regs        []float32
	lo, hi, end int
	block       int
}

func (s *span) of(o operand) []float32 {
	switch o.in {
	case inArray:
		return s.g.e.f32[o.at][s.lo:s.hi]
	case inRow:
		r := &s.g.rows[o.at]
		at := s.lo % (r.each * r.length)
		return r.x[at : at+s.hi-s.lo]
	}
	at := o.at * s.block
	return s.regs[at : at+s.hi-s.lo : at+s.block]
}

// whole is the block up to the end of its last cache line, so that noise, which
// is made by the line, need not be cut.
func (s *span) whole(o operand) []float32 {
	x := s.of(o)
	return x[:(len(x)+kernel.LineFloats-1)/kernel.LineFloats*kernel.LineFloats]
}

// runBlock runs the code on a block.
func (g *group) runBlock(s *span, index int) {
	for i := range g.code {
		if s.hi < s.end {
			s.ahead(i)
		}
		m := &g.code[i]
		switch m.do {
		case unary:
			m.un.Apply(s.of(m.dst), s.of(m.a))
		case binary:
			m.bin.Apply(s.of(m.dst), s.of(m.a), s.of(m.b))
		case withScalar:
			m.bin.ApplyScalar(s.of(m.dst), s.of(m.a), g.e.number(m.s, s.lo))
		case scalarWith:
			m.bin.ScalarApply(s.of(m.dst), g.e.number(m.s, s.lo), s.of(m.b))
		case fma:
			kernel.FMA(s.of(m.dst), s.of(m.a), s.of(m.b), s.of(m.c))
		case fnma:
			kernel.FNMA(s.of(m.dst), s.of(m.a), s.of(m.b), s.of(m.c))
		case fmaScalar:
			kernel.FMAScalar(s.of(m.dst), s.of(m.a), g.e.number(m.s, s.lo), s.of(m.c))
		case weighted:
			kernel.Weighted(s.of(m.dst), s.of(m.a), g.e.number(m.s, s.lo), s.of(m.b), g.e.number(m.t, s.lo))
		case weightedProduct:
			kernel.WeightedProduct(s.of(m.dst), s.of(m.a), g.e.number(m.s, s.lo), s.of(m.b), s.of(m.c), g.e.number(m.t, s.lo))
		case overRoot:
			kernel.OverRoot(s.of(m.dst), s.of(m.a), s.of(m.b), g.e.number(m.s, s.lo))
		case adam:
			kernel.Adam(s.of(m.dst), s.of(m.adam.m1), s.of(m.adam.v1), s.of(m.adam.w), s.of(m.b), s.of(m.c), s.of(m.a), &m.adam.values)
		case choose:
			kernel.Select(s.of(m.dst), s.of(m.a), s.of(m.b), s.of(m.c))
		case fill:
			kernel.Fill(s.of(m.dst), g.e.number(m.s, s.lo))
		case load:
			s.load(s.of(m.dst), m.access)
		case uniform:
			kernel.Uniform(s.whole(m.dst), s.key(m.a), m.stream, s.start(m))
		case normal:
			kernel.Normal(s.whole(m.dst), s.key(m.a), m.stream, s.start(m))
		case sum:
			g.sums[m.sum].add(s.lo, index, s.of(m.a), nil)
		case dot:
			g.sums[m.sum].add(s.lo, index, s.of(m.a), s.of(m.b))
		}
	}
}

func (s *span) key(o operand) rng.Key { return rng.Key(s.g.e.u32[o.at][:2]) }

// start is the element of its stream that the block's noise begins with.
func (s *span) start(m *micro) uint64 {
	if m.row == 0 {
		return uint64(s.lo)
	}
	return uint64(s.g.e.u32[m.a.at][2])*m.row + uint64(s.lo)
}

// load reads a block through a broadcast.
func (s *span) load(dst []float32, a access) {
	x := s.g.e.f32[a.value]
	if a.kind == tiled {
		kernel.TileRow(dst, x, s.lo)
		return
	}
	i, within := s.lo/a.each%a.length, s.lo%a.each
	for len(dst) > 0 {
		n := min(a.each-within, len(dst))
		if within == 0 {
			// As many whole repeats as there are before the row begins again.
			if whole := min(len(dst)/a.each, a.length-i); whole > 0 {
				kernel.RepeatEach(dst[:whole*a.each], x[i:i+whole], a.each)
				dst = dst[whole*a.each:]
				i = (i + whole) % a.length
				continue
			}
		}
		kernel.Fill(dst[:n], x[i])
		dst, within = dst[n:], 0
		i = (i + 1) % a.length
	}
}

func (g *group) String() string {
	return fmt.Sprintf("group of %d ops over %d", len(g.code), g.n)
}

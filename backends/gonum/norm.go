package gonum

import (
	"slices"

	"bayesbench/backends/ir"
)

// Batch normalisation is written out in elementwise ops and sums, and so is its
// gradient. Over the axes of a mean, x − mean(x) sums to 0: the gradient of the
// mean, Σ(dy·s + (x − m)·c), is s·Σdy, where Σdy is there already as that of the
// shift, and the gradient of a bias before the normalisation needs no pass over
// the arrays either.

// linearSum is the sum of v over the given axes, t its type, from the sum of one
// part of v where v is linear in that part and in deviations from a mean over
// the same axes. Of an x that is not finite the deviations do not sum to 0; the
// scale of its normalisation is then NaN, and so is the sum.
func (r *rewriter) linearSum(v ir.Value, axes []int, t ir.Type) (ir.Value, bool) {
	if t.Size() == 0 {
		return 0, false
	}
	s := summer{r: r, axes: axes, t: t, count: float64(r.typ(v).Size() / t.Size()), sums: map[ir.Value]ir.Value{}}
	sum := s.of(v)
	if !s.centred || s.leaves != 1 {
		return 0, false // what was emitted, nothing reads
	}
	return sum, true
}

// summer makes a sum from those of its parts.
type summer struct {
	r       *rewriter
	axes    []int
	t       ir.Type
	count   float64               // elements of a sum
	sums    map[ir.Value]ir.Value // of parts; ir.None: 0
	leaves  int                   // parts that are summed
	centred bool                  // a part is a deviation
}

func (s *summer) of(v ir.Value) ir.Value {
	sum, ok := s.sums[v]
	if !ok {
		sum = s.compute(v)
		s.sums[v] = sum
	}
	return sum
}

func (s *summer) compute(v ir.Value) ir.Value {
	r := s.r
	if _, axes, ok := r.deviation(v); ok && slices.Equal(axes, s.axes) {
		s.centred = true
		return ir.None
	}
	if w, ok := s.repeats(v); ok {
		return r.make2(ir.Mul, s.t, w, r.full(s.count, s.t))
	}
	if x, by, ok := s.factor(v); ok {
		if x = s.of(x); x != ir.None {
			return r.make2(ir.Mul, s.t, x, by)
		}
		return ir.None
	}
	switch op := r.op(v); op {
	case ir.Neg:
		if x := s.of(r.arg(v, 0)); x != ir.None {
			return r.make1(ir.Neg, s.t, x)
		}
		return ir.None
	case ir.Add, ir.Sub:
		x, y := s.of(r.arg(v, 0)), s.of(r.arg(v, 1))
		switch {
		case y == ir.None:
			return x
		case x != ir.None:
			return r.make2(op, s.t, x, y)
		case op == ir.Sub:
			return r.make1(ir.Neg, s.t, y)
		}
		return y
	}
	s.leaves++
	return r.emit(ir.Instr{Op: ir.ReduceSum, Args: []ir.Value{v}, Attrs: ir.Attrs{Dims: s.axes}, Type: s.t})
}

// repeats is what v repeats along the axes.
func (s *summer) repeats(v ir.Value) (ir.Value, bool) {
	r := s.r
	if c, ok := r.constant(v); ok {
		return r.full(c, s.t), true
	}
	if r.op(v) != ir.Broadcast || !complement(r.instrs[v].Dims, s.axes, len(r.typ(v).Shape)) {
		return 0, false
	}
	return r.arg(v, 0), r.typ(r.arg(v, 0)).Equal(s.t)
}

// factor takes v as x times what repeats along the axes.
func (s *summer) factor(v ir.Value) (x, by ir.Value, ok bool) {
	if s.r.op(v) != ir.Mul {
		return 0, 0, false
	}
	x, y := s.r.arg(v, 0), s.r.arg(v, 1)
	if by, ok := s.repeats(y); ok {
		return x, by, true
	}
	by, ok = s.repeats(x)
	return y, by, ok
}

// deviation is the x of x − mean(x), and the axes of the mean.
func (r *rewriter) deviation(v ir.Value) (x ir.Value, axes []int, ok bool) {
	if r.op(v) != ir.Sub || r.op(r.arg(v, 1)) != ir.Broadcast {
		return 0, nil, false
	}
	x, wide := r.arg(v, 0), r.arg(v, 1)
	sum, by, ok := r.scaled(r.arg(wide, 0))
	if !ok || r.op(sum) != ir.ReduceSum || r.arg(sum, 0) != x {
		return 0, nil, false
	}
	axes = r.instrs[sum].Dims
	if r.typ(x).Size() == 0 {
		return 0, nil, false
	}
	share := float64(r.typ(sum).Size()) / float64(r.typ(x).Size())
	return x, axes, by == share && complement(r.instrs[wide].Dims, axes, len(r.typ(x).Shape))
}

// complement reports whether dims, ascending, are the axes of n that are not in
// axes, ascending too.
func complement(dims, axes []int, n int) bool {
	if len(dims)+len(axes) != n {
		return false
	}
	for i := range n {
		switch {
		case len(dims) > 0 && dims[0] == i:
			dims = dims[1:]
		case len(axes) > 0 && axes[0] == i:
			axes = axes[1:]
		default:
			return false
		}
	}
	return true
}

// isNormalised reports whether v is a batch-normalised array: deviations from
// their mean, scaled and shifted.
func (r *rewriter) isNormalised(v ir.Value) bool {
	if r.op(v) != ir.Add || r.op(r.arg(v, 1)) != ir.Broadcast {
		return false
	}
	scaled := r.arg(v, 0)
	if r.op(scaled) != ir.Mul || r.op(r.arg(scaled, 1)) != ir.Broadcast {
		return false
	}
	_, _, ok := r.deviation(r.arg(scaled, 0))
	return ok
}

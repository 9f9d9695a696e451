package gonum

import (
	"fmt"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// move copies boxes of elements between arrays of different strides:
// broadcast, transpose, slice, concat and pad.
type move struct {
	e     *executable
	op    ir.Op
	dst   ir.Value
	clear bool // zero what no box covers
	boxes []box
}

// box is one strided copy.
type box struct {
	src         ir.Value
	shape       []int
	from, to    int   // of the first element
	fromStrides []int // 0 along a broadcast axis
	toStrides   []int
	index       []int // of the copy under way
}

func strides(shape []int) []int {
	out := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= shape[i]
	}
	return out
}

func (e *executable) newMove(v ir.Value) instr {
	in := &e.p.Instrs[v]
	m := &move{e: e, op: in.Op, dst: v}
	to := strides(in.Type.Shape)
	at := 0
	for _, a := range in.Args {
		src := e.p.Type(a).Shape
		from := strides(src)
		b := box{src: e.plan.canon[a], shape: src, fromStrides: from, toStrides: to}
		switch in.Op {
		case ir.Broadcast:
			b.shape, b.fromStrides = in.Type.Shape, make([]int, len(to))
			for i, d := range in.Dims {
				b.fromStrides[d] = from[i]
			}
		case ir.Transpose:
			b.shape, b.fromStrides = in.Type.Shape, make([]int, len(to))
			for i, d := range in.Dims {
				b.fromStrides[i] = from[d]
			}
		case ir.Slice:
			b.shape = in.Type.Shape
			for i, lo := range in.Lo {
				b.from += lo * from[i]
			}
		case ir.Pad:
			m.clear = true
			for i, lo := range in.Lo {
				b.to += lo * to[i]
			}
		case ir.Concat:
			b.to = at * to[in.Axis]
			at += src[in.Axis]
		}
		if size := (ir.Type{Shape: b.shape}).Size(); size > 0 {
			b.join()
			m.boxes = append(m.boxes, b)
		}
	}
	return m
}

// join merges neighbouring axes that both arrays walk through without a gap,
// and drops axes of length 1.
func (b *box) join() {
	var shape, from, to []int
	for i, n := range b.shape {
		if n == 1 {
			continue
		}
		last := len(shape) - 1
		if last >= 0 && from[last] == n*b.fromStrides[i] && to[last] == n*b.toStrides[i] {
			shape[last] *= n
			from[last], to[last] = b.fromStrides[i], b.toStrides[i]
			continue
		}
		shape, from, to = append(shape, n), append(from, b.fromStrides[i]), append(to, b.toStrides[i])
	}
	if len(shape) == 0 {
		shape, from, to = []int{1}, []int{1}, []int{1}
	}
	b.shape, b.fromStrides, b.toStrides = shape, from, to
	b.index = make([]int, len(shape))
}

func (m *move) run(e *executable) {
	if dst := e.u32[m.dst]; dst != nil {
		for i := range m.boxes {
			copyBox(&m.boxes[i], dst, e.u32[m.boxes[i].src])
		}
		return
	}
	dst := e.f32[m.dst]
	if m.clear {
		clear(dst)
	}
	for i := range m.boxes {
		b := &m.boxes[i]
		x := e.f32[b.src]
		if len(b.shape) == 2 && b.fromStrides[0] == 1 && b.fromStrides[1] == b.shape[0] && b.toStrides[1] == 1 && b.toStrides[0] == b.shape[1] && b.from == 0 && b.to == 0 {
			kernel.Transpose(dst[:b.shape[0]*b.shape[1]], x[:b.shape[0]*b.shape[1]], b.shape[1], b.shape[0])
			continue
		}
		copyBox(b, dst, x)
	}
}

func copyBox[T any](b *box, dst, src []T) {
	inner := len(b.shape) - 1
	n, sf, st := b.shape[inner], b.fromStrides[inner], b.toStrides[inner]
	clear(b.index)
	from, to := b.from, b.to
	for {
		if sf == 1 && st == 1 {
			copy(dst[to:to+n], src[from:from+n])
		} else {
			f, t := from, to
			for range n {
				dst[t] = src[f]
				f, t = f+sf, t+st
			}
		}
		a := inner - 1
		for ; a >= 0; a-- {
			from, to = from+b.fromStrides[a], to+b.toStrides[a]
			if b.index[a]++; b.index[a] < b.shape[a] {
				break
			}
			from, to = from-b.shape[a]*b.fromStrides[a], to-b.shape[a]*b.toStrides[a]
			b.index[a] = 0
		}
		if a < 0 {
			return
		}
	}
}

func (m *move) reserve(*executable) int { return 0 }

func (m *move) String() string { return fmt.Sprintf("%s %v", m.op, m.e.p.Type(m.dst).Shape) }

// gather takes rows by index.
type gather struct {
	dst, x, idx ir.Value
	row         int // elements
}

func (e *executable) newGather(v ir.Value) instr {
	in := &e.p.Instrs[v]
	return &gather{v, e.plan.canon[in.Args[0]], e.plan.canon[in.Args[1]], ir.Type{Shape: e.p.Type(v).Shape[1:]}.Size()}
}

func (m *gather) run(e *executable) {
	for i, r := range e.u32[m.idx] {
		lo, from := i*m.row, int(r)*m.row
		if dst := e.u32[m.dst]; dst != nil {
			copy(dst[lo:lo+m.row], e.u32[m.x][from:from+m.row])
		} else {
			copy(e.f32[m.dst][lo:lo+m.row], e.f32[m.x][from:from+m.row])
		}
	}
}

func (m *gather) reserve(*executable) int { return 0 }

func (m *gather) String() string { return fmt.Sprintf("gather rows of %d", m.row) }

// oneHot is the indicator of indices.
type oneHot struct {
	dst, idx ir.Value
	classes  int
}

func (e *executable) newOneHot(v ir.Value) instr {
	shape := e.p.Type(v).Shape
	return &oneHot{v, e.plan.canon[e.p.Instrs[v].Args[0]], shape[len(shape)-1]}
}

func (m *oneHot) run(e *executable) {
	dst := e.f32[m.dst]
	clear(dst)
	for i, c := range e.u32[m.idx] {
		if int64(c) < int64(m.classes) {
			dst[i*m.classes+int(c)] = 1
		}
	}
}

func (m *oneHot) reserve(*executable) int { return 0 }

func (m *oneHot) String() string { return fmt.Sprintf("onehot of %d", m.classes) }

package gonum

import (
	"fmt"
	"math"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// reduce sums or maximises over axes. Axes that are alike are merged, so that
// most reductions are over rows, columns, or the outer and inner of three.
type reduce struct {
	e      *executable
	op     ir.Op
	dst, x ir.Value
	axes   []axis // of x, merged; marked are reduced
	split  split
	task   func(task, worker int)
}

func (e *executable) newReduce(v ir.Value) instr {
	in := &e.p.Instrs[v]
	m := &reduce{e: e, op: in.Op, dst: v, x: e.plan.canon[in.Args[0]], axes: mergeAxes(e.p.Type(in.Args[0]).Shape, in.Dims)}
	size := e.plan.size(in.Args[0])
	// n is what tasks are cut along: an axis that is kept.
	n := 1
	for _, a := range m.axes {
		if !a.marked {
			n = a.length
			break
		}
	}
	m.split = e.split(n, size/max(1, n))
	m.task = m.columns
	switch {
	case size == 0 || e.plan.size(v) == 0:
		m.split, m.task = split{1, 1}, m.empty
	case len(m.axes) == 1:
		m.task = m.all
	case len(m.axes) == 2 && m.axes[1].marked:
		m.task = m.rows
	case len(m.axes) == 2:
		// Columns are cut at cache lines.
		m.split = e.split((n+kernel.LineFloats-1)/kernel.LineFloats, size/max(1, n)*kernel.LineFloats)
	case len(m.axes) == 3 && m.axes[0].marked:
		m.task = m.channels
	case len(m.axes) == 3:
		m.task = m.matrices
	default:
		m.split, m.task = split{1, 1}, m.general
	}
	return m
}

func (m *reduce) empty(_, _ int) {
	start := float32(0)
	if m.op == ir.ReduceMax {
		start = float32(math.Inf(-1))
	}
	kernel.Fill(m.e.f32[m.dst], start)
}

func (m *reduce) of(x []float32) float32 {
	if m.op == ir.ReduceMax {
		return kernel.MaxOf(x)
	}
	return kernel.Sum(x)
}

func (m *reduce) overRows(dst, x []float32, rows, ld int) {
	if m.op == ir.ReduceMax {
		kernel.MaxCols(dst, x, rows, ld)
	} else {
		kernel.SumCols(dst, x, rows, ld)
	}
}

func (m *reduce) all(_, _ int) { m.e.f32[m.dst][0] = m.of(m.e.f32[m.x]) }

func (m *reduce) rows(task, _ int) {
	lo, hi := m.split.part(task)
	x, n := m.e.f32[m.x], m.axes[1].length
	for r := lo; r < hi; r++ {
		m.e.f32[m.dst][r] = m.of(x[r*n : (r+1)*n])
	}
}

func (m *reduce) columns(task, _ int) {
	lo, hi := m.split.part(task)
	cols := m.axes[1].length
	lo, hi = lo*kernel.LineFloats, min(hi*kernel.LineFloats, cols)
	m.overRows(m.e.f32[m.dst][lo:hi], m.e.f32[m.x][lo:], m.axes[0].length, cols)
}

// channels keeps the middle of three axes: each image's plane is reduced, then
// the planes in order.
func (m *reduce) channels(task, _ int) {
	lo, hi := m.split.part(task)
	x, images, n := m.e.f32[m.x], m.axes[0].length, m.axes[2].length
	stride := m.axes[1].length * n
	for c := lo; c < hi; c++ {
		at := c * n
		if m.op == ir.ReduceMax {
			best := kernel.MaxOf(x[at : at+n])
			for i := 1; i < images; i++ {
				best = max(best, kernel.MaxOf(x[at+i*stride:at+i*stride+n]))
			}
			m.e.f32[m.dst][c] = best
			continue
		}
		var s float64
		for i := range images {
			s += float64(kernel.Sum(x[at+i*stride : at+i*stride+n]))
		}
		m.e.f32[m.dst][c] = float32(s)
	}
}

// matrices reduces the middle of three axes.
func (m *reduce) matrices(task, _ int) {
	lo, hi := m.split.part(task)
	rows, cols := m.axes[1].length, m.axes[2].length
	for i := lo; i < hi; i++ {
		m.overRows(m.e.f32[m.dst][i*cols:(i+1)*cols], m.e.f32[m.x][i*rows*cols:], rows, cols)
	}
}

// general reduces any axes, element by element: four or more alternations.
func (m *reduce) general(_, _ int) {
	m.empty(0, 0)
	dst := m.e.f32[m.dst]
	strides := make([]int, len(m.axes)) // of the result; 0 along what is reduced
	for i, stride := len(m.axes)-1, 1; i >= 0; i-- {
		if !m.axes[i].marked {
			strides[i] = stride
			stride *= m.axes[i].length
		}
	}
	for i, x := range m.e.f32[m.x] {
		to := 0
		for a := len(m.axes) - 1; a >= 0; a-- {
			to += i % m.axes[a].length * strides[a]
			i /= m.axes[a].length
		}
		if m.op == ir.ReduceMax {
			dst[to] = max(dst[to], x)
		} else {
			dst[to] += x
		}
	}
}

func (m *reduce) run(e *executable) { e.be.pool.Run(m.split.tasks, m.task) }

func (m *reduce) reserve(*executable) int { return 0 }

func (m *reduce) String() string { return fmt.Sprintf("%s over %v", m.op, m.axes) }

package gonum

import (
	"fmt"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// product is a matrix product, with a row bias for Linear.
type product struct {
	g             kernel.Gemm
	c, a, b, bias ir.Value      // bias may be ir.None
	bands         *kernel.Bands // in a strand
}

func (e *executable) newProduct(v ir.Value) *product {
	in := &e.p.Instrs[v]
	m := &product{c: v, g: e.plan.product(v), bias: ir.None}
	if in.Op == ir.Linear {
		m.bias = e.plan.canon[in.Args[2]]
	}
	m.a, m.g.MapA = e.plan.mapped(v, in.Args[0])
	m.b, m.g.MapB = e.plan.mapped(v, in.Args[1])
	return m
}

// product is the shape of the product v.
func (pl *plan) product(v ir.Value) kernel.Gemm {
	in := &pl.p.Instrs[v]
	x, y := pl.p.Type(in.Args[0]).Shape, in.Type.Shape
	g := kernel.Gemm{M: y[0], N: y[1], K: x[1], TransA: in.TransA, TransB: in.TransB || in.Op == ir.Linear}
	if g.TransA {
		g.K = x[0]
	}
	return g
}

func (m *product) run(e *executable) {
	e.be.pool.Gemm(&m.g, e.f32[m.c], e.f32[m.a], e.f32[m.b], m.epilogue(e))
}

func (m *product) epilogue(e *executable) kernel.Bias {
	if m.bias == ir.None {
		return kernel.Bias{}
	}
	return kernel.Bias{Row: e.f32[m.bias]}
}

func (m *product) reserve(e *executable) int {
	if m.g.M*m.g.N*m.g.K == 0 {
		return 0
	}
	return e.be.pool.GemmScratch(&m.g)
}

func (m *product) String() string {
	return fmt.Sprintf("product %dx%dx%d transA=%t transB=%t", m.g.M, m.g.N, m.g.K, m.g.TransA, m.g.TransB)
}

// conv is a convolution or one of its gradients.
type conv struct {
	c         kernel.Conv
	op        ir.Op
	dst, a, b ir.Value
	bias      ir.Value // or ir.None
}

func (e *executable) newConv(v ir.Value) instr {
	dst, bias := v, ir.None
	if b, ok := e.plan.bias[v]; ok {
		v, bias = b.conv, b.bias
	}
	in := &e.p.Instrs[v]
	if bias == ir.None && (e.plan.size(in.Args[0]) == 0 || e.plan.size(in.Args[1]) == 0) {
		return &zeros{v} // sums of nothing
	}
	x, w := e.p.Type(in.Args[0]).Shape, e.p.Type(in.Args[1]).Shape
	switch in.Op {
	case ir.Conv2DDX:
		x = in.Type.Shape
	case ir.Conv2DDW:
		w = in.Type.Shape
	}
	win := in.Window
	m := &conv{op: in.Op, dst: dst, bias: bias, c: kernel.Conv{
		N: x[0], C: x[1], H: x[2], W: x[3], O: w[0], KH: w[2], KW: w[3],
		StrideH: win.Stride[0], StrideW: win.Stride[1], PadH: win.Pad[0], PadW: win.Pad[1], Groups: win.Groups,
	}}
	var mapA, mapB kernel.UnaryOp
	m.a, mapA = e.plan.mapped(v, in.Args[0])
	m.b, mapB = e.plan.mapped(v, in.Args[1])
	switch in.Op {
	case ir.Conv2D:
		m.c.MapX, m.c.MapW = mapA, mapB
		// Rounding must not make a variance negative.
		m.c.Relu = bias == ir.None && e.plan.nonNegative[in.Args[0]] && e.plan.nonNegative[in.Args[1]]
	case ir.Conv2DDX:
		m.c.MapW = mapB
	case ir.Conv2DDW:
		m.c.MapX = mapA
	}
	return m
}

func (m *conv) run(e *executable) {
	dst, a, b := e.f32[m.dst], e.f32[m.a], e.f32[m.b]
	switch m.op {
	case ir.Conv2D:
		var bias []float32
		if m.bias != ir.None {
			bias = e.f32[m.bias]
		}
		e.be.pool.Conv(&m.c, dst, a, b, bias)
	case ir.Conv2DDX:
		e.be.pool.ConvGradInput(&m.c, dst, a, b)
	case ir.Conv2DDW:
		e.be.pool.ConvGradWeights(&m.c, dst, a, b)
	}
}

// scratch is what a convolution needs, for all workers and for each.
func (m *conv) scratch(e *executable) kernel.Scratch {
	switch m.op {
	case ir.Conv2D:
		return e.be.pool.ConvScratch(&m.c)
	case ir.Conv2DDX:
		return e.be.pool.ConvGradInputScratch(&m.c)
	}
	return e.be.pool.ConvGradWeightsScratch(&m.c)
}

func (m *conv) reserve(e *executable) int { return m.scratch(e).Shared }

func (m *conv) String() string {
	return fmt.Sprintf("%s %dx%dx%dx%d to %d by %dx%d", m.op, m.c.N, m.c.C, m.c.H, m.c.W, m.c.O, m.c.KH, m.c.KW)
}

// zeros is a value that is 0 throughout.
type zeros struct{ dst ir.Value }

func (m *zeros) run(e *executable)       { clear(e.f32[m.dst]) }
func (m *zeros) reserve(*executable) int { return 0 }
func (m *zeros) String() string          { return "zeros" }

// window is a pool or its gradient.
type window struct {
	w         kernel.Window
	op        ir.Op
	dst, a, b ir.Value // b of the maximum's gradient only
}

func (e *executable) newWindow(v ir.Value) instr {
	in := &e.p.Instrs[v]
	m := &window{op: in.Op, dst: v, a: e.plan.canon[in.Args[0]], w: e.plan.window(v)}
	if in.Op == ir.MaxPoolGrad {
		m.b = e.plan.canon[in.Args[1]]
	}
	return m
}

// window is the geometry of pooling v, or of pooling whose gradient is v.
func (pl *plan) window(v ir.Value) kernel.Window {
	in := &pl.p.Instrs[v]
	x := pl.p.Type(in.Args[0]).Shape
	if in.Op == ir.AvgPoolGrad {
		x = in.Type.Shape
	}
	return kernel.Window{
		Planes: x[0] * x[1], H: x[2], W: x[3], KH: in.Window.Kernel[0], KW: in.Window.Kernel[1],
		StrideH: in.Window.Stride[0], StrideW: in.Window.Stride[1], PadH: in.Window.Pad[0], PadW: in.Window.Pad[1],
	}
}

func (m *window) run(e *executable) {
	dst, a := e.f32[m.dst], e.f32[m.a]
	switch m.op {
	case ir.MaxPool:
		e.be.pool.MaxPool(&m.w, dst, a)
	case ir.MaxPoolGrad:
		e.be.pool.MaxPoolGrad(&m.w, dst, a, e.f32[m.b])
	case ir.AvgPool:
		e.be.pool.AvgPool(&m.w, dst, a)
	case ir.AvgPoolGrad:
		e.be.pool.AvgPoolGrad(&m.w, dst, a)
	}
}

func (m *window) reserve(*executable) int { return 0 }

func (m *window) String() string {
	return fmt.Sprintf("%s %dx%d of %d planes %dx%d", m.op, m.w.KH, m.w.KW, m.w.Planes, m.w.H, m.w.W)
}

// logSoftmax is the composite over rows.
type logSoftmax struct {
	e          *executable
	dst, x     ir.Value
	rows, cols int
	split      split
	task       func(task, worker int)
}

func (e *executable) newLogSoftmax(v ir.Value) instr {
	shape := e.p.Type(v).Shape
	m := &logSoftmax{e: e, dst: v, x: e.plan.canon[e.p.Instrs[v].Args[0]], cols: shape[len(shape)-1]}
	m.rows = e.plan.size(v) / m.cols
	m.split = e.split(m.rows, m.cols)
	m.task = m.doTask
	return m
}

func (m *logSoftmax) doTask(task, _ int) {
	lo, hi := m.split.part(task)
	kernel.LogSoftmax(m.e.f32[m.dst][lo*m.cols:hi*m.cols], m.e.f32[m.x][lo*m.cols:hi*m.cols], hi-lo, m.cols)
}

func (m *logSoftmax) run(e *executable) { e.be.pool.Run(m.split.tasks, m.task) }

func (m *logSoftmax) reserve(*executable) int { return 0 }

func (m *logSoftmax) String() string { return fmt.Sprintf("log_softmax %dx%d", m.rows, m.cols) }

// split cuts n independent items into tasks.
type split struct{ n, tasks int }

// split makes tasks of at least taskFloats, each item worth weight floats.
func (e *executable) split(n, weight int) split {
	tasks := min(n, 1+n*weight/taskFloats, 4*e.be.pool.Workers())
	return split{n, max(1, tasks)}
}

func (s split) part(task int) (lo, hi int) { return task * s.n / s.tasks, (task + 1) * s.n / s.tasks }

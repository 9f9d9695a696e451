package gomlx

import (
	mlx "github.com/gomlx/gomlx/backends"

	"bayesbench/backends/ir"
)

// reduceWindow reduces the windows of x.
func (e *emitter) reduceWindow(x mlx.Op, op mlx.ReduceOpType, kernel, stride [2]int, pads [2][2]int) mlx.Op {
	return e.do(e.b.ReduceWindow(x, op, []int{1, 1, kernel[0], kernel[1]}, []int{1, 1, stride[0], stride[1]},
		[]int{1, 1, 1, 1}, []int{1, 1, 1, 1}, [][2]int{{}, {}, pads[0], pads[1]}))
}

func bothSides(pad [2]int) [2][2]int { return [2][2]int{{pad[0], pad[0]}, {pad[1], pad[1]}} }

func maxPool(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w := in.Window
	return e.reduceWindow(x[0], mlx.ReduceOpMax, w.Kernel, w.Stride, bothSides(w.Pad))
}

// maxPoolGrad finds for every window which of its elements is the maximum (the
// first one, or the first NaN), by comparing the k-th elements of all windows,
// a strided slice of x, with the best so far, for each k in turn. The gradient
// goes to that k's elements. Comparing with the pool's result instead would not
// do: XLA may compute x twice, in two fusions that round otherwise.
func maxPoolGrad(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	a, g, w := x[0], x[1], in.Window
	size, out := in.Type.Shape, e.dims(g)
	padded := w.Pad != [2]int{}

	// What the windows reach, from the padding before to the last window's end.
	lo, hi := make([]int, 4), make([]int, 4)
	reach := append([]int(nil), size...)
	for i := range 2 {
		lo[2+i] = w.Pad[i]
		hi[2+i] = max(0, (out[2+i]-1)*w.Stride[i]+w.Kernel[i]-w.Pad[i]-size[2+i])
		reach[2+i] += lo[2+i] + hi[2+i]
	}
	inside := e.pad(e.full(1, in.Type), lo, hi, nil)
	a = e.pad(a, lo, hi, nil)

	// The window's elements in row-major order, as slices.
	type slice struct{ from, to []int }
	var elements []slice
	for kh := range w.Kernel[0] {
		for kw := range w.Kernel[1] {
			elements = append(elements, slice{[]int{0, 0, kh, kw},
				[]int{out[0], out[1], kh + (out[2]-1)*w.Stride[0] + 1, kw + (out[3]-1)*w.Stride[1] + 1}})
		}
	}
	number := func(k int) mlx.Op { return e.full(float64(k), ir.Float(out...)) }
	not := func(x mlx.Op) mlx.Op { return e.do(e.b.LogicalNot(x)) }
	and := func(x, z mlx.Op) mlx.Op { return e.do(e.b.LogicalAnd(x, z)) }
	equal := func(x, z mlx.Op) mlx.Op { return e.do(e.b.Equal(x, z)) }
	none := number(-1)
	best, chosen := e.full(0, ir.Float(out...)), none
	for k, s := range elements {
		at := func(x mlx.Op) mlx.Op { return e.slice(x, s.from, s.to, []int{1, 1, w.Stride[0], w.Stride[1]}) }
		v := at(a)
		better := and(not(e.do(e.b.LessOrEqual(v, best))), equal(best, best))
		if padded {
			better = e.do(e.b.LogicalOr(better, equal(chosen, none)))
			better = and(better, e.do(e.b.GreaterThan(at(inside), e.scalar(0))))
		} else if k == 0 {
			best, chosen = v, number(0)
			continue
		}
		best = e.do(e.b.Where(better, v, best))
		chosen = e.do(e.b.Where(better, number(k), chosen))
	}

	var dx mlx.Op
	for k, s := range elements {
		after := make([]int, 4)
		for i := range after {
			after[i] = reach[i] - s.to[i]
		}
		part := e.do(e.b.Where(equal(chosen, number(k)), g, number(0)))
		part = e.pad(part, s.from, after, []int{0, 0, w.Stride[0] - 1, w.Stride[1] - 1})
		if dx == nil {
			dx = part
		} else {
			dx = e.do(e.b.Add(dx, part))
		}
	}
	for i := range hi {
		hi[i] = lo[i] + size[i]
	}
	return e.cut(dx, lo, hi)
}

func area(w ir.Window) float64 { return float64(w.Kernel[0] * w.Kernel[1]) }

func avgPool(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w := in.Window
	sum := e.reduceWindow(x[0], mlx.ReduceOpSum, w.Kernel, w.Stride, bothSides(w.Pad))
	return e.do(e.b.Div(sum, e.scalar(area(w))))
}

// avgPoolGrad spreads g out by the stride and sums the windows that cover an
// element: dx[h] = Σ_k g[(h+pad−k)/stride] / area.
func avgPoolGrad(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w, g := in.Window, x[0]
	out := e.dims(g)
	lo, hi := make([]int, 4), make([]int, 4)
	for i := range 2 {
		spread := (out[2+i]-1)*w.Stride[i] + 1
		lo[2+i] = w.Kernel[i] - 1 - w.Pad[i]
		hi[2+i] = in.Type.Shape[2+i] + w.Kernel[i] - 1 - lo[2+i] - spread
	}
	g = e.pad(e.do(e.b.Div(g, e.scalar(area(w)))), lo, hi, []int{0, 0, w.Stride[0] - 1, w.Stride[1] - 1})
	return e.reduceWindow(g, mlx.ReduceOpSum, w.Kernel, [2]int{1, 1}, [2][2]int{})
}

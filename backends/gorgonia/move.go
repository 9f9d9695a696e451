package gorgonia

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
)

// strides are those of a row-major array.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// rows visits the rows of the shape in order, with the positions of their
// starts in two arrays of the strides given. A scalar is one row.
func rows(shape, as, bs []int, a, b int, f func(a, b int)) {
	if len(shape) <= 1 {
		f(a, b)
		return
	}
	for range shape[0] {
		rows(shape[1:], as[1:], bs[1:], a, b, f)
		a, b = a+as[0], b+bs[0]
	}
}

// row is the length and the strides of a row.
func row(shape, as, bs []int) (n, a, b int) {
	if len(shape) == 0 {
		return 1, 1, 1
	}
	last := len(shape) - 1
	return shape[last], as[last], bs[last]
}

// moved copies the elements of a shape between strided arrays.
func moved(shape, to, from []int, toStart, fromStart int, y, x array) {
	if y.u != nil {
		move(shape, to, from, toStart, fromStart, y.u, x.u)
		return
	}
	move(shape, to, from, toStart, fromStart, y.f, x.f)
}

func move[T any](shape, to, from []int, toStart, fromStart int, y, x []T) {
	n, sa, sb := row(shape, to, from)
	rows(shape, to, from, toStart, fromStart, func(a, b int) {
		switch {
		case sa == 1 && sb == 1:
			copy(y[a:a+n], x[b:b+n])
		case sa == 1 && sb == 0:
			v := x[b]
			for i := range y[a : a+n] {
				y[a+i] = v
			}
		default:
			for range n {
				y[a] = x[b]
				a, b = a+sa, b+sb
			}
		}
	})
}

// at is the position of an index.
func at(strides, index []int) int {
	p := 0
	for i, s := range strides {
		p += s * index[i]
	}
	return p
}

func reshape(*ir.Instr, []ir.Type) func(y array, x []array) {
	return func(y array, x []array) {
		copy(y.f, x[0].f)
		copy(y.u, x[0].u)
	}
}

func broadcast(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	shape := in.Type.Shape
	from := make([]int, len(shape))
	for i, s := range strides(types[0].Shape) {
		from[in.Dims[i]] = s
	}
	return func(y array, x []array) { moved(shape, strides(shape), from, 0, 0, y, x[0]) }
}

func transpose(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	shape := in.Type.Shape
	from := make([]int, len(shape))
	for i, d := range in.Dims {
		from[i] = strides(types[0].Shape)[d]
	}
	return func(y array, x []array) { moved(shape, strides(shape), from, 0, 0, y, x[0]) }
}

func slice(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	shape, from := in.Type.Shape, strides(types[0].Shape)
	return func(y array, x []array) { moved(shape, strides(shape), from, 0, at(from, in.Lo), y, x[0]) }
}

func pad(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	shape, to := types[0].Shape, strides(in.Type.Shape)
	return func(y array, x []array) {
		clear(y.f)
		moved(shape, to, strides(shape), at(to, in.Lo), 0, y, x[0])
	}
}

// concat joins those of xs that have elements, whose types the result's tells
// but for the axis.
func (e *emitter) concat(t ir.Type, axis int, xs []*node) *node {
	var parts []*node
	var types []ir.Type
	for _, x := range xs {
		if x != nil {
			parts = append(parts, x)
			types = append(types, ir.Float(x.Shape()...))
		}
	}
	to := strides(t.Shape)
	return e.apply(fmt.Sprintf("concat %d", axis), t, func(y array, x []array) {
		start := 0
		for i, part := range x {
			moved(types[i].Shape, to, strides(types[i].Shape), start, 0, y, part)
			start += types[i].Shape[axis] * to[axis]
		}
	}, parts, types...)
}

func gather(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	width := in.Type.Size() / in.Type.Shape[0]
	return func(y array, x []array) {
		for i, r := range x[1].u {
			if y.u != nil {
				copy(y.u[i*width:(i+1)*width], x[0].u[int(r)*width:])
			} else {
				copy(y.f[i*width:(i+1)*width], x[0].f[int(r)*width:])
			}
		}
	}
}

func oneHot(in *ir.Instr, _ []ir.Type) func(y array, x []array) {
	classes := in.Type.Shape[in.Type.Rank()-1]
	return func(y array, x []array) {
		clear(y.f)
		for i, c := range x[0].u {
			if int(c) < classes {
				y.f[i*classes+int(c)] = 1
			}
		}
	}
}

func reduceMax(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	shape := types[0].Shape
	to := make([]int, len(shape)) // 0 along the reduced axes
	left := strides(in.Type.Shape)
	dropped := in.Dims
	for i := range shape {
		if len(dropped) > 0 && dropped[0] == i {
			dropped = dropped[1:]
		} else {
			to[i], left = left[0], left[1:]
		}
	}
	return func(y array, x []array) {
		for i := range y.f {
			y.f[i] = float32(math.Inf(-1))
		}
		from := strides(shape)
		n, step, _ := row(shape, to, from)
		rows(shape, to, from, 0, 0, func(a, b int) {
			for _, v := range x[0].f[b : b+n] {
				y.f[a] = max(y.f[a], v)
				a += step
			}
		})
	}
}

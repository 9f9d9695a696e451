package ref

import (
	"math"

	"bayesbench/backends/ir"
)

func broadcast(in *ir.Instr, x []Value) Value {
	from := make([]int, len(in.Dims))
	return pick(in.Type, x[0], func(idx []int) int {
		for i, d := range in.Dims {
			from[i] = idx[d]
		}
		return at(x[0].Type.Shape, from...)
	})
}

func reshape(in *ir.Instr, x []Value) Value {
	return Value{Type: in.Type, F: x[0].F, U: x[0].U}
}

func transpose(in *ir.Instr, x []Value) Value {
	from := make([]int, len(in.Dims))
	return pick(in.Type, x[0], func(idx []int) int {
		for i, d := range in.Dims {
			from[d] = idx[i]
		}
		return at(x[0].Type.Shape, from...)
	})
}

func slice(in *ir.Instr, x []Value) Value {
	from := make([]int, len(in.Lo))
	return pick(in.Type, x[0], func(idx []int) int {
		for i := range idx {
			from[i] = in.Lo[i] + idx[i]
		}
		return at(x[0].Type.Shape, from...)
	})
}

func pad(in *ir.Instr, x []Value) Value {
	from := make([]int, len(in.Lo))
	return pick(in.Type, x[0], func(idx []int) int {
		for i := range idx {
			from[i] = idx[i] - in.Lo[i]
			if from[i] < 0 || from[i] >= x[0].Type.Shape[i] {
				return outside
			}
		}
		return at(x[0].Type.Shape, from...)
	})
}

func concat(in *ir.Instr, x []Value) Value {
	y := Zeros(in.Type)
	start := 0
	for _, part := range x {
		each(part.Type.Shape, func(i int, idx []int) {
			to := append([]int(nil), idx...)
			to[in.Axis] += start
			y.F[at(in.Type.Shape, to...)] = part.F[i]
		})
		start += part.Type.Shape[in.Axis]
	}
	return y
}

func gather(in *ir.Instr, x []Value) Value {
	rows, idx := x[0], x[1].U
	from := make([]int, len(rows.Type.Shape))
	return pick(in.Type, rows, func(i []int) int {
		copy(from, i)
		from[0] = int(idx[i[0]])
		if from[0] >= rows.Type.Shape[0] {
			panic("ref: gather: index out of range")
		}
		return at(rows.Type.Shape, from...)
	})
}

func oneHot(in *ir.Instr, x []Value) Value {
	y := Zeros(in.Type)
	classes := in.Type.Shape[len(in.Type.Shape)-1]
	for i, c := range x[0].U {
		if int(c) < classes {
			y.F[i*classes+int(c)] = 1
		}
	}
	return y
}

func reduceSum(in *ir.Instr, x []Value) Value { return reduce(in, x[0], 0, add) }
func reduceMax(in *ir.Instr, x []Value) Value { return reduce(in, x[0], math.Inf(-1), larger) }

// reduce folds the axes in.Dims of x with f.
func reduce(in *ir.Instr, x Value, start float64, f func(x, z float64) float64) Value {
	dropped := make([]bool, len(x.Type.Shape))
	for _, d := range in.Dims {
		dropped[d] = true
	}
	y := fill(in.Type, start)
	each(x.Type.Shape, func(i int, idx []int) {
		var kept []int
		for a, j := range idx {
			if !dropped[a] {
				kept = append(kept, j)
			}
		}
		to := at(in.Type.Shape, kept...)
		y.F[to] = f(y.F[to], x.F[i])
	})
	return y
}

package ref

import (
	"fmt"

	"bayesbench/backends/ir"
)

// Value is a tensor in host memory, row-major. F holds the elements of an f32
// type, in float64; U those of a u32 type.
type Value struct {
	Type ir.Type
	F    []float64
	U    []uint32
}

// Zeros is the value of type t with every element zero.
func Zeros(t ir.Type) Value {
	if t.DType == ir.U32 {
		return Value{Type: t, U: make([]uint32, t.Size())}
	}
	return Value{Type: t, F: make([]float64, t.Size())}
}

// Float is the f32 value with the given elements.
func Float(elements []float64, shape ...int) Value {
	return Value{Type: ir.Float(shape...), F: elements}
}

// Uint is the u32 value with the given elements.
func Uint(elements []uint32, shape ...int) Value {
	return Value{Type: ir.Uint(shape...), U: elements}
}

// check reports elements that do not fit the type.
func (v Value) check() error {
	want := [2]int{v.Type.Size(), 0}
	if v.Type.DType == ir.U32 {
		want = [2]int{0, v.Type.Size()}
	}
	if found := [2]int{len(v.F), len(v.U)}; found != want {
		return fmt.Errorf("%s: want %d f32 and %d u32 elements, found %d and %d", v.Type, want[0], want[1], found[0], found[1])
	}
	return nil
}

// each calls f for every index of the shape in row-major order, with its
// position i. f must not keep idx.
func each(shape []int, f func(i int, idx []int)) {
	idx := make([]int, len(shape))
	for i := range ir.Float(shape...).Size() {
		f(i, idx)
		for a := len(idx) - 1; a >= 0; a-- {
			if idx[a]++; idx[a] < shape[a] {
				break
			}
			idx[a] = 0
		}
	}
}

// at is the position of an index in a shape.
func at(shape []int, idx ...int) int {
	p := 0
	for a, n := range shape {
		p = p*n + idx[a]
	}
	return p
}

// outside is a position that pick takes as an element of zero.
const outside = -1

// pick makes the value of type t whose element idx is x's element from(idx).
func pick(t ir.Type, x Value, from func(idx []int) int) Value {
	y := Zeros(t)
	each(t.Shape, func(i int, idx []int) {
		switch p := from(idx); {
		case p == outside:
		case t.DType == ir.U32:
			y.U[i] = x.U[p]
		default:
			y.F[i] = x.F[p]
		}
	})
	return y
}

package ref

import "bayesbench/backends/ir"

func matMul(in *ir.Instr, x []Value) Value {
	a, b := x[0], x[1]
	m, n, inner := in.Type.Shape[0], in.Type.Shape[1], a.Type.Shape[1]
	if in.TransA {
		inner = a.Type.Shape[0]
	}
	// entry (i, j) of op(v)
	entry := func(v Value, trans bool, i, j int) float64 {
		if trans {
			i, j = j, i
		}
		return v.F[i*v.Type.Shape[1]+j]
	}
	y := Zeros(in.Type)
	for i := range m {
		for j := range n {
			for k := range inner {
				y.F[i*n+j] += entry(a, in.TransA, i, k) * entry(b, in.TransB, k, j)
			}
		}
	}
	return y
}

// The three convolutions are one sum of products x[…]·w[…]·g[…], each with one
// factor left out: products calls f with the positions of every such triple.
func products(win ir.Window, x, w, g ir.Type, f func(xi, wi, gi int)) {
	filters := w.Shape[0] / win.Groups // of one group
	channels, kh, kw := w.Shape[1], w.Shape[2], w.Shape[3]
	each(g.Shape, func(gi int, out []int) {
		n, o := out[0], out[1]
		top, left := out[2]*win.Stride[0]-win.Pad[0], out[3]*win.Stride[1]-win.Pad[1]
		for c := range channels {
			xc := o/filters*channels + c // in x
			for i := range kh {
				for j := range kw {
					if h, v := top+i, left+j; h >= 0 && h < x.Shape[2] && v >= 0 && v < x.Shape[3] {
						xi := ((n*x.Shape[1]+xc)*x.Shape[2]+h)*x.Shape[3] + v
						wi := ((o*channels+c)*kh+i)*kw + j
						f(xi, wi, gi)
					}
				}
			}
		}
	})
}

func conv2D(in *ir.Instr, a []Value) Value {
	x, w, y := a[0], a[1], Zeros(in.Type)
	products(in.Window, x.Type, w.Type, y.Type, func(xi, wi, yi int) { y.F[yi] += x.F[xi] * w.F[wi] })
	return y
}

func conv2DDX(in *ir.Instr, a []Value) Value {
	g, w, dx := a[0], a[1], Zeros(in.Type)
	products(in.Window, dx.Type, w.Type, g.Type, func(xi, wi, gi int) { dx.F[xi] += g.F[gi] * w.F[wi] })
	return dx
}

func conv2DDW(in *ir.Instr, a []Value) Value {
	x, g, dw := a[0], a[1], Zeros(in.Type)
	products(in.Window, x.Type, dw.Type, g.Type, func(xi, wi, gi int) { dw.F[wi] += x.F[xi] * g.F[gi] })
	return dw
}

// windows calls f for every output position of a pool with the positions of
// its window that lie within the input, in row-major order: one at least.
func windows(win ir.Window, x, y ir.Type, f func(yi int, xs []int)) {
	each(y.Shape, func(yi int, out []int) {
		var xs []int
		each(win.Kernel[:], func(_ int, k []int) {
			h := out[2]*win.Stride[0] - win.Pad[0] + k[0]
			v := out[3]*win.Stride[1] - win.Pad[1] + k[1]
			if h >= 0 && h < x.Shape[2] && v >= 0 && v < x.Shape[3] {
				xs = append(xs, at(x.Shape, out[0], out[1], h, v))
			}
		})
		f(yi, xs)
	})
}

// firstMax is the position of the first maximum of x among xs, or of the first
// NaN if there is one.
func firstMax(x []float64, xs []int) int {
	best := xs[0]
	for _, i := range xs {
		if x[best] != x[best] {
			break
		}
		if x[i] > x[best] || x[i] != x[i] {
			best = i
		}
	}
	return best
}

func maxPool(in *ir.Instr, a []Value) Value {
	x, y := a[0], Zeros(in.Type)
	windows(in.Window, x.Type, y.Type, func(yi int, xs []int) { y.F[yi] = x.F[firstMax(x.F, xs)] })
	return y
}

func maxPoolGrad(in *ir.Instr, a []Value) Value {
	x, g, dx := a[0], a[1], Zeros(in.Type)
	windows(in.Window, x.Type, g.Type, func(gi int, xs []int) { dx.F[firstMax(x.F, xs)] += g.F[gi] })
	return dx
}

// The mean is over the whole window: padding counts as zeros.

func avgPool(in *ir.Instr, a []Value) Value {
	x, y := a[0], Zeros(in.Type)
	area := float64(in.Window.Kernel[0] * in.Window.Kernel[1])
	windows(in.Window, x.Type, y.Type, func(yi int, xs []int) {
		for _, xi := range xs {
			y.F[yi] += x.F[xi] / area
		}
	})
	return y
}

func avgPoolGrad(in *ir.Instr, a []Value) Value {
	g, dx := a[0], Zeros(in.Type)
	area := float64(in.Window.Kernel[0] * in.Window.Kernel[1])
	windows(in.Window, dx.Type, g.Type, func(gi int, xs []int) {
		for _, xi := range xs {
			dx.F[xi] += g.F[gi] / area
		}
	})
	return dx
}

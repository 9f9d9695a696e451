package gorgonia

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"bayesbench/backends/ir"
)

// Convolutions, group by group: a group is a slice of channels and of filters.

// group is the i-th of n equal parts of x along the axis.
func (e *emitter) group(x *node, t ir.Type, axis, i, n int) (*node, ir.Type) {
	if n == 1 {
		return x, t
	}
	lo, hi := make([]int, t.Rank()), append([]int(nil), t.Shape...)
	part := t.Shape[axis] / n
	lo[axis], hi[axis] = i*part, (i+1)*part
	shape := append([]int(nil), t.Shape...)
	shape[axis] = part
	to := ir.Float(shape...)
	in := &ir.Instr{Op: ir.Slice, Attrs: ir.Attrs{Lo: lo, Hi: hi}, Type: to}
	return e.custom(in, slice, []ir.Type{t}, x), to
}

// join is the inverse of group.
func (e *emitter) join(t ir.Type, axis int, parts []*node) *node {
	if len(parts) == 1 {
		return parts[0]
	}
	return e.concat(t, axis, parts)
}

func conv2D(e *emitter, in *ir.Instr, x []*node) *node {
	w := in.Window
	parts := make([]*node, w.Groups)
	for i := range parts {
		a, _ := e.group(x[0], e.p.Type(in.Args[0]), 1, i, w.Groups)
		f, tf := e.group(x[1], e.p.Type(in.Args[1]), 0, i, w.Groups)
		parts[i] = e.do(gorgonia.Conv2d(a, f, tensor.Shape{tf.Shape[2], tf.Shape[3]}, w.Pad[:], w.Stride[:], []int{1, 1}))
	}
	return e.join(in.Type, 1, parts)
}

// rows is g[n o h w] as [n·h·w o]: a row for each position of the windows.
func (e *emitter) rows(g *node, t ir.Type) (*node, ir.Type) {
	s := t.Shape
	to := ir.Float(s[0], s[2], s[3], s[1])
	in := &ir.Instr{Op: ir.Transpose, Attrs: ir.Attrs{Dims: []int{0, 2, 3, 1}}, Type: to}
	return e.reshaped(e.custom(in, transpose, []ir.Type{t}, g), to, s[0]*s[2]*s[3], s[1]), ir.Float(s[0]*s[2]*s[3], s[1])
}

// matrix is w[o c kh kw] as [o c·kh·kw].
func matrix(t ir.Type) ir.Type { return ir.Float(t.Shape[0], t.Shape[1]*t.Shape[2]*t.Shape[3]) }

// patches calls f for every element of the windows over x[n c h w] that lies
// within x: its position there, and in the matrix [n·h·w c·kh·kw] of im2col.
func patches(win ir.Window, x ir.Type, kernel, out [2]int, f func(x, col int)) {
	n, c, h, w := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	width := c * kernel[0] * kernel[1]
	for i := range n {
		for p := range out[0] * out[1] {
			top, left := p/out[1]*win.Stride[0]-win.Pad[0], p%out[1]*win.Stride[1]-win.Pad[1]
			col := (i*out[0]*out[1] + p) * width
			for ch := range c {
				for kh := range kernel[0] {
					y := top + kh
					if y >= 0 && y < h {
						base := ((i*c+ch)*h+y)*w + left
						for kw := max(0, -left); kw < kernel[1] && left+kw < w; kw++ {
							f(base+kw, col+kw)
						}
					}
					col += kernel[1]
				}
			}
		}
	}
}

// conv2DDX spreads the products of g with the filters over the windows.
func conv2DDX(e *emitter, in *ir.Instr, x []*node) *node {
	win := in.Window
	parts := make([]*node, win.Groups)
	part := in.Type
	if win.Groups > 1 {
		part = ir.Float(in.Type.Shape[0], in.Type.Shape[1]/win.Groups, in.Type.Shape[2], in.Type.Shape[3])
	}
	for i := range parts {
		g, tg := e.group(x[0], e.p.Type(in.Args[0]), 1, i, win.Groups)
		w, tw := e.group(x[1], e.p.Type(in.Args[1]), 0, i, win.Groups)
		kernel, out := [2]int(tw.Shape[2:]), [2]int(tg.Shape[2:])
		r, tr := e.rows(g, tg)
		cols := e.product(r, tr, e.reshaped(w, tw, matrix(tw).Shape...), matrix(tw))
		tc := ir.Float(tr.Shape[0], matrix(tw).Shape[1])
		parts[i] = e.apply(fmt.Sprintf("col2im %v %v", kernel, win), part, func(y array, x []array) {
			clear(y.f)
			patches(win, part, kernel, out, func(at, col int) { y.f[at] += x[0].f[col] })
		}, []*node{cols}, tc)
	}
	return e.join(in.Type, 1, parts)
}

// conv2DDW is the product of g with the windows of x.
func conv2DDW(e *emitter, in *ir.Instr, x []*node) *node {
	win := in.Window
	parts := make([]*node, win.Groups)
	part := ir.Float(in.Type.Shape[0]/win.Groups, in.Type.Shape[1], in.Type.Shape[2], in.Type.Shape[3])
	for i := range parts {
		a, ta := e.group(x[0], e.p.Type(in.Args[0]), 1, i, win.Groups)
		g, tg := e.group(x[1], e.p.Type(in.Args[1]), 1, i, win.Groups)
		kernel, out := [2]int(part.Shape[2:]), [2]int(tg.Shape[2:])
		r, tr := e.rows(g, tg)
		tc := ir.Float(tr.Shape[0], matrix(part).Shape[1])
		cols := e.apply(fmt.Sprintf("im2col %v %v", kernel, win), tc, func(y array, x []array) {
			clear(y.f)
			patches(win, ta, kernel, out, func(at, col int) { y.f[col] = x[0].f[at] })
		}, []*node{a}, ta)
		r, tr = e.transposed(r, tr)
		parts[i] = e.reshaped(e.product(r, tr, cols, tc), matrix(part), part.Shape...)
	}
	return e.join(in.Type, 0, parts)
}

// windows calls f for every output position of a pool with the rows and
// columns [h0, h1)×[w0, w1) of its window that lie within the input, as
// positions: the first element's, and how many rows and columns there are.
func windows(win ir.Window, x, y ir.Type, f func(y, first, rows, cols int)) {
	h, w := x.Shape[2], x.Shape[3]
	out := 0
	for plane := range x.Shape[0] * x.Shape[1] {
		for i := range y.Shape[2] {
			h0 := i*win.Stride[0] - win.Pad[0]
			h1 := min(h0+win.Kernel[0], h)
			h0 = max(h0, 0)
			for j := range y.Shape[3] {
				w0 := j*win.Stride[1] - win.Pad[1]
				w1 := min(w0+win.Kernel[1], w)
				w0 = max(w0, 0)
				f(out, (plane*h+h0)*w+w0, h1-h0, w1-w0)
				out++
			}
		}
	}
}

// firstMax is the position of a window's first maximum, or first NaN.
func firstMax(x []float32, first, rows, cols, width int) int {
	best := first
	for r := range rows {
		for i := first + r*width; i < first+r*width+cols; i++ {
			if x[i] > x[best] || x[i] != x[i] && x[best] == x[best] {
				best = i
			}
		}
	}
	return best
}

func maxPool(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	width := types[0].Shape[3]
	return func(y array, x []array) {
		windows(in.Window, types[0], in.Type, func(o, first, rows, cols int) {
			y.f[o] = x[0].f[firstMax(x[0].f, first, rows, cols, width)]
		})
	}
}

func maxPoolGrad(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	width := types[0].Shape[3]
	return func(y array, x []array) {
		clear(y.f)
		windows(in.Window, types[0], types[1], func(o, first, rows, cols int) {
			y.f[firstMax(x[0].f, first, rows, cols, width)] += x[1].f[o]
		})
	}
}

func avgPool(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	area, width := float32(in.Window.Kernel[0]*in.Window.Kernel[1]), types[0].Shape[3]
	return func(y array, x []array) {
		windows(in.Window, types[0], in.Type, func(o, first, rows, cols int) {
			sum := float32(0)
			for r := range rows {
				for _, v := range x[0].f[first+r*width:][:cols] {
					sum += v
				}
			}
			y.f[o] = sum / area
		})
	}
}

func avgPoolGrad(in *ir.Instr, types []ir.Type) func(y array, x []array) {
	area, width := float32(in.Window.Kernel[0]*in.Window.Kernel[1]), in.Type.Shape[3]
	return func(y array, x []array) {
		clear(y.f)
		windows(in.Window, in.Type, types[0], func(o, first, rows, cols int) {
			g := x[0].f[o] / area
			for r := range rows {
				row := y.f[first+r*width:][:cols]
				for i := range row {
					row[i] += g
				}
			}
		})
	}
}

package backendtest

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
)

func matMulCases() []Case {
	var out []Case
	for _, s := range [][3]int{
		{1, 1, 1}, {1, 7, 1}, {7, 1, 5}, {1, 33, 9}, {9, 33, 1}, {2, 3, 4}, {5, 7, 3}, {6, 16, 16}, {16, 16, 16},
		{17, 33, 29}, {31, 8, 97}, {64, 64, 64}, {130, 257, 65}, {100, 784, 30}, {0, 3, 2}, {2, 0, 3}, {3, 2, 0},
	} {
		m0, k, n := s[0], s[1], s[2]
		out = append(out, newCase(fmt.Sprintf("matmul/%dx%dx%d", m0, k, n), sumOf(k), func(m *maker) {
			for _, trans := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
				x, z := []int{m0, k}, []int{k, n}
				if trans[0] {
					x = []int{k, m0}
				}
				if trans[1] {
					z = []int{n, k}
				}
				m.result(m.MatMul(m.normal(x...), m.normal(z...), trans[0], trans[1]), "transposed %v", trans)
			}
		}))
	}
	return append(out,
		newCase("matmul/itself", sumOf(23), func(m *maker) {
			x := m.normal(19, 23)
			m.result(m.MatMul(x, x, false, true), "x·xᵀ")
			m.result(m.MatMul(m.Slice(x, []int{0, 0}, []int{19, 19}), x, true, false), "a part")
		}),
		// What a backend may fuse into the product: the operands' functions on
		// the way in, the result's on the way out.
		newCase("matmul/fused", Tolerance{1e-5, 1e-5, "sums of 33 products of positive factors up to e³"}, func(m *maker) {
			x, w := m.between(-1, 1, 17, 33), m.between(-1, 1, 29, 33)
			bias := m.normal(29)
			y := m.MatMul(x, w, false, true)
			m.result(m.Relu(m.Add(y, bias)), "relu of sum")
			m.result(y, "the product itself")
			m.result(m.MatMul(m.Square(x), m.Exp(w), false, true), "x² by exp w")
			m.result(m.Mul(m.MatMul(m.Tanh(x), m.Square(w), false, true), m.Broadcast(m.normal(17), []int{17, 29}, 0)), "scaled rows")
			m.result(m.Sum(m.Square(m.MatMul(x, w, false, true)), 0), "summed columns")
		}),
		newCase("special/matmul", exact, func(m *maker) {
			x := m.float(floats(1, inf, nan, 1, 1, 1), 3, 2)
			m.result(m.MatMul(x, m.float(floats(1, 2, 3, 4), 2, 2), false, false), "Inf and NaN rows")
			m.result(m.MatMul(x, m.float(floats(0, 0, 0, 0), 2, 2), false, false), "0·Inf is NaN")
		}))
}

// convShape is one convolution: x[n c h w] with w[o c/groups kh kw].
type convShape struct {
	n, c, h, w, o       int
	kernel, stride, pad [2]int
	groups              int
}

func (s convShape) window() ir.Window {
	return ir.Window{Stride: s.stride, Pad: s.pad, Groups: s.groups}
}

func (s convShape) types() (x, w, g ir.Type) {
	win := s.window()
	win.Kernel = s.kernel
	return ir.Float(s.n, s.c, s.h, s.w), ir.Float(s.o, s.c/s.groups, s.kernel[0], s.kernel[1]),
		ir.Float(s.n, s.o, win.Out(0, s.h), win.Out(1, s.w))
}

// add appends the convolution and both its gradients to a case.
func (s convShape) add(d *direct) {
	tx, tw, tg := s.types()
	x, w, g := d.normal(tx.Shape...), d.normal(tw.Shape...), d.normal(tg.Shape...)
	a := ir.Attrs{Window: s.window()}
	d.result(ir.Instr{Op: ir.Conv2D, Args: []ir.Value{x, w}, Attrs: a, Type: tg}, "y %+v", s)
	d.result(ir.Instr{Op: ir.Conv2DDX, Args: []ir.Value{g, w}, Attrs: a, Type: tx}, "dx %+v", s)
	d.result(ir.Instr{Op: ir.Conv2DDW, Args: []ir.Value{x, g}, Attrs: a, Type: tw}, "dw %+v", s)
}

func convCases() []Case {
	var out []Case
	for _, groups := range []int{1, 2, 4} {
		for _, stride := range [][2]int{{1, 1}, {2, 2}, {3, 2}} {
			name := fmt.Sprintf("conv/groups=%d/stride=%dx%d", groups, stride[0], stride[1])
			out = append(out, directCase(name, sumOf(200), func(d *direct) {
				for _, kernel := range [][2]int{{1, 1}, {3, 3}, {2, 3}, {5, 5}} {
					for _, pad := range [][2]int{{0, 0}, {1, 1}, {2, 1}} {
						convShape{2, 4, 7, 9, 8, kernel, stride, pad, groups}.add(d)
					}
				}
			}))
		}
	}
	one, same := [2]int{1, 1}, [2]int{1, 1}
	for _, c := range []struct {
		name  string
		shape convShape
	}{
		{"no_batch", convShape{0, 3, 5, 5, 2, [2]int{3, 3}, one, same, 1}},
		{"one_pixel", convShape{1, 1, 1, 1, 1, one, one, [2]int{}, 1}},
		{"no_channels", convShape{2, 0, 4, 4, 3, [2]int{3, 3}, one, same, 1}},
		{"no_filters", convShape{2, 3, 4, 4, 0, [2]int{3, 3}, one, same, 1}},
		{"whole_image", convShape{3, 2, 6, 5, 7, [2]int{6, 5}, one, [2]int{}, 1}},
		{"window_within_padding", convShape{1, 1, 2, 2, 1, [2]int{2, 2}, one, [2]int{3, 3}, 1}},
		{"row", convShape{2, 3, 1, 17, 5, [2]int{1, 4}, [2]int{1, 3}, [2]int{0, 2}, 1}},
		{"last_columns_unused", convShape{1, 2, 8, 8, 3, [2]int{3, 3}, [2]int{4, 4}, [2]int{}, 1}},
		{"depthwise_twofold", convShape{2, 3, 6, 6, 6, [2]int{3, 3}, one, same, 3}},
		{"lenet_1", convShape{2, 1, 28, 28, 20, [2]int{5, 5}, one, [2]int{}, 1}},
		{"lenet_2", convShape{2, 20, 12, 12, 50, [2]int{5, 5}, one, [2]int{}, 1}},
		{"vgg", convShape{1, 16, 8, 8, 24, [2]int{3, 3}, one, same, 1}},
		{"vgg_wide", convShape{3, 32, 10, 9, 24, [2]int{3, 3}, one, same, 1}},
		{"vgg_wide_unpadded", convShape{2, 24, 7, 12, 32, [2]int{3, 3}, one, [2]int{0, 2}, 1}},
		{"resnet_stem", convShape{1, 3, 33, 33, 8, [2]int{7, 7}, [2]int{2, 2}, [2]int{3, 3}, 1}},
		{"resnet_shortcut", convShape{2, 16, 7, 7, 32, one, [2]int{2, 2}, [2]int{}, 1}},
	} {
		_, _, g := c.shape.types()
		longest := max(size(g.Shape)/max(c.shape.o, 1), c.shape.c*c.shape.kernel[0]*c.shape.kernel[1], c.shape.o*c.shape.kernel[0]*c.shape.kernel[1])
		out = append(out, directCase("conv/"+c.name, sumOf(longest), c.shape.add))
	}
	return append(out, newCase("conv/fused", Tolerance{2e-5, 1e-5, "sums of 27 products, then a function"}, func(m *maker) {
		x, w := m.between(-1, 1, 2, 3, 7, 7), m.between(-1, 1, 5, 3, 3, 3)
		bias := m.Broadcast(m.normal(5), []int{2, 5, 7, 7}, 1)
		y := m.Add(m.Conv2D(x, w, one, same, 1), bias)
		m.result(m.Relu(y), "relu of sum")
		m.result(m.Conv2D(m.Square(x), m.Exp(w), one, same, 1), "x² by exp w")
		m.result(m.MaxPool(m.Relu(y), [2]int{2, 2}, [2]int{2, 2}, [2]int{}), "relu and pool")
	}))
}

func poolCases() []Case {
	var out []Case
	for _, kernel := range [][2]int{{1, 1}, {2, 2}, {3, 3}, {2, 3}} {
		for _, stride := range [][2]int{{1, 1}, {2, 2}, {3, 1}} {
			name := fmt.Sprintf("kernel=%dx%d/stride=%dx%d", kernel[0], kernel[1], stride[0], stride[1])
			each := func(add func(d *direct, x, y ir.Type, a ir.Attrs, about string)) func(*direct) {
				return func(d *direct) {
					for _, pad := range [][2]int{{0, 0}, {1, 1}, {0, 1}, {1, 2}} {
						for _, s := range [][]int{{2, 3, 7, 9}, {1, 1, 3, 3}, {0, 2, 4, 4}, {3, 5, 4, 6}} {
							win := ir.Window{Kernel: kernel, Stride: stride, Pad: pad}
							if pad[0] >= kernel[0] || pad[1] >= kernel[1] {
								continue
							}
							y := ir.Float(s[0], s[1], win.Out(0, s[2]), win.Out(1, s[3]))
							add(d, ir.Float(s...), y, ir.Attrs{Window: win}, fmt.Sprintf("pad %v of %v", pad, s))
						}
					}
				}
			}
			out = append(out,
				directCase("maxpool/"+name, exact, each(func(d *direct, x, y ir.Type, a ir.Attrs, about string) {
					d.result(ir.Instr{Op: ir.MaxPool, Args: []ir.Value{d.normal(x.Shape...)}, Attrs: a, Type: y}, "%s", about)
					// All below zero: padding must not win.
					below := d.float(uniforms(1, -2, -1, x.Shape), x.Shape...)
					d.result(ir.Instr{Op: ir.MaxPool, Args: []ir.Value{below}, Attrs: a, Type: y}, "negative, %s", about)
				})),
				directCase("maxpool_grad/"+name, sumOf(9), each(func(d *direct, x, y ir.Type, a ir.Attrs, about string) {
					g := d.normal(y.Shape...)
					d.result(ir.Instr{Op: ir.MaxPoolGrad, Args: []ir.Value{d.normal(x.Shape...), g}, Attrs: a, Type: x}, "%s", about)
					ties := uniforms(2, -3, 1, x.Shape)
					for i := range ties {
						ties[i] = float32(math.Trunc(float64(ties[i])))
					}
					d.result(ir.Instr{Op: ir.MaxPoolGrad, Args: []ir.Value{d.float(ties, x.Shape...), g}, Attrs: a, Type: x}, "ties, %s", about)
				})),
				directCase("avgpool/"+name, sumOf(9), each(func(d *direct, x, y ir.Type, a ir.Attrs, about string) {
					d.result(ir.Instr{Op: ir.AvgPool, Args: []ir.Value{d.normal(x.Shape...)}, Attrs: a, Type: y}, "%s", about)
					d.result(ir.Instr{Op: ir.AvgPoolGrad, Args: []ir.Value{d.normal(y.Shape...)}, Attrs: a, Type: x}, "gradient, %s", about)
				})))
		}
	}
	return append(out, newCase("special/maxpool", exact, func(m *maker) {
		for _, v := range [][]float32{floats(-inf, -inf, -inf, -inf), floats(1, inf, -inf, 2), floats(nan, 1, 2, 3), floats(3, 2, nan, 1)} {
			x := m.float(v, 1, 1, 2, 2)
			for _, pad := range [][2]int{{0, 0}, {1, 1}} {
				y := m.MaxPool(x, [2]int{2, 2}, [2]int{1, 1}, pad)
				m.result(y, "%v pad %v", v, pad)
			}
		}
	}))
}

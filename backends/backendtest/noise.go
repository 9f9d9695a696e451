package backendtest

import "bayesbench/backends/ir"

// normalTol: the angle 2π·u₂ rounds by 2⁻²² near 2π, and the radius is 5.8 at
// most, mostly below 3.
var normalTol = Tolerance{4e-6, 2e-6, "Box-Muller in float32: the angle rounds, times the radius"}

func noiseCases() []Case {
	var out []Case
	for _, n := range []struct {
		op    ir.Op
		apply func(b *ir.Builder, key ir.Value, stream uint32, shape ...int) ir.Value
		tol   Tolerance
	}{
		{ir.Uniform, (*ir.Builder).Uniform, exact},
		{ir.Normal, (*ir.Builder).Normal, normalTol},
	} {
		name := "noise/" + n.op.String()
		out = append(out,
			newCase(name, n.tol, func(m *maker) {
				key := m.uint([]uint32{7, 11}, 2)
				for _, s := range append([][]int{{8}, {9}, {15}, {16}, {17}, {31}, {32}, {1000, 33}}, shapes...) {
					m.result(n.apply(m.Builder, key, 3, s...), "%v", s)
				}
			}),
			newCase(name+"/keys", n.tol, func(m *maker) {
				for _, k := range [][]uint32{{0, 0}, {1, 0}, {0, 1}, {1<<32 - 1, 1<<32 - 1}, {0x13198a2e, 0x03707344}} {
					key := m.uint(k, 2)
					for _, stream := range []uint32{0, 1, 2, 1 << 31, 1<<32 - 2} {
						m.result(n.apply(m.Builder, key, stream, 33), "key %v stream %d", k, stream)
					}
				}
			}),
			// Noise within a group of elementwise ops, and two sites of one shape.
			newCase(name+"/sites", Tolerance{2e-5, 1e-5, "noise to its own tolerance, scaled by 3"}, func(m *maker) {
				key := m.uint([]uint32{1, 2}, 2)
				x := m.normal(7, 13)
				a, b := n.apply(m.Builder, key, 0, 7, 13), n.apply(m.Builder, key, 1, 7, 13)
				m.result(m.Add(x, m.MulConst(a, 3)), "x + 3a")
				m.result(m.Mul(m.Sub(a, b), x), "(a − b)x")
				m.result(n.apply(m.Builder, key, 0, 13, 7), "a as another shape")
			}),
			// Rows of the stream from one on: the last word of the key says which.
			// Rows of 16 elements begin where a counter's words do, others within;
			// at row 2³²−1 the product of row and length exceeds 32 bits.
			newCase(name+"/rows", n.tol, func(m *maker) {
				for _, first := range []uint32{0, 1, 3, 203, 70000, 1<<32 - 1} {
					key := m.uint([]uint32{7, 11, first}, 3)
					for _, s := range [][]int{{33}, {1, 10}, {5, 16}, {7, 300}, {3, 5, 7, 2}, {2, 0}, {0, 3}, {129, 784}} {
						m.result(n.apply(m.Builder, key, 3, s...), "%v from row %d", s, first)
					}
				}
			}),
			// The same within a group, beside noise of the whole program's key.
			newCase(name+"/rows and weights", Tolerance{2e-5, 1e-5, "noise to its own tolerance, times another"}, func(m *maker) {
				key, rows := m.uint([]uint32{1, 2}, 2), m.uint([]uint32{1, 2, 9}, 3)
				x := m.normal(7, 13)
				a, w := n.apply(m.Builder, rows, 0, 7, 13), n.apply(m.Builder, key, 1, 7, 13)
				m.result(m.Add(x, m.Mul(a, w)), "x + a∘w")
				m.result(m.MatMul(x, m.Add(m.normal(5, 13), n.apply(m.Builder, key, 2, 5, 13)), false, true), "x·w")
				m.result(m.Transpose(m.Mul(a, x), 1, 0), "(a∘x)ᵀ")
			}))
	}
	return append(out, newCase("noise/dropout", exact, func(m *maker) {
		key := m.uint([]uint32{5, 6}, 2)
		x := m.normal(33, 65)
		m.result(m.Mul(x, m.LessEqual(m.Const(0.25), m.Uniform(key, 4, 33, 65))), "kept with 3/4")
	}))
}

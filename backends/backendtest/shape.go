package backendtest

import "bayesbench/backends/ir"

// subsets lists all subsets of the axes below rank, each rising.
func subsets(rank int) [][]int {
	var out [][]int
	for bits := range 1 << rank {
		s := []int{}
		for a := range rank {
			if bits>>a&1 == 1 {
				s = append(s, a)
			}
		}
		out = append(out, s)
	}
	return out
}

// permutations lists all orders of the axes below rank.
func permutations(rank int) [][]int {
	if rank == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(rank - 1) {
		for at := range rank {
			q := append([]int{}, p[:at]...)
			out = append(out, append(append(q, rank-1), p[at:]...))
		}
	}
	return out
}

// along picks the lengths of the axes.
func along(shape, axes []int) []int {
	out := make([]int, len(axes))
	for i, a := range axes {
		out[i] = shape[a]
	}
	return out
}

func shapeCases() []Case {
	return []Case{
		newCase("shape/broadcast", exact, func(m *maker) {
			for _, s := range [][]int{{}, {6}, {3, 5}, {2, 3, 5, 7}, {4, 1, 17, 1}, {2, 0, 3}} {
				for _, dims := range subsets(len(s)) {
					m.result(m.Broadcast(m.normal(along(s, dims)...), s, dims...), "%v along %v", s, dims)
				}
			}
		}),
		newCase("shape/reshape", exact, func(m *maker) {
			for _, s := range [][2][]int{{{6}, {2, 3}}, {{2, 3, 4}, {4, 6}}, {{1}, {}}, {{}, {1, 1}}, {{0, 3}, {5, 0}}, {{7, 1}, {1, 7}}} {
				m.result(m.Reshape(m.normal(s[0]...), s[1]...), "%v", s)
				m.result(m.Reshape(m.indices(9, s[0]...), s[1]...), "u32 %v", s)
				m.result(m.Abs(m.Reshape(m.Neg(m.normal(s[0]...)), s[1]...)), "within a group %v", s)
			}
		}),
		newCase("shape/transpose", exact, func(m *maker) {
			for _, s := range [][]int{{}, {5}, {3, 7}, {2, 3, 5}, {2, 3, 4, 5}, {1, 6, 1, 4}, {3, 0}} {
				for _, dims := range permutations(len(s)) {
					m.result(m.Transpose(m.normal(s...), dims...), "%v by %v", s, dims)
				}
			}
			for _, s := range [][]int{{65, 129}, {16, 16}, {1, 100}, {100, 1}} {
				m.result(m.Transpose(m.normal(s...), 1, 0), "%v", s)
			}
			x := m.normal(4, 6, 5)
			m.result(m.Add(m.Transpose(x, 1, 0, 2), m.normal(6, 4, 5)), "within a group")
			m.result(m.Transpose(m.Transpose(x, 2, 0, 1), 1, 2, 0), "there and back")
		}),
		newCase("shape/slice", exact, func(m *maker) {
			for _, c := range []struct{ shape, lo, hi []int }{
				{[]int{}, []int{}, []int{}},
				{[]int{7}, []int{2}, []int{5}}, {[]int{7}, []int{0}, []int{7}}, {[]int{7}, []int{3}, []int{3}}, {[]int{0}, []int{0}, []int{0}},
				{[]int{5, 9}, []int{1, 0}, []int{4, 9}}, {[]int{5, 9}, []int{0, 8}, []int{5, 9}}, {[]int{5, 9}, []int{4, 3}, []int{5, 7}},
				{[]int{3, 4, 5}, []int{1, 1, 1}, []int{3, 3, 4}}, {[]int{2, 3, 4, 5}, []int{0, 1, 0, 2}, []int{2, 3, 3, 5}},
			} {
				m.result(m.Slice(m.normal(c.shape...), c.lo, c.hi), "%v", c)
				m.result(m.Slice(m.indices(99, c.shape...), c.lo, c.hi), "u32 %v", c)
			}
		}),
		newCase("shape/pad", exact, func(m *maker) {
			for _, c := range []struct{ shape, lo, hi []int }{
				{[]int{}, []int{}, []int{}},
				{[]int{3}, []int{0}, []int{0}}, {[]int{3}, []int{2}, []int{0}}, {[]int{3}, []int{0}, []int{5}}, {[]int{0}, []int{1}, []int{2}}, {[]int{0}, []int{0}, []int{0}},
				{[]int{3, 5}, []int{1, 2}, []int{3, 4}}, {[]int{1, 1}, []int{0, 1}, []int{1, 0}},
				{[]int{2, 3, 4, 5}, []int{0, 0, 1, 2}, []int{0, 0, 2, 1}}, {[]int{2, 0, 3}, []int{1, 1, 1}, []int{0, 0, 0}},
			} {
				m.result(m.Pad(m.normal(c.shape...), c.lo, c.hi), "%v", c)
			}
			m.result(m.Pad(m.float(floats(inf, nan), 2), []int{1}, []int{1}), "zeros beside Inf and NaN")
		}),
		newCase("shape/concat", exact, func(m *maker) {
			for axis := range 3 {
				parts := func(lengths ...int) (xs []ir.Value) {
					for _, n := range lengths {
						s := []int{3, 4, 5}
						s[axis] = n
						xs = append(xs, m.normal(s...))
					}
					return xs
				}
				m.result(m.Concat(axis, parts(2)...), "one along %d", axis)
				m.result(m.Concat(axis, parts(1, 7)...), "two along %d", axis)
				m.result(m.Concat(axis, parts(3, 0, 1, 1, 2)...), "five along %d", axis)
			}
			x := m.normal(4)
			m.result(m.Concat(0, x, x, m.Neg(x)), "one value twice")
			m.result(m.Concat(0, m.normal(0), m.normal(0)), "nothing")
		}),
		newCase("shape/gather", exact, func(m *maker) {
			for _, s := range [][]int{{9}, {5, 3}, {7, 1}, {4, 3, 2}, {6, 784}, {3, 0}} {
				for _, n := range []int{0, 1, 13} {
					m.result(m.Gather(m.normal(s...), m.indices(s[0], n)), "%d rows of %v", n, s)
				}
				m.result(m.Gather(m.indices(50, s...), m.indices(s[0], 5)), "u32 rows of %v", s)
			}
			m.result(m.Gather(m.normal(0, 4), m.indices(1, 0)), "no rows of none")
		}),
		newCase("shape/onehot", exact, func(m *maker) {
			for _, s := range [][]int{{}, {1}, {7}, {3, 5}, {0}} {
				m.result(m.OneHot(m.indices(4, s...), 4), "%v", s)
				m.result(m.OneHot(m.indices(4, s...), 1), "one class %v", s)
			}
			m.result(m.OneHot(m.uint([]uint32{0, 3, 1 << 31, 1<<32 - 1, 2}, 5), 3), "out of range")
		}),
	}
}

func reductionCases() []Case {
	var out []Case
	for _, r := range []struct {
		op    ir.Op
		apply func(b *ir.Builder, x ir.Value, dims ...int) ir.Value
		tol   func(n int) Tolerance
	}{
		{ir.ReduceSum, (*ir.Builder).Sum, sumOf},
		{ir.ReduceMax, (*ir.Builder).MaxOver, func(int) Tolerance { return exact }},
	} {
		name := r.op.String()
		out = append(out,
			newCase("reduce/"+name, r.tol(210), func(m *maker) {
				for _, s := range [][]int{{}, {7}, {3, 5}, {3, 5, 7, 2}, {1, 9, 1}, {2, 0, 3}, {0}} {
					for _, dims := range subsets(len(s))[1:] {
						m.result(r.apply(m.Builder, m.normal(s...), dims...), "%v over %v", s, dims)
					}
				}
			}),
			newCase("reduce/long_"+name, r.tol(4099), func(m *maker) {
				for _, s := range [][]int{{4099}, {33, 257}, {257, 33}, {5, 7, 63}} {
					for _, dims := range subsets(len(s))[1:] {
						m.result(r.apply(m.Builder, m.normal(s...), dims...), "%v over %v", s, dims)
					}
				}
			}),
			newCase("special/"+name, exact, func(m *maker) {
				x := m.float(floats(1, inf, 2, -inf, inf, 3, nan, 1, 2, -inf, -inf, -inf, inf, nan, 1), 5, 3)
				m.result(r.apply(m.Builder, x, 1), "rows")
				m.result(r.apply(m.Builder, x, 0), "columns")
				m.result(r.apply(m.Builder, x), "all")
			}),
			directCase("reduce/no_axis_"+name, exact, func(d *direct) {
				for _, s := range [][]int{{}, {3, 5}, {0}} {
					d.result(ir.Instr{Op: r.op, Args: []ir.Value{d.normal(s...)}, Type: ir.Float(s...)}, "%v", s)
				}
			}))
	}
	return append(out, newCase("reduce/like_terms", Tolerance{0, 1e-5, "partial sums; a running sum in float32 is 1.4e-3 off"}, func(m *maker) {
		for _, s := range [][]int{{300, 784}, {3, 65536}, {65536, 3}} {
			x := m.between(4.079, 4.081, s...)
			for _, dims := range subsets(2)[1:] {
				m.result(m.Sum(x, dims...), "%v over %v", s, dims)
			}
		}
	}))
}

package backendtest

import "bayesbench/backends/ir"

// The elementwise composites stand in elementwise.go.

func compositeCases() []Case {
	softmax := Tolerance{1e-6, 2e-6, "a library exp and log, and a sum"}
	out := []Case{
		newCase("composite/log_softmax", softmax, func(m *maker) {
			for _, s := range [][]int{{1}, {7}, {5, 10}, {3, 1}, {2, 3, 7}, {0, 4}, {33, 100}, {3, 1025}} {
				m.result(m.LogSoftmax(m.normal(s...)), "%v", s)
			}
			m.result(m.LogSoftmax(m.between(-1000, 1000, 5, 10)), "large")
			m.result(m.LogSoftmax(m.between(9990, 10010, 5, 10)), "far from zero")
		}),
		newCase("special/log_softmax", softmax, func(m *maker) {
			x := m.float(floats(-inf, 0, -inf, 0, 0, 0, nan, 1, 2, 3e38, 0, -3e38), 4, 3)
			m.result(m.LogSoftmax(x), "rows")
		}),
		newCase("composite/cross_entropy", softmax, func(m *maker) {
			x, labels := m.normal(33, 10), m.OneHot(m.indices(10, 33), 10)
			loss := m.Neg(m.Mean(m.Sum(m.Mul(m.LogSoftmax(x), labels), 1)))
			m.result(loss, "loss")
			m.result(m.Grad(loss, x)[0], "gradient")
		}),
	}
	for _, s := range [][3]int{{1, 1, 1}, {5, 7, 3}, {17, 33, 29}, {100, 64, 10}, {0, 3, 2}, {2, 0, 3}, {3, 2, 0}, {130, 257, 65}} {
		out = append(out, newCase("composite/linear/"+ir.Float(s[:]...).String()[3:], sumOf(s[1]+1), func(m *maker) {
			x, w, b := m.normal(s[0], s[1]), m.normal(s[2], s[1]), m.normal(s[2])
			y := m.Linear(x, w, b)
			m.result(y, "y")
			m.result(m.Relu(y), "relu y")
		}))
	}
	return out
}

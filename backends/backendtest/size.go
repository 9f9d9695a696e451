package backendtest

import "bayesbench/backends/ir"

// sizeCases are of the sizes that training meets: they tell more as benchmarks,
// and are large enough for a backend to share among its workers.
func sizeCases() []Case {
	one, none := [2]int{1, 1}, [2]int{}
	return []Case{
		newCase("size/matmul_256", sumOf(256), func(m *maker) {
			m.result(m.MatMul(m.normal(256, 256), m.normal(256, 256), false, false), "y")
		}),
		newCase("size/linear_100x784x300", sumOf(784), func(m *maker) {
			m.result(m.Linear(m.normal(100, 784), m.normal(300, 784), m.normal(300)), "y")
		}),
		newCase("size/linear_dw_300x100x784", sumOf(100), func(m *maker) {
			m.result(m.MatMul(m.normal(100, 300), m.normal(100, 784), true, false), "dw")
		}),
		directCase("size/conv_lenet", sumOf(1250), convShape{8, 20, 12, 12, 50, [2]int{5, 5}, one, none, 1}.add),
		directCase("size/conv_vgg", sumOf(1024), convShape{4, 32, 16, 16, 32, [2]int{3, 3}, one, one, 1}.add),
		newCase("size/maxpool", exact, func(m *maker) {
			m.result(m.MaxPool(m.normal(20, 20, 24, 24), [2]int{2, 2}, [2]int{2, 2}, none), "y")
		}),
		newCase("size/elementwise", Tolerance{1e-6, 1e-5, "five ops in a row"}, func(m *maker) {
			x, z := m.normal(512, 515), m.normal(515)
			m.result(m.Mul(m.Exp(m.Neg(m.Square(m.Add(x, z)))), m.Tanh(x)), "y")
		}),
		newCase("size/uniform", exact, func(m *maker) {
			m.result(m.Uniform(m.uint([]uint32{1, 2}, 2), 3, 512, 515), "y")
		}),
		newCase("size/normal", normalTol, func(m *maker) {
			m.result(m.Normal(m.uint([]uint32{1, 2}, 2), 3, 512, 515), "y")
		}),
		newCase("size/sum_columns", sumOf(512), func(m *maker) { m.result(m.Sum(m.normal(512, 515), 0), "y") }),
		newCase("size/sum_rows", sumOf(515), func(m *maker) { m.result(m.Sum(m.normal(512, 515), 1), "y") }),
		newCase("size/sum_all", sumOf(512*515), func(m *maker) { m.result(m.Sum(m.normal(512, 515)), "y") }),
		newCase("size/log_softmax", Tolerance{1e-6, 2e-6, "a library exp and log, and a sum"}, func(m *maker) {
			m.result(m.LogSoftmax(m.normal(1000, 100)), "y")
		}),
		newCase("size/transpose", exact, func(m *maker) {
			m.result(m.Transpose(m.normal(512, 515), 1, 0), "y")
		}),
		newCase("size/gather", exact, func(m *maker) {
			m.result(m.Gather(m.normal(1000, 784), m.indices(1000, 100)), "rows")
		}),
		newCase("size/step", Tolerance{2e-6, 1e-5, "one training step"}, func(m *maker) {
			x, labels := m.normal(50, 100), m.OneHot(m.indices(10, 50), 10)
			w1, b1, w2, b2 := m.normal(120, 100), m.normal(120), m.normal(10, 120), m.normal(10)
			h := m.Relu(m.MulConst(m.Linear(x, w1, b1), 0.1))
			loss := m.Neg(m.Mean(m.Sum(m.Mul(m.LogSoftmax(m.MulConst(m.Linear(h, w2, b2), 0.1)), labels), 1)))
			m.result(loss, "loss")
			weights := []ir.Value{w1, b1, w2, b2}
			for i, g := range m.Grad(loss, weights...) {
				m.result(m.Sub(weights[i], m.MulConst(g, 0.1)), "weight %d", i)
			}
		}),
	}
}

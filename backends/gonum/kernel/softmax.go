package kernel

import "math"

// LogSoftmax computes, for every row of the rows×cols matrix x,
// dst = x − max x − log Σ exp(x − max x).
func LogSoftmax(dst, x []float32, rows, cols int) {
	mustEqual(len(dst), rows*cols)
	mustEqual(len(x), rows*cols)
	for r := range rows {
		d, row := dst[r*cols:(r+1)*cols], x[r*cols:(r+1)*cols]
		Sub.ApplyScalar(d, row, MaxOf(row))
		Sub.ApplyScalar(d, d, float32(math.Log(float64(active.sumExp(d)))))
	}
}

// LogSoftmaxGrad computes, for every row, dx = g − exp(y)·Σg, where y is the
// row's log-softmax and g the gradient with respect to it. dx may be g but not y.
func LogSoftmaxGrad(dx, g, y []float32, rows, cols int) {
	mustEqual(len(dx), rows*cols)
	mustEqual(len(g), rows*cols)
	mustEqual(len(y), rows*cols)
	for r := range rows {
		lo, hi := r*cols, (r+1)*cols
		active.subExpScaled(dx[lo:hi], g[lo:hi], y[lo:hi], Sum(g[lo:hi]))
	}
}

func sumExpGo(x []float32) float32 {
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v))
	}
	return float32(s)
}

func subExpScaledGo(dx, g, y []float32, s float32) {
	for i := range dx {
		dx[i] = g[i] - s*float32(math.Exp(float64(y[i])))
	}
}

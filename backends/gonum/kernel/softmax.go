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

func sumExpGo(x []float32) float32 {
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v))
	}
	return float32(s)
}

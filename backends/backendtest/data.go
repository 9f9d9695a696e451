package backendtest

import (
	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/backends/rng"
)

// dataStream is the stream that arguments are drawn from.
const dataStream = 0xda7a

func size(shape []int) int { return ir.Float(shape...).Size() }

// normals is an array of standard normals, another one for every seed.
func normals(seed uint32, shape []int) []float32 {
	v := make([]float32, size(shape))
	rng.Normal(v, rng.Key{seed, 1}, dataStream)
	return v
}

// uniforms is an array uniform in [lo, hi).
func uniforms(seed uint32, lo, hi float64, shape []int) []float32 {
	v := make([]float32, size(shape))
	rng.Uniform(v, rng.Key{seed, 2}, dataStream)
	for i, u := range v {
		v[i] = float32(lo + (hi-lo)*float64(u))
	}
	return v
}

// widened is the value of type t for ref, which computes in float64.
func widened(t ir.Type, d backends.Data) ref.Value {
	if t.DType == ir.U32 {
		return ref.Value{Type: t, U: d.U32}
	}
	v := ref.Value{Type: t, F: make([]float64, len(d.F32))}
	for i, x := range d.F32 {
		v.F[i] = float64(x)
	}
	return v
}

func floats(v ...float64) []float32 {
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return w
}

// hostData is zeroed memory for a value of type t.
func hostData(t ir.Type) backends.Data {
	if t.DType == ir.U32 {
		return backends.Data{U32: make([]uint32, t.Size())}
	}
	return backends.Data{F32: make([]float32, t.Size())}
}

package bench

import (
	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/methods/exec"
	"bayesbench/results"
)

// tensorsOf are a state's values as a checkpoint stores them.
func tensorsOf(values []exec.Value, err error) ([]results.Tensor, error) {
	out := make([]results.Tensor, len(values))
	for i, v := range values {
		out[i] = results.Tensor{Name: v.Name, Shape: v.Type.Shape, F32: v.F32, U32: v.U32}
	}
	return out, err
}

// valuesOf are a checkpoint's tensors as a state takes them.
func valuesOf(tensors []results.Tensor) []exec.Value {
	out := make([]exec.Value, len(tensors))
	for i, t := range tensors {
		typ := ir.Type{DType: ir.F32, Shape: t.Shape}
		if t.U32 != nil {
			typ.DType = ir.U32
		}
		out[i] = exec.Value{Name: t.Name, Type: typ, Data: backends.Data{F32: t.F32, U32: t.U32}}
	}
	return out
}

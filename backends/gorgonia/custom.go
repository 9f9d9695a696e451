package gorgonia

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"bayesbench/backends/ir"
)

// array is the memory of a tensor: f or u is set.
type array struct {
	f []float32
	u []uint32
}

func arrayOf(v *tensor.Dense) array {
	switch d := v.Data().(type) {
	case []float32:
		return array{f: d}
	case []uint32:
		return array{u: d}
	}
	panic(fmt.Sprintf("gorgonia: a tensor of %v", v.Dtype()))
}

// custom is an op of ours: f writes every element of y from the operands,
// which are contiguous. label tells it from others, attributes included: what
// has one label and the same operands is computed once.
type custom struct {
	label string
	args  []ir.Type
	t     ir.Type
	f     func(y array, x []array)
}

// apply makes the node of a custom op.
func (e *emitter) apply(label string, t ir.Type, f func(y array, x []array), args []*gorgonia.Node, types ...ir.Type) *gorgonia.Node {
	return e.do(gorgonia.ApplyOp(&custom{label, types, t, f}, args...))
}

func tensorType(t ir.Type) hm.Type {
	return gorgonia.TensorType{Dims: len(shapeOf(t)), Of: dtypeOf(t)}
}

func (c *custom) Arity() int { return len(c.args) }

func (c *custom) Type() hm.Type {
	var ts []hm.Type
	for _, a := range c.args {
		ts = append(ts, tensorType(a))
	}
	return hm.NewFnType(append(ts, tensorType(c.t))...)
}

func (c *custom) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return shapeOf(c.t), nil }

func (c *custom) Do(inputs ...gorgonia.Value) (gorgonia.Value, error) {
	return c.UsePreallocDo(newTensor(c.t), inputs...)
}

// UsePreallocDo spares the tape an allocation.
func (c *custom) UsePreallocDo(prealloc gorgonia.Value, inputs ...gorgonia.Value) (gorgonia.Value, error) {
	y, ok := prealloc.(*tensor.Dense)
	if !ok || !y.Shape().Eq(shapeOf(c.t)) || y.Dtype() != dtypeOf(c.t) {
		y = newTensor(c.t)
	}
	x := make([]array, len(inputs))
	for i, v := range inputs {
		x[i] = arrayOf(v.(*tensor.Dense))
	}
	c.f(arrayOf(y), x)
	return y, nil
}

func (c *custom) ReturnsPtr() bool     { return false }
func (c *custom) CallsExtern() bool    { return false }
func (c *custom) OverwritesInput() int { return -1 }
func (c *custom) String() string       { return c.label + " : " + c.t.String() }

func (c *custom) WriteHash(h hash.Hash) { fmt.Fprint(h, c.String()) }

func (c *custom) Hashcode() uint32 {
	h := fnv.New32a()
	c.WriteHash(h)
	return h.Sum32()
}

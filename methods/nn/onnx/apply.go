package onnx

import (
	"fmt"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// Model is the file's network. Where start is true its parameters, and the running statistics of
// batch normalisation, begin with the file's values; otherwise each method draws its own.
//
// The layer that gives the network's outputs has as many as the likelihood wants. Where the file's
// has another number, its weights are not the file's. A file without a dropout has one place for
// dropout, before that layer.
func (f *File) Model(name string, start bool) nn.Model {
	g := f.graph
	return nn.Model{
		Name:        name,
		Description: fmt.Sprintf("%d layers of an ONNX file", len(g.layers)),
		Given:       start,
		Apply: func(l nn.Layers, x ir.Value, outputs int) ir.Value {
			if start {
				l.Start(g.values(outputs))
			}
			r := &run{Layers: l, b: l.Builder(), graph: g, outputs: outputs, values: map[string]value{}}
			return r.network(x)
		},
	}
}

// Names gives each slot of the network its name in the file.
func (f *File) Names() map[string]string {
	out := map[string]string{}
	f.graph.slots(func(slot string, t *tensor, turned bool) { out[slot] = t.name })
	return out
}

// slots visits the parameters and the running statistics.
func (g *graph) slots(visit func(slot string, t *tensor, turned bool)) {
	for _, n := range g.nodes {
		l := g.layers[n]
		if l == nil {
			continue
		}
		if n.op == "BatchNormalization" {
			visit(l.name+".gamma", l.weight, false)
			visit(l.name+".beta", l.bias, false)
			visit(l.name+".mean", l.mean, false)
			visit(l.name+".var", l.variance, false)
			continue
		}
		visit(l.name+".w", l.weight, l.turned)
		if l.bias != nil {
			visit(l.name+".b", l.bias, false)
		}
	}
}

// values are the file's, by slot, but for those of a last layer of another width.
func (g *graph) values(outputs int) map[string]*nn.Values {
	out := map[string]*nn.Values{}
	g.slots(func(slot string, t *tensor, turned bool) {
		if t.start == nil {
			v := t.floats()
			if turned {
				v = transposed(v, t.dims[0], t.dims[1])
			}
			t.start = nn.NewValues(v)
		}
		out[slot] = t.start
	})
	if g.head != nil && g.layers[g.head].out() != outputs {
		delete(out, g.layers[g.head].name+".w")
		delete(out, g.layers[g.head].name+".b")
	}
	return out
}

func transposed(v []float32, rows, columns int) []float32 {
	out := make([]float32, len(v))
	for i := range rows {
		for j := range columns {
			out[j*rows+i] = v[i*columns+j]
		}
	}
	return out
}

// run is a program under construction from a graph.
type run struct {
	nn.Layers
	b       *ir.Builder
	graph   *graph
	outputs int
	values  map[string]value
	batch   int // rows of the input
}

// value is what a node gives: a value of the program, or whole numbers that are known, such as a
// shape.
type value struct {
	v     ir.Value
	whole []int64
	dims  []int // their shape where it is not one row
	known bool  // it is whole
}

func (r *run) fail(format string, args ...any) { r.b.Fail(fmt.Errorf(format, args...)) }

// network builds the graph on x.
func (r *run) network(x ir.Value) ir.Value {
	r.batch = r.b.Shape(x)[0]
	r.values[r.graph.input.name] = value{v: r.input(x)}
	for _, n := range r.graph.nodes {
		r.b.Explain(func(err error) error { return &NodeError{n.number, n.name, n.op, err} }, func() {
			outs := ops[n.op](r, n)
			for i, v := range outs {
				if i < len(n.outputs) {
					r.values[n.outputs[i]] = v
				}
			}
		})
	}
	out, ok := r.values[r.graph.output]
	if !ok || out.known {
		r.fail("the output %q is no value of the network", r.graph.output)
	}
	if shape := r.b.Shape(out.v); len(shape) != 2 || shape[0] != r.batch || shape[1] != r.outputs {
		r.fail("the network gives outputs of the shape %v an example; the likelihood wants %d numbers", shape[min(1, len(shape)):], r.outputs)
	}
	return out.v
}

// input is x in the shape that the graph takes.
func (r *run) input(x ir.Value) ir.Value {
	want, have := r.graph.input.shape[1:], r.b.Shape(x)[1:]
	fits := func(want []int64, have []int) bool {
		return slices.EqualFunc(want, have, func(w int64, h int) bool { return w < 0 || w == int64(h) })
	}
	size := r.b.Type(x).Size() / r.batch
	switch {
	case fits(want, have):
		return x
	case len(want) == 1 && fits(want, []int{size}):
		return r.b.Flatten(x)
	}
	r.fail("the network takes examples of the shape %v (-1 is any), the data set's have the shape %v", want, have)
	return ir.None
}

// tensor is input i as a value of the program.
func (r *run) tensor(n *node, i int) ir.Value {
	name := n.in(i)
	if v, ok := r.values[name]; ok && !v.known {
		return v.v
	}
	if t := r.graph.constants[name]; t != nil {
		if t.float() && t.size() == 1 {
			return r.b.Full(float64(t.floats()[0]), t.dims...)
		}
		r.fail("its input %q is a tensor of the shape %v in the file, and no weight of a layer that is read", name, t.dims)
	}
	r.fail("its input %d is missing, or is a shape", i+1)
	return ir.None
}

// whole is input i as whole numbers, ok false where it is left out.
func (r *run) whole(n *node, i int) (numbers []int64, ok bool) {
	name := n.in(i)
	if name == "" {
		return nil, false
	}
	if v, ok := r.values[name]; ok && v.known {
		return v.whole, true
	}
	if t := r.graph.constants[name]; t != nil && t.integer() {
		return t.ints(), true
	}
	r.fail("its input %q is computed from the examples; want whole numbers that are known", name)
	return nil, false
}

// number is input i as one number, or otherwise where it is left out.
func (r *run) number(n *node, i int, otherwise float64) float64 {
	name := n.in(i)
	if name == "" {
		return otherwise
	}
	if t := r.graph.constants[name]; t != nil && t.size() == 1 {
		if t.float() {
			return float64(t.floats()[0])
		}
		if t.integer() {
			return float64(t.ints()[0])
		}
	}
	r.fail("its input %q is not one number of the file", name)
	return otherwise
}

// isWhole reports whether input i is whole numbers that are known.
func (r *run) isWhole(n *node, i int) bool {
	if v, ok := r.values[n.in(i)]; ok {
		return v.known
	}
	t := r.graph.constants[n.in(i)]
	return t != nil && t.integer()
}

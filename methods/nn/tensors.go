package nn

import "bayesbench/backends/ir"

// Tensor is one weight tensor of a model, [out in…].
type Tensor struct {
	Layer string
	Shape []int
	Bias  bool // whether the layer has a bias too
}

// Size is the number of weights.
func (t Tensor) Size() int { return ir.Float(t.Shape...).Size() }

// Tensors lists the weight tensors of the model on inputs of the type, in
// order of use; biases and batch normalisation are not among them. The error
// says why the model does not fit the input.
func (m Model) Tensors(input ir.Type, outputs int) ([]Tensor, error) {
	var out []Tensor
	_, err := ir.Build(m.Name, func(b *ir.Builder) {
		l := &listing{Point: Point{Scope: NewScope(b, false), Init: Glorot}}
		l.Penalty = func(w ir.Value) ir.Value { l.shapes = append(l.shapes, b.Shape(w)); return w }
		m.Apply(l, b.Param("x", ir.Type{DType: input.DType, Shape: append([]int{1}, input.Shape...)}), outputs)
		for i, shape := range l.shapes {
			out = append(out, Tensor{l.layers[i], shape, l.biases[i]})
		}
	})
	return out, err
}

// Parameter is a slot of a network under point estimates: one that is learnt, or a running
// statistic.
type Parameter struct {
	Name string
	Type ir.Type
}

// Slots lists the parameters of the model on inputs of the type, biases and batch normalisation
// included, in order of use. The error says why the model does not fit the input.
func (m Model) Slots(input ir.Type, outputs int) ([]Parameter, error) {
	var out []Parameter
	_, err := ir.Build(m.Name, func(b *ir.Builder) {
		s := NewScope(b, false)
		m.Apply(&Point{Scope: s, Init: Glorot}, b.Param("x", ir.Type{DType: input.DType, Shape: append([]int{1}, input.Shape...)}), outputs)
		for _, slot := range s.Slots {
			out = append(out, Parameter{slot.Name, b.Type(slot.Value)})
		}
	})
	return out, err
}

// listing notes the layers that have weights.
type listing struct {
	Point
	layers []string
	biases []bool
	shapes [][]int
}

func (l *listing) Linear(name string, x ir.Value, out int) ir.Value {
	l.layers, l.biases = append(l.layers, name), append(l.biases, true)
	return l.Point.Linear(name, x, out)
}

func (l *listing) Conv(name string, x ir.Value, c Conv) ir.Value {
	l.layers, l.biases = append(l.layers, name), append(l.biases, !c.NoBias)
	return l.Point.Conv(name, x, c)
}

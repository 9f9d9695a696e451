package bench

import (
	"errors"
	"fmt"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
	"bayesbench/methods/nn/onnx"
	"bayesbench/methods/task"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// network is a network as a suite describes it, open.
type network struct {
	model   nn.Model
	weights *weights // with which it starts, nil where they are of no file of their own
}

// Network opens the network of a suite once and keeps it.
func (s *Sets) Network(m suites.Model) (nn.Model, error) {
	n, err := s.network(m)
	if err != nil || n.weights == nil {
		return n.model, err
	}
	return n.model.Starting(n.weights.values), nil
}

func (s *Sets) network(m suites.Model) (network, error) {
	at := m.Key()
	if n, ok := s.networks[at]; ok {
		return n, nil
	}
	n, err := openNetwork(m)
	if err != nil {
		return network{}, err
	}
	if s.networks == nil {
		s.networks = map[string]network{}
	}
	s.networks[at] = n
	return n, nil
}

func openNetwork(m suites.Model) (n network, err error) {
	switch {
	case m.Layers != nil:
		n.model, err = nn.Sequence(m.Name, m.Layers)
	case !m.ONNX.IsZero():
		var f *onnx.File
		if f, err = onnx.Read(m.ONNX.Path); err != nil {
			return n, err
		}
		if f.Sum != m.ONNX.Sum {
			return n, fmt.Errorf("%s was changed after the suite was read", m.ONNX.Path)
		}
		n.model = f.Model(m.Name, m.Init.Path == suites.FromGraph)
	default:
		n.model, err = nn.Open(m.Name)
	}
	if err != nil || m.Init.IsZero() || m.Init.Path == suites.FromGraph {
		return n, err
	}
	n.weights, err = readWeights(m.Init.Path, m.Init.Sum)
	return n, err
}

// networkFits refuses a network of the user's that does not fit the examples of the set, and
// weights that do not fit the network.
func (j *Job) networkFits(set *data.Set, likelihood task.Likelihood) error {
	c := &j.Config
	if c.Model.Named() {
		return nil // its method tells
	}
	n, err := j.sets.network(c.Model)
	if err != nil {
		return ofNetwork(c, err)
	}
	input, outputs := ir.Float(set.Shape...), likelihood.Outputs()
	if _, err := n.model.Slots(input, outputs); err != nil {
		return ofNetwork(c, err)
	}
	if n.weights != nil {
		if err := n.weights.fit(n.model, input, outputs); err != nil {
			return c.Errorf("model.init", "model.init: %w", err)
		}
	}
	return nil
}

// ofNetwork puts file, line and key before an error about the job's network.
func ofNetwork(c *suites.Config, err error) error {
	switch layer, node := new(nn.LayerError), new(onnx.NodeError); {
	case err == nil:
		return nil
	case errors.As(err, &layer):
		return c.Errorf("model.layers", "model.layers: %w", layer) // without the program's name
	case errors.As(err, &node):
		return c.Errorf("model.onnx", "model %s: %w", c.Model.Name, node)
	}
	return c.Errorf("model", "%w", err)
}

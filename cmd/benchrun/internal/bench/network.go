package bench

import (
	"errors"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Network opens the network of a suite once and keeps it.
func (s *Sets) Network(m suites.Model) (nn.Model, error) {
	at := m.Key()
	if model, ok := s.networks[at]; ok {
		return model, nil
	}
	model, err := openNetwork(m)
	if err != nil {
		return nn.Model{}, err
	}
	if s.networks == nil {
		s.networks = map[string]nn.Model{}
	}
	s.networks[at] = model
	return model, nil
}

func openNetwork(m suites.Model) (nn.Model, error) {
	if m.Layers != nil {
		return nn.Sequence(m.Name, m.Layers)
	}
	return nn.Open(m.Name)
}

// networkFits refuses a network of the user's that does not fit the examples of the set.
func (j *Job) networkFits(set *data.Set, likelihood task.Likelihood) error {
	if j.Config.Model.Named() {
		return nil // its method tells
	}
	_, err := j.model.Tensors(ir.Float(set.Shape...), likelihood.Outputs())
	return ofNetwork(&j.Config, err)
}

// ofNetwork puts file, line and key before an error about the job's network.
func ofNetwork(c *suites.Config, err error) error {
	switch layer := new(nn.LayerError); {
	case err == nil:
		return nil
	case errors.As(err, &layer):
		return c.Errorf("model.layers", "model.layers: %w", layer) // without the program's name
	}
	return c.Errorf("model", "%w", err)
}

package optim

import (
	"fmt"

	"bayesbench/methods/key"
)

// Names lists the optimisers that a suite names, the default first.
func Names() []string { return []string{"adam", "sgd", "rmsprop"} }

// Named is the optimiser of that name; Adam has the paper's constants, RMSProp those of PyTorch
// (α = 0.99, ε = 1e-8). Momentum, in [0, 1), is of SGD alone. An error is a *key.Error that names
// train.optimizer or train.momentum.
func Named(name string, momentum float64) (Optimizer, error) {
	switch name {
	case "adam":
		return DefaultAdam(), noMomentum(name, momentum)
	case "sgd":
		if !(momentum >= 0 && momentum < 1) {
			return nil, key.Bad("train.momentum", momentum, "a number in [0, 1)")
		}
		return SGD{Momentum: momentum}, nil
	case "rmsprop":
		return RMSProp{Alpha: 0.99, Eps: 1e-8}, noMomentum(name, momentum)
	}
	return nil, key.Bad("train.optimizer", name, fmt.Sprintf("one of %q", Names()))
}

func noMomentum(name string, momentum float64) error {
	if momentum != 0 {
		return key.Bad("train.momentum", momentum, fmt.Sprintf("0 with optimizer = %q", name))
	}
	return nil
}

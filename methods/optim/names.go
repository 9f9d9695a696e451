package optim

import (
	"fmt"

	"bayesbench/methods/key"
)

// Names lists the optimisers that a suite names, the default first.
func Names() []string { return []string{"adam", "sgd"} }

// Named is the optimiser of that name; Adam has the paper's constants. Momentum, in
// [0, 1), is of SGD alone. An error is a *key.Error that names train.optimizer or
// train.momentum.
func Named(name string, momentum float64) (Optimizer, error) {
	switch name {
	case "adam":
		if momentum != 0 {
			return nil, key.Bad("train.momentum", momentum, "0 with optimizer = \"adam\"")
		}
		return DefaultAdam(), nil
	case "sgd":
		if !(momentum >= 0 && momentum < 1) {
			return nil, key.Bad("train.momentum", momentum, "a number in [0, 1)")
		}
		return SGD{Momentum: momentum}, nil
	}
	return nil, key.Bad("train.optimizer", name, fmt.Sprintf("one of %q", Names()))
}

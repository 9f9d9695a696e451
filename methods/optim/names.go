package optim

import (
	"fmt"
	"math"

	"bayesbench/methods/key"
)

// known are the optimisers that a suite names, the default first, with a line each.
var known = []struct{ name, about string }{
	{"adam", "Adam with the paper's constants (Kingma and Ba 2015)"},
	{"adamw", "Adam with decoupled weight decay (Loshchilov and Hutter 2019)"},
	{"sgd", "stochastic gradient descent, with momentum and Nesterov's form where asked for"},
	{"rmsprop", "RMSProp, α = 0.99 and ε = 1e-8 as in PyTorch (Tieleman and Hinton 2012)"},
}

// Names lists the optimisers that a suite names, the default first.
func Names() []string {
	names, _ := Known()
	return names
}

// Known lists them with a line each.
func Known() (names, about []string) {
	for _, o := range known {
		names, about = append(names, o.name), append(about, o.about)
	}
	return names, about
}

// Keys are what a suite's [train] says of the optimiser. The zero value of all but Optimizer is
// that of a suite which does not say it.
type Keys struct {
	Optimizer   string  // one of [Names]
	Momentum    float64 // μ in [0, 1), of sgd alone
	Nesterov    bool    // of sgd with momentum
	WeightDecay float64 // λ; of adamw decoupled, of sgd and rmsprop the gradient of ½λ‖w‖²
	ClipNorm    float64 // the largest norm of the gradient, see [Clip]; 0 clips nothing
}

// Named is the optimiser of the keys. Adam and AdamW have Kingma and Ba's constants, RMSProp those
// of PyTorch (α = 0.99, ε = 1e-8). An error is a *key.Error that names a key of the table train.
//
// The decay of adam would be the L2 penalty of [Adam], which its second moments divide away: it is
// refused, since adamw is the one that decays and the prior of a method is such a penalty already.
// And adamw without decay is adam under another name.
func Named(k Keys) (Optimizer, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	var o Optimizer
	switch k.Optimizer {
	case "adam":
		o = DefaultAdam()
	case "adamw":
		w := DefaultAdam()
		w.Decoupled = k.WeightDecay
		o = w
	case "sgd":
		o = SGD{Momentum: k.Momentum, Nesterov: k.Nesterov, WeightDecay: k.WeightDecay}
	case "rmsprop":
		o = RMSProp{Alpha: 0.99, Eps: 1e-8, WeightDecay: k.WeightDecay}
	default:
		return nil, key.Bad("train.optimizer", k.Optimizer, fmt.Sprintf("one of %q", Names()))
	}
	if k.ClipNorm > 0 {
		o = Clip{Optimizer: o, Norm: k.ClipNorm}
	}
	return o, nil
}

// check refuses values that no optimiser or not this one has.
func (k Keys) check() error {
	with := fmt.Sprintf("with optimizer = %q", k.Optimizer)
	switch {
	case !(k.Momentum >= 0 && k.Momentum < 1):
		return key.Bad("train.momentum", k.Momentum, "a number in [0, 1)")
	case !(k.WeightDecay >= 0) || math.IsInf(k.WeightDecay, 1):
		return key.Bad("train.weight_decay", k.WeightDecay, "a finite number, 0 or more")
	case !(k.ClipNorm >= 0) || math.IsInf(k.ClipNorm, 1):
		return key.Bad("train.clip_norm", k.ClipNorm, "a finite number, 0 or more")
	case k.Optimizer != "sgd" && k.Momentum != 0:
		return key.Bad("train.momentum", k.Momentum, "0 "+with)
	case k.Nesterov && (k.Optimizer != "sgd" || k.Momentum == 0):
		return key.Bad("train.nesterov", k.Nesterov, `false without optimizer = "sgd" and a momentum`)
	case k.Optimizer == "adam" && k.WeightDecay != 0:
		return key.Bad("train.weight_decay", k.WeightDecay, "0 "+with+`; "adamw" decays weights, and a method's prior is an L2 penalty`)
	case k.Optimizer == "adamw" && k.WeightDecay == 0:
		return key.Bad("train.weight_decay", k.WeightDecay, "more than 0 "+with+", such as 0.01; without a decay it is \"adam\"")
	}
	return nil
}

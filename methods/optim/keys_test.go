package optim_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/key"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
)

// A decay passes by what says how wide a distribution is, and decays everything else.
func TestSpreadsDoNotDecay(t *testing.T) {
	for _, o := range []optim.Optimizer{
		optim.SGD{WeightDecay: 0.5}, optim.RMSProp{Alpha: 0.99, Eps: 1e-8, WeightDecay: 0.5}, optim.Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decoupled: 0.5},
		optim.Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, L2: 0.5}, optim.Clip{Optimizer: optim.SGD{WeightDecay: 0.5}, Norm: 1},
	} {
		p, err := ir.Build("step", func(b *ir.Builder) {
			s := nn.NewScope(b, true)
			zero := s.MulConst(s.Learn("w", nn.Init{}, 2), 0)
			s.LearnSpread("rho", nn.Init{}, 2)
			o.Step(s, s.Trained(), []ir.Value{zero, zero}, s.Const(0.1))
			s.Result("w", s.Slots[0].Next)
			s.Result("rho", s.Slots[1].Next)
		})
		if err != nil {
			t.Fatal(err)
		}
		var args []ref.Value
		for _, v := range p.Params() {
			args = append(args, map[string]ref.Value{
				"w": ref.Float([]float64{2, -2}, 2), "rho": ref.Float([]float64{-3, -3}, 2), "adam/scale": ref.Float([]float64{1}), "adam/eps": ref.Float([]float64{1e-8}),
			}[p.Instrs[v].Name])
			if args[len(args)-1].F == nil {
				args[len(args)-1] = ref.Zeros(p.Type(v))
			}
		}
		out, err := ref.Eval(p, args...)
		if err != nil {
			t.Fatal(err)
		}
		if w := out[0].F; !(w[0] < 2 && w[1] > -2) {
			t.Errorf("%#v: the weights are %v, want them smaller than 2", o, w)
		}
		if rho := out[1].F; !slices.Equal(rho, []float64{-3, -3}) {
			t.Errorf("%#v: the spread is %v, want -3", o, rho)
		}
	}
}

// Each value that an optimiser cannot have is refused under its key.
func TestKeysRefused(t *testing.T) {
	for _, c := range []struct {
		keys optim.Keys
		key  string
	}{
		{optim.Keys{Optimizer: "lion"}, "train.optimizer"},
		{optim.Keys{Optimizer: "adam", Momentum: 0.9}, "train.momentum"},
		{optim.Keys{Optimizer: "adamw", WeightDecay: 0.1, Momentum: 0.9}, "train.momentum"},
		{optim.Keys{Optimizer: "sgd", Momentum: 1}, "train.momentum"},
		{optim.Keys{Optimizer: "sgd", Nesterov: true}, "train.nesterov"},
		{optim.Keys{Optimizer: "adam", Nesterov: true}, "train.nesterov"},
		{optim.Keys{Optimizer: "adam", WeightDecay: 0.1}, "train.weight_decay"},
		{optim.Keys{Optimizer: "adamw"}, "train.weight_decay"},
		{optim.Keys{Optimizer: "sgd", WeightDecay: -1}, "train.weight_decay"},
		{optim.Keys{Optimizer: "sgd", WeightDecay: math.NaN()}, "train.weight_decay"},
		{optim.Keys{Optimizer: "sgd", ClipNorm: -1}, "train.clip_norm"},
		{optim.Keys{Optimizer: "sgd", ClipNorm: math.Inf(1)}, "train.clip_norm"},
	} {
		var bad *key.Error
		if o, err := optim.Named(c.keys); !errors.As(err, &bad) || bad.Key != c.key {
			t.Errorf("%+v: %v, %v; want an error of %s", c.keys, o, err, c.key)
		}
	}
}

// A second stage goes on where the first ended, under a clip too.
func TestResume(t *testing.T) {
	clipped := optim.Resume(optim.Clip{Optimizer: optim.DefaultAdam(), Norm: 1}, 7)
	if c, ok := clipped.(optim.Clip); !ok || c.Norm != 1 || c.Optimizer.(optim.Adam).Done != 7 {
		t.Errorf("%#v", clipped)
	}
}

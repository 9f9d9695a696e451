package vdropout_test

import (
	"math"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/vdropout"
)

// The cubic differs from the exact KL (numerical integration, which is 0 at
// α → ∞) by a constant, to 0.04 nats for α ≤ 1.
func TestKL(t *testing.T) {
	p, err := ir.Build("kl", func(b *ir.Builder) {
		b.Result("kl", vdropout.KL(nn.NewScope(b, true), b.Param("la", ir.Float(1))))
	})
	if err != nil {
		t.Fatal(err)
	}
	var differences []float64
	for _, c := range [][2]float64{ // log α, KL
		{-9.8, 5.5351536946526085}, {-8.2, 4.735044039317496}, {-5, 3.1317776060752207}, {-2.6, 1.8920228724615586},
		{-1.8, 1.41994105959552}, {-1, 0.9145313096847193}, {-0.2, 0.5042419977763326},
	} {
		out, err := ref.Eval(p, ref.Float([]float64{c[0]}, 1))
		if err != nil {
			t.Fatal(err)
		}
		differences = append(differences, c[1]-out[0].F[0])
	}
	for _, d := range differences {
		if math.Abs(d-differences[0]) > 0.04 {
			t.Errorf("differences from the exact KL: %.4f", differences)
			break
		}
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"init_alpha = 0": "init_alpha", "init_alpha = 1.5": "init_alpha", "per = \"map\"": "per =", "kl_weight = nan": "kl_weight",
	} {
		methodtest.Refused(t, "variational-dropout", keys, key)
	}
}

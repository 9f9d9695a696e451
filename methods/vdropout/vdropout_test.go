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

// While the inputs are 0 the KL alone speaks, and drives α to its bound, 1. Then
// the likelihood does, and α comes down to where the objective has no slope: of
// regression, Σ_n Σ_i α·θ_i²·x_ni²/2σ² against the KL's slope in log α.
func TestAlphaReturnsFromItsBound(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 4000, 0.02, "linear"
	m, err := methodtest.New("variational-dropout", "")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(l.Model, l.Job)
	if err != nil {
		t.Fatal(err)
	}
	step := plan.Stages[0].Step
	state := map[string]ref.Value{"x": ref.Zeros(ir.Float(20, 2)), "y": ref.Zeros(ir.Float(20, 1))}
	for _, slot := range plan.State {
		state[slot.Name] = ref.Zeros(slot.Type)
		for i := range state[slot.Name].F {
			state[slot.Name].F[i] = slot.Init.A
		}
	}
	logAlpha := func() float64 { return state["fc1.logalpha"].F[0] }
	var average, theta0, theta1 float64 // of the last steps, which are noisy
	for at := range l.Job.Epochs {
		if at == 200 {
			if a := logAlpha(); a != 0 {
				t.Errorf("log α is %v under the KL alone, its bound is 0", a)
			}
			for i, x := range l.Data.X {
				state["x"].F[i] = float64(x)
			}
			for i, y := range l.Data.Y {
				state["y"].F[i] = float64(y)
			}
		}
		state["key"] = ref.Uint([]uint32{3, uint32(at)}, 2)
		for name, f := range plan.Stages[0].Schedules {
			state[name] = ref.Float([]float64{f.At(at)})
		}
		var args []ref.Value
		for _, v := range step.Params() {
			args = append(args, state[step.Instrs[v].Name])
		}
		out, err := ref.Eval(step, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range step.Results {
			state[r.Name] = out[i]
		}
		if at >= 3000 {
			average += logAlpha() / 1000
			theta0 += state["fc1.w"].F[0] / 1000
			theta1 += state["fc1.w"].F[1] / 1000
		}
	}
	a, likelihood := math.Exp(average), 0.0
	for n := range 20 {
		x0, x1 := float64(l.Data.X[2*n]), float64(l.Data.X[2*n+1])
		likelihood += a * (theta0*theta0*x0*x0 + theta1*theta1*x1*x1) / (2 * l.Noise * l.Noise)
	}
	kl := 2 * (0.5 + 1.16145124*a - 2*1.50204118*a*a + 3*0.58629921*a*a*a)
	if !(a < 0.2) || math.Abs(likelihood/kl-1) > 0.15 {
		t.Errorf("α = %.3f, where the slopes are %.3f and %.3f", a, likelihood, kl)
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"init_alpha = 0": "init_alpha", "init_alpha = 1.5": "init_alpha", "per = \"map\"": "per =", "kl_weight = nan": "kl_weight",
	} {
		methodtest.Refused(t, "variational-dropout", keys, key)
	}
}

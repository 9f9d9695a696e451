package nn_test

import (
	"math"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/nn"
)

// The weights that the papers count: Molchanov et al. 2017 for the LeNets.
func TestModelSizes(t *testing.T) {
	for name, want := range map[string]int{
		"lenet-300-100":      784*300 + 300*100 + 100*10, // 266200
		"lenet-5-caffe":      500 + 25000 + 400000 + 5000,
		"mlp-400-400":        784*400 + 400*400 + 400*10,
		"mlp-3x200-bn":       784*200 + 2*200*200 + 200*10,
		"mlp-3x512":          784*512 + 2*512*512 + 512*10,
		"softmax-regression": 7840,
	} {
		m, err := nn.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		tensors, err := m.Tensors(ir.Float(1, 28, 28), 10)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, tensor := range tensors {
			total += tensor.Size()
		}
		if total != want {
			t.Errorf("%s has %d weights, want %d", name, total, want)
		}
	}
	if _, err := nn.Open("lenet-5"); err == nil || !strings.Contains(err.Error(), "lenet-5-caffe") {
		t.Errorf("lenet-5: %v", err)
	}
	if _, err := (nn.Models()[1]).Tensors(ir.Float(1, 8, 8), 10); err == nil {
		t.Error("LeNet-5 fits 8x8 images")
	}
}

func TestInitializers(t *testing.T) {
	for _, c := range []struct {
		f    nn.Initializer
		want nn.Init
	}{
		{nn.Glorot, nn.Init{Dist: nn.Uniform, A: -math.Sqrt(6. / 1084), B: math.Sqrt(6. / 1084)}},
		{nn.He, nn.Init{Dist: nn.Normal, B: math.Sqrt(2. / 784)}},
		{nn.Torch, nn.Init{Dist: nn.Uniform, A: -1. / 28, B: 1. / 28}},
	} {
		if got := c.f.Init(784, 300); got != c.want {
			t.Errorf("%s: %v, want %v", c.f, got, c.want)
		}
	}
	var f nn.Initializer
	if err := f.UnmarshalText([]byte("xavier")); err == nil {
		t.Error("an unknown initializer is no error")
	}
}

// Every estimator has the posterior predictive's mean and variance: those of a
// linear layer are x·meanᵀ + b and x²·varᵀ.
func TestEstimatorsMoments(t *testing.T) {
	const draws = 4000
	x := []float64{0.5, -1, 2, 1, 1, 0.25}
	mean := []float64{0.3, -0.2, 0.1, 1, 0.5, -0.4}
	std := []float64{0.1, 0.5, 0.2, 0.3, 0.05, 0.4}
	for _, e := range []nn.Estimator{nn.Mean, nn.Local, nn.Weight, nn.Datum, nn.Flipout} {
		p, err := ir.Build(string(e), func(b *ir.Builder) {
			s := nn.NewScope(b, true)
			g := nn.Gaussian{Point: nn.Point{Scope: s, Init: nn.Glorot}, Estimator: e}
			g.Weight = func(layer string, shape []int) nn.Posterior {
				std := s.Keep(layer+".std", nn.Init{}, shape...)
				return nn.Posterior{Mean: s.Keep(layer+".w", nn.Init{}, shape...), Std: std, Variance: s.Square(std)}
			}
			b.Result("y", g.Linear("l", b.Param("x", ir.Float(2, 3)), 2))
		})
		if err != nil {
			t.Fatal(err)
		}
		var first, second [4]float64
		for draw := range draws {
			in := map[string]ref.Value{"x": ref.Float(x, 2, 3), "l.w": ref.Float(mean, 2, 3), "l.std": ref.Float(std, 2, 3),
				"l.b": ref.Float([]float64{1, -1}, 2), "key": ref.Uint([]uint32{3, uint32(draw)}, 2)}
			var args []ref.Value
			for _, v := range p.Params() {
				args = append(args, in[p.Instrs[v].Name])
			}
			out, err := ref.Eval(p, args...)
			if err != nil {
				t.Fatal(err)
			}
			for i, y := range out[0].F {
				first[i] += y / draws
				second[i] += y * y / draws
			}
		}
		for row := range 2 {
			for o := range 2 {
				m, v := []float64{1, -1}[o], 0.0
				for i := range 3 {
					m += x[row*3+i] * mean[o*3+i]
					v += math.Pow(x[row*3+i]*std[o*3+i], 2)
				}
				if e == nn.Mean {
					v = 0
				}
				i := row*2 + o
				got := second[i] - first[i]*first[i]
				if math.Abs(first[i]-m) > 5*math.Sqrt(v/draws)+1e-12 || math.Abs(got-v) > 5*v*math.Sqrt(2./draws)+1e-7 {
					t.Errorf("%s: output %d has mean %.4f, variance %.4f; want %.4f, %.4f", e, i, first[i], got, m, v)
				}
			}
		}
	}
}

package ffg_test

import (
	"math"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/backends/rng"
	"bayesbench/methods/ffg"
	"bayesbench/methods/nn"
)

var (
	mu  = []float64{0.5, -0.1, 0, 2, 0.01, -1}
	std = []float64{0.1, 0.5, 1, 0.3, 0.02, 2}
)

// kl is the mean of the prior's KL over draws keys.
func kl(t *testing.T, p ffg.Prior, draws int) float64 {
	program, err := ir.Build("kl", func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		std := s.Keep("std", nn.Init{}, 2, 3)
		q := nn.Posterior{Mean: s.Keep("mu", nn.Init{}, 2, 3), Std: std, Variance: s.Square(std)}
		b.Result("kl", p.KL(s, q, s.Log(std)))
	})
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for draw := range draws {
		in := map[string]ref.Value{"mu": ref.Float(mu, 2, 3), "std": ref.Float(std, 2, 3), "key": ref.Uint([]uint32{4, uint32(draw)}, 2)}
		var args []ref.Value
		for _, v := range program.Params() {
			args = append(args, in[program.Instrs[v].Name])
		}
		out, err := ref.Eval(program, args...)
		if err != nil {
			t.Fatal(err)
		}
		total += out[0].F[0]
	}
	return total / float64(draws)
}

// monteCarlo estimates E_q[log q − log p] and its standard error, with log p
// in closed form.
func monteCarlo(logp func(i int, w float64) float64) (mean, se float64) {
	const draws = 200000
	z := make([]float32, draws*len(mu))
	rng.Normal(z, rng.Key{9, 9}, 0)
	var sum, squares float64
	for d := range draws {
		x := 0.0
		for i := range mu {
			e := float64(z[d*len(mu)+i])
			w := mu[i] + std[i]*e
			x += -0.5*e*e - math.Log(std[i]) - 0.5*math.Log(2*math.Pi) - logp(i, w)
		}
		sum += x / draws
		squares += x * x / draws
	}
	return sum, math.Sqrt((squares - sum*sum) / draws)
}

func normal(w, variance float64) float64 {
	return -0.5*w*w/variance - 0.5*math.Log(2*math.Pi*variance)
}

// Each prior's KL equals a Monte Carlo estimate under the density it stands
// for; the empirical-Bayes variances are those that minimise it.
func TestPriorsAgainstMonteCarlo(t *testing.T) {
	second := make([]float64, len(mu))
	for i := range mu {
		second[i] = mu[i]*mu[i] + std[i]*std[i]
	}
	average := func(v []float64) (m float64) {
		for _, x := range v {
			m += x / float64(len(v))
		}
		return m
	}
	base := ffg.Default().Prior
	base.Sigma, base.Share, base.Sigma1, base.Sigma2 = 0.7, 0.3, 1, 0.1
	for kind, variance := range map[ffg.Kind]func(i int) float64{
		ffg.Fixed:  func(int) float64 { return 0.49 },
		ffg.Layer:  func(int) float64 { return average(second) },
		ffg.Neuron: func(i int) float64 { return average(second[i/3*3 : i/3*3+3]) },
		ffg.ARD:    func(i int) float64 { return second[i] },
	} {
		p := base
		p.Kind = kind
		want, se := monteCarlo(func(i int, w float64) float64 { return normal(w, variance(i)) })
		if got := kl(t, p, 1); math.Abs(got-want) > 5*se {
			t.Errorf("%s: KL %v, Monte Carlo %v ± %v", kind, got, want, se)
		}
	}
	p := base
	p.Kind = ffg.Mixture
	want, se := monteCarlo(func(i int, w float64) float64 {
		return math.Log(0.3*math.Exp(normal(w, 1)) + 0.7*math.Exp(normal(w, 0.01)))
	})
	if got := kl(t, p, 20000); math.Abs(got-want) > 15*se {
		t.Errorf("mixture: mean of the estimates %v, Monte Carlo %v ± %v", got, want, se)
	}
}

// A vector of biases under an empirical-Bayes prior has the closed form's KL
// Σ ½·log(s²/σ²) as weights have: "neuron" gives each bias its own s², for each
// neuron has one.
func TestVectorKL(t *testing.T) {
	second := 0.0
	for i := range mu {
		second += (mu[i]*mu[i] + std[i]*std[i]) / float64(len(mu))
	}
	for kind, variance := range map[ffg.Kind]func(i int) float64{
		ffg.Layer:  func(int) float64 { return second },
		ffg.Neuron: func(i int) float64 { return mu[i]*mu[i] + std[i]*std[i] },
		ffg.ARD:    func(i int) float64 { return mu[i]*mu[i] + std[i]*std[i] },
	} {
		program, err := ir.Build("kl", func(b *ir.Builder) {
			s := nn.NewScope(b, true)
			std := s.Keep("std", nn.Init{}, len(std))
			q := nn.Posterior{Mean: s.Keep("mu", nn.Init{}, len(mu)), Std: std, Variance: s.Square(std)}
			b.Result("kl", ffg.Prior{Kind: kind}.KL(s, q, s.Log(std)))
		})
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]ref.Value{"mu": ref.Float(mu, len(mu)), "std": ref.Float(std, len(std))}
		var args []ref.Value
		for _, v := range program.Params() {
			args = append(args, in[program.Instrs[v].Name])
		}
		out, err := ref.Eval(program, args...)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for i := range mu {
			want += 0.5 * math.Log(variance(i)/(std[i]*std[i]))
		}
		if got := out[0].F[0]; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
			t.Errorf("prior %q: KL of a vector %v, in closed form %v", kind, got, want)
		}
	}
}

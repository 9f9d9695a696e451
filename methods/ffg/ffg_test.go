package ffg_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	_ "bayesbench/methods/all"
	"bayesbench/methods/ffg"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
)

// KL values by PyTorch in float64; the prior mean is 0 here, so means are
// taken relative to the file's.
func TestGaussianKL(t *testing.T) {
	var g struct {
		Mu, Sigma, KL, Dmu, Dsigma []float64
		PriorMu                    []float64 `json:"prior_mu"`
		PriorSigma                 []float64 `json:"prior_sigma"`
	}
	text, err := os.ReadFile("testdata/kl.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range g.Mu {
		p, err := ir.Build("kl", func(b *ir.Builder) {
			s := nn.NewScope(b, true)
			mu, sigma := s.Learn("mu", nn.Init{}, 1), s.Learn("sigma", nn.Init{}, 1)
			q := nn.Posterior{Mean: mu, Variance: s.Square(sigma)}
			kl := ffg.GaussianKL(s, q, s.Log(sigma), g.PriorSigma[i])
			b.Result("kl", kl)
			grads := b.Grad(kl, mu, sigma)
			b.Result("dmu", b.Sum(grads[0]))
			b.Result("dsigma", b.Sum(grads[1]))
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := ref.Eval(p, ref.Float([]float64{g.Mu[i] - g.PriorMu[i]}, 1), ref.Float([]float64{g.Sigma[i]}, 1))
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range []float64{g.KL[i], g.Dmu[i], g.Dsigma[i]} {
			if got := out[k].F[0]; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
				t.Errorf("case %d: %s = %v, want %v", i, p.Results[k].Name, got, want)
			}
		}
	}
}

// With σ → 0 and no KL, FFG is plain training: the same initial values, data
// and optimiser give the same weights. The local reparameterisation's floor of
// 1e-8 under the variance leaves noise of 1e-4 on every output.
func TestLimitIsDeterministic(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	j.Train.Optimizer, j.Train.LR = "sgd", 0.1
	plain := fit(t, "deterministic", "prior_sigma = inf", d)
	for estimator, tolerance := range map[string]float64{"weight": 1e-6, "flipout": 1e-6, "local": 2e-3} {
		f := fit(t, "ffg", "kl_weight = 0\ninit_sigma = 1e-12\nestimator = \""+estimator+"\"", d)
		for name, want := range plain.State {
			if strings.Contains(name, "/") {
				continue // the optimiser's
			}
			for i := range want {
				if got := f.State[name][i]; math.Abs(float64(got-want[i])) > tolerance {
					t.Fatalf("%s: %s[%d] = %v, deterministic %v", estimator, name, i, got, want[i])
				}
			}
		}
	}
}

// With a posterior over the last layer alone and σ → 0, the KL of its means is
// the penalty that the other layers have: it is MAP training under the same
// prior, up to the little that ρ moves.
func TestLastLayer(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	plain := fit(t, "deterministic", "prior_sigma = 0.3", d)
	f := fit(t, "ffg", "layers = \"last\"\nprior_sigma = 0.3\ninit_sigma = 1e-12\nestimator = \"weight\"", d)
	for name, want := range plain.State {
		for i := range want {
			if got := f.State[name][i]; math.Abs(float64(got-want[i])) > 1e-5 {
				t.Fatalf("%s[%d] = %v, deterministic %v", name, i, got, want[i])
			}
		}
	}
	for name := range f.State {
		if _, ok := plain.State[name]; !ok && name != "fc3.rho" {
			t.Errorf("slot %s, where only the last layer has a posterior", name)
		}
	}
}

func fit(t *testing.T, name, keys string, d methodtest.Data) *methodtest.Fitted {
	j := methodtest.Toy()
	j.Train.Optimizer, j.Train.LR = "sgd", 0.1
	return methodtest.Trained(t, name, keys, methodtest.MLP, j, d, 3)
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"prior_sigma = 0":            "prior_sigma",
		"prior_sigma = -1":           "prior_sigma",
		"prior_sigma = nan":          "prior_sigma",
		"init_sigma = 0":             "init_sigma",
		"init_sigma = inf":           "init_sigma",
		"kl_weight = -1":             "kl_weight",
		"kl_weight = inf":            "kl_weight",
		"warmup_start = 3":           "warmup_end", // is 0
		"warmup_end = 100":           "warmup_end", // past the training
		"warmup_start = -1":          "warmup_start",
		"estimator = \"antithetic\"": "estimator",
		"init = \"zeros\"":           "init",
		"biases = \"none\"":          "biases",
		"layers = \"first\"":         "layers",
		"prior = 3":                  "prior",
	} {
		methodtest.Refused(t, "ffg", keys, key)
	}
}

// With biases = "gaussian" the scale and shift of batch normalisation have
// posteriors too, whose KL is in the report; by default they are point
// estimates.
func TestBatchNormPosterior(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	for _, biases := range []string{"point", "gaussian"} {
		f := methodtest.Trained(t, "ffg", "kl_weight = 0.1\ninit_sigma = 0.05\nbiases = \""+biases+"\"", methodtest.ConvNet, j, d, 5)
		kl := 0.0
		add := func(mean, rho []float32) {
			for i, r := range rho {
				s2, m := math.Exp(2*float64(r)), float64(mean[i])
				kl += 0.5 * (s2 + m*m - 1 - math.Log(s2))
			}
		}
		for _, layer := range []string{"conv1", "conv2", "fc1"} {
			add(f.State[layer+".w"], f.State[layer+".rho"])
		}
		for _, name := range []string{"bn1.gamma", "bn1.beta", "conv2.b", "fc1.b"} {
			rho, ok := f.State[name+".rho"]
			if ok != (biases == "gaussian") {
				t.Errorf("biases = %q: %s has a posterior: %v", biases, name, ok)
			}
			add(f.State[name], rho)
		}
		report, err := f.Report()
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(report["kl"]/kl-1) > 1e-5 {
			t.Errorf("biases = %q: the report's KL is %v, by its formula %v", biases, report["kl"], kl)
		}
		if g := f.State["bn1.gamma"]; g[0] < 0.3 {
			t.Errorf("biases = %q: scale %v, which began at 1", biases, g)
		}
	}
}

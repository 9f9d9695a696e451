package sparsevd_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/backends/rng"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/sparsevd"
)

// golden are values of the KL in float64; exact is by numerical integration.
type golden struct {
	LogAlpha []float64 `json:"log_alpha"`
	Approx   []float64
	Exact    []float64
	Params   struct {
		Theta      []float64
		LogSigma2  []float64 `json:"log_sigma2"`
		LogAlpha   []float64 `json:"log_alpha"`
		KL         []float64
		Dtheta     []float64
		DlogSigma2 []float64 `json:"dlog_sigma2"`
	}
}

func load(t *testing.T) (g golden) {
	text, err := os.ReadFile("testdata/kl.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The approximation of a single log α, and how far it is from the exact KL:
// the paper's fit is good to 0.01 nats.
func TestKL(t *testing.T) {
	g := load(t)
	p, err := ir.Build("kl", func(b *ir.Builder) {
		b.Result("kl", sparsevd.KL(nn.NewScope(b, true), b.Param("la", ir.Float(1))))
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, la := range g.LogAlpha {
		out, err := ref.Eval(p, ref.Float([]float64{la}, 1))
		if err != nil {
			t.Fatal(err)
		}
		got := out[0].F[0]
		if math.Abs(got-g.Approx[i]) > 1e-12 {
			t.Errorf("log α = %v: KL %v, want %v", la, got, g.Approx[i])
		}
		if math.Abs(got-g.Exact[i]) > 0.01 {
			t.Errorf("log α = %v: KL %v, exact %v", la, got, g.Exact[i])
		}
	}
}

func TestLogAlphaAndGradients(t *testing.T) {
	g := load(t).Params
	n := len(g.Theta)
	p, err := ir.Build("kl", func(b *ir.Builder) {
		s := nn.NewScope(b, true)
		theta, logVar := s.Learn("theta", nn.Init{}, n), s.Learn("logvar", nn.Init{}, n)
		la := sparsevd.LogAlpha(s, theta, logVar)
		kl := sparsevd.KL(s, la)
		b.Result("log_alpha", la)
		b.Result("kl", kl)
		for i, d := range b.Grad(kl, theta, logVar) {
			b.Result([]string{"dtheta", "dlog_sigma2"}[i], d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := ref.Eval(p, ref.Float(g.Theta, n), ref.Float(g.LogSigma2, n))
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, x := range g.KL {
		total += x
	}
	for i, want := range [][]float64{g.LogAlpha, {total}, g.Dtheta, g.DlogSigma2} {
		for k := range want {
			if got := out[i].F[k]; math.Abs(got-want[k]) > 1e-10*(1+math.Abs(want[k])) {
				t.Errorf("%s[%d] = %v, want %v", p.Results[i].Name, k, got, want[k])
			}
		}
	}
}

// Inputs that carry nothing lose their weights, those that tell the classes
// apart keep some: automatic relevance determination.
func TestPrunesIrrelevantInputs(t *testing.T) {
	j := methodtest.Toy()
	j.Task.Examples, j.Epochs, j.Batch = 240, 200, 60
	d := methodtest.Blobs(j, j.Task.Examples)
	rng.Normal(d.X, rng.Key{1, 2}, 3)
	const size = 16
	for i := range j.Task.Examples { // only the first two inputs say anything
		class := i % 3
		d.X[i*size] = float32(class - 1)
		d.X[i*size+1] = float32(class % 2 * 2)
	}
	model, err := nn.Open("softmax-regression")
	if err != nil {
		t.Fatal(err)
	}
	f := methodtest.Trained(t, "sparse-vd", "warmup_start = 20\nwarmup_end = 80", model, j, d, 1)
	report, err := f.Report()
	if err != nil {
		t.Fatal(err)
	}
	relevant, kept := 0, 0
	for i, theta := range f.State["fc1.w"] {
		la := float64(f.State["fc1.logvar"][i]) - math.Log(float64(theta)*float64(theta)+1e-8)
		if la < 3 {
			kept++
			if i%size < 2 {
				relevant++
			}
		}
	}
	if report["nonzero/fc1"] != float64(kept) {
		t.Errorf("report counts %v kept weights, the state %d", report["nonzero/fc1"], kept)
	}
	if relevant < 2 || kept > 8 {
		t.Errorf("%d of 48 weights are kept, %d of them relevant", kept, relevant)
	}
	if last := f.Curve["train"]["nll"]; last[len(last)-1] > 0.2 {
		t.Errorf("nll is %v", last[len(last)-1])
	}
}

// The noise of a weight has the variance σ² within the clip of log α, and
// e⁸·θ² above it, so that it vanishes with the weight. With one input that is
// not zero the difference of two logits has twice that variance.
func TestNoise(t *testing.T) {
	j := methodtest.Toy()
	model, err := nn.Open("softmax-regression")
	if err != nil {
		t.Fatal(err)
	}
	f := methodtest.Trained(t, "sparse-vd", "warmup_start = 1\nwarmup_end = 3", model, j, methodtest.Blobs(j, j.Task.Examples), 1)
	one := methodtest.Data{X: make([]float32, 16*j.Task.Examples)}
	one.X[0] = 1
	const draws = 3000
	for _, c := range []struct{ theta, logVar, variance float64 }{
		{0.5, -2, math.Exp(-2)},
		{0.5, -40, math.Exp(-8) * 0.25},
		{0.01, 2, math.Exp(8) * 1e-4},
		{0, 2, 0},
	} {
		for i := range f.State["fc1.w"] {
			f.State["fc1.w"][i], f.State["fc1.logvar"][i] = float32(c.theta), float32(c.logVar)
		}
		clear(f.State["fc1.b"])
		probs, err := f.LogProbs("sample", one, draws, 5)
		if err != nil {
			t.Fatal(err)
		}
		got := 0.0
		for _, p := range probs {
			d := float64(p[0] - p[1])
			got += d * d / draws
		}
		if want := 2 * c.variance; math.Abs(got-want) > 5*want*math.Sqrt(2.0/draws) {
			t.Errorf("θ = %v, log σ² = %v: variance %v, want %v", c.theta, c.logVar, got, want)
		}
	}
}

// Fine-tuning prunes what the posterior at its start prunes, leaves the pruned
// weights out for good and moves the others.
func TestFineTune(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	fit := func(keys string, epochs int) *methodtest.Fitted {
		m, err := methodtest.New("sparse-vd", "warmup_start = 1\nwarmup_end = 3\nthreshold = -2.0\n"+keys)
		if err != nil {
			t.Fatal(err)
		}
		j.Epochs = epochs
		f, err := methodtest.Fit(ref.New(), m, methodtest.MLP, j, d, 3)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	before, after := fit("", 8), fit("fine_tune = 4", 12)
	left, err := before.Report()
	if err != nil {
		t.Fatal(err)
	}
	report, err := after.Report()
	if err != nil {
		t.Fatal(err)
	}
	pruned := 0
	for _, layer := range []string{"fc1", "fc2", "fc3"} {
		if report["nonzero/"+layer] != left["nonzero/"+layer] {
			t.Errorf("%s: %v weights, %v before fine-tuning", layer, report["nonzero/"+layer], left["nonzero/"+layer])
		}
		moved := 0
		for i, m := range after.State[layer+".w/mask"] {
			if m == 0 {
				pruned++
			} else if after.State[layer+".w"][i] != before.State[layer+".w"][i] {
				moved++
			}
		}
		if float64(moved) < 0.5*report["nonzero/"+layer] {
			t.Errorf("%s: %d weights moved of %v", layer, moved, report["nonzero/"+layer])
		}
	}
	if pruned == 0 {
		t.Error("nothing is pruned, so nothing is tested")
	}
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"":                               "warmup_end", // 20 epochs are more than the toy's 12
		"warmup_end = 4":                 "warmup_end", // before its start
		"warmup_end = 12\nthreshold = 9": "threshold",
		"warmup_start = 1\nwarmup_end = 6\nfine_tune = 7": "fine_tune", // starts in the warm-up
		"warmup_end = 12\nfine_tune = -1":                 "fine_tune",
		"parameterisation = \"both\"":                     "parameterisation",
		"init_logvar = inf":                               "init_logvar",
		"init_logvar = 81":                                "init_logvar",
		"kl_weight = -0.1":                                "kl_weight",
	} {
		methodtest.Refused(t, "sparse-vd", keys, key)
	}
}

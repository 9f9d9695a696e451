package laplace_test

import (
	"math"
	"strconv"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/mat"
)

func train(t *testing.T, l methodtest.Linear, keys string) *methodtest.Fitted {
	t.Helper()
	l.Job.Epochs = 2000
	l.Job.Train.LR, l.Job.Train.Schedule = 0.05, "linear"
	return methodtest.Trained(t, "laplace", keys, l.Model, l.Job, l.Data, 1)
}

// On Bayesian linear regression it is exact: KFAC has the posterior's
// covariance, the diagonal that of its precision's diagonal.
func TestLinearRegressionIsExact(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	mean, cov := l.Posterior(0.8)
	_, precision := l.PosteriorWith([]float64{0.8, 0.8, 0.8})
	kfac := train(t, l, "prior_sigma = 0.8\nprecision = \"fixed\"")
	diag := train(t, l, "prior_sigma = 0.8\nprecision = \"fixed\"\nstructure = \"diag\"")
	u, std := kfac.State["fc1/UA"], kfac.State["fc1/std"]
	mode := append(append([]float32(nil), kfac.State["fc1.w"]...), kfac.State["fc1.b"]...)
	for i := range 3 {
		if math.Abs(float64(mode[i])-mean.AtVec(i)) > 1e-3 {
			t.Errorf("mode %d is %v, exact %v", i, mode[i], mean.AtVec(i))
		}
		for k := range 3 {
			got := 0.0
			for e := range 3 {
				got += float64(u[i*3+e]) * float64(u[k*3+e]) * float64(std[e]) * float64(std[e])
			}
			if math.Abs(got-cov.At(i, k)) > 1e-6 {
				t.Errorf("KFAC: covariance %d %d is %v, exact %v", i, k, got, cov.At(i, k))
			}
		}
		if got, want := float64(diag.State["fc1/std"][i]), 1/math.Sqrt(precision.At(i, i)); math.Abs(got-want) > 1e-6 {
			t.Errorf("diagonal: standard deviation %d is %v, want %v", i, got, want)
		}
	}
}

// Trained under the prior that maximises the exact evidence, the marginal
// likelihood finds that prior again.
func TestMarginalLikelihood(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	best := 0.1
	for s := 0.1; s < 5; s *= 1.001 {
		if l.LogEvidence(s) > l.LogEvidence(best) {
			best = s
		}
	}
	l.Model.Name = "linear-regression"
	f := train(t, l, "prior_sigma = "+format(best))
	_, precision := l.PosteriorWith([]float64{best, best, best})
	var eigen mat.EigenSym
	if !eigen.Factorize(precision, false) {
		t.Fatal("no eigenvalues")
	}
	for i, want := range eigen.Values(nil) { // both ascending in λ
		if got := math.Pow(float64(f.State["fc1/std"][i]), -2); math.Abs(got/want-1) > 0.01 {
			t.Errorf("precision %d is %v, under the best prior %v", i, got, want)
		}
	}
}

// Softmax regression's Gauss-Newton diagonal is Σ p(1−p)x², in closed form.
func TestSoftmaxDiagonal(t *testing.T) {
	j := methodtest.Toy()
	j.EvalBatch = j.Task.Examples
	d := methodtest.Blobs(j, j.Task.Examples)
	model, err := nn.Open("softmax-regression")
	if err != nil {
		t.Fatal(err)
	}
	f := methodtest.Trained(t, "laplace", "structure = \"diag\"\nprecision = \"fixed\"\nprior_sigma = 0.5", model, j, d, 1)
	logp, err := f.LogProbs("mean", d, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 3 {
		for i := range 17 { // the last is the bias
			want := 4.0 // 1/0.5²
			for n := range j.Task.Examples {
				p, x := math.Exp(float64(logp[0][n*3+c])), 1.0
				if i < 16 {
					x = float64(d.X[n*16+i])
				}
				want += p * (1 - p) * x * x
			}
			if got := math.Pow(float64(f.State["fc1/std"][c*17+i]), -2); math.Abs(got/want-1) > 1e-4 {
				t.Errorf("precision %d %d is %v, want %v", c, i, got, want)
			}
		}
	}
}

// Of a hidden layer, H's diagonal is Σ_n Σ_c p_c·(∂log p_c/∂w)², here by finite
// differences.
func TestHiddenLayerDiagonal(t *testing.T) {
	j := methodtest.Toy()
	j.EvalBatch = j.Task.Examples
	d := methodtest.Blobs(j, j.Task.Examples)
	fit := func(keys string) *methodtest.Fitted {
		return methodtest.Trained(t, "laplace", "layers = \"all\"\nprecision = \"fixed\"\nprior_sigma = 1e3\n"+keys, methodtest.MLP, j, d, 1)
	}
	f := fit("structure = \"diag\"")
	logp := func() []float32 {
		v, err := f.LogProbs("mean", d, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	at := logp()
	checked := 0
	for k := 0; k < 128; k += 9 {
		w := &f.State["fc1.w"][k]
		const step = 1.0 / 1024
		*w += step
		up := logp()
		*w -= 2 * step
		down := logp()
		*w += step
		want := 0.0
		for i, x := range at {
			g := float64(up[i]-down[i]) / (2 * step)
			want += math.Exp(float64(x)) * g * g
		}
		got := math.Pow(float64(f.State["fc1/std"][k/16*17+k%16]), -2) - 1e-6
		if want < 1e-3 {
			continue // a unit that is never on
		}
		checked++
		if math.Abs(got/want-1) > 0.05 {
			t.Errorf("H of fc1.w[%d] is %v, by differences %v", k, got, want)
		}
	}
	if checked < 5 {
		t.Errorf("only %d weights matter", checked)
	}
}

// Of numbers, H's diagonal is Σ_n Σ_i (∂m_i/∂w)²/v_i + ½(∂log v_i/∂w)², here by finite differences;
// noise that is no output does not move with w.
func TestHiddenLayerDiagonalOfNumbers(t *testing.T) {
	for _, noise := range []task.Noise{task.Heteroscedastic, task.Homoscedastic, task.Fixed} {
		j := methodtest.ToyRegression(noise)
		j.EvalBatch = j.Task.Examples
		d := methodtest.Examples(j)
		f := methodtest.Trained(t, "laplace", "layers = \"all\"\nprecision = \"fixed\"\nprior_sigma = 1e3\nstructure = \"diag\"", methodtest.MLP, j, d, 1)
		predict := func() map[string][]float32 {
			draws, err := f.Draws(0, "mean", d, 1, 0)
			if err != nil {
				t.Fatal(err)
			}
			return draws[0]
		}
		at := predict()
		checked := 0
		for k := 0; k < 128; k += 9 {
			w := &f.State["fc1.w"][k]
			const step = 1.0 / 2048 // few units switch within
			*w += step
			up := predict()
			*w -= 2 * step
			down := predict()
			*w += step
			want := 0.0
			for i, s := range at["log_var"] {
				slope := func(name string) float64 { return float64(up[name][i]-down[name][i]) / (2 * step) }
				want += math.Pow(slope("mean"), 2)*math.Exp(-float64(s)) + math.Pow(slope("log_var"), 2)/2
			}
			got := math.Pow(float64(f.State["fc1/std"][k/16*17+k%16]), -2) - 1e-6
			if want < 1e-3 {
				continue // a unit that is never on
			}
			checked++
			if math.Abs(got/want-1) > 0.05 {
				t.Errorf("%s noise: H of fc1.w[%d] is %v, by differences %v", noise, k, got, want)
			}
		}
		if checked < 5 {
			t.Errorf("%s noise: only %d weights matter", noise, checked)
		}
	}
}

// The linearised outputs have the mean of the mode, and their variance over draws is that of J·(w −
// w*). Of a linear regression it is x·Σ·xᵀ with the exact posterior's Σ.
func TestLinearisedVarianceOfNumbers(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	f := train(t, l, "prior_sigma = 0.8\nprecision = \"fixed\"\nlayers = \"all\"")
	mean, cov := l.Posterior(0.8)
	const k = 4000
	draws, err := f.Draws(0, "linearised", l.Data, k, 5)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		x := mat.NewVecDense(3, []float64{float64(l.Data.X[2*n]), float64(l.Data.X[2*n+1]), 1})
		m, v := mat.Dot(x, mean), mat.Inner(x, cov, x)
		var first, second float64
		for _, draw := range draws {
			y := float64(draw["mean"][n]) - m
			first += y / k
			second += y * y / k
			if s := float64(draw["log_var"][n]); math.Abs(s-2*math.Log(l.Noise)) > 1e-6 {
				t.Fatalf("log variance %v, given %v", s, 2*math.Log(l.Noise))
			}
		}
		if math.Abs(first) > 5*math.Sqrt(v/k)+1e-3 || math.Abs(second/v-1) > 5*math.Sqrt(2./k) {
			t.Errorf("example %d: mean off by %v, variance %v, exact %v", n, first, second, v)
		}
	}
}

// Where the outputs are linear in the weights, the linearised predictor draws
// what the sampled one draws.
func TestLinearisedIsExactForOneLayer(t *testing.T) {
	model, err := nn.Open("softmax-regression")
	if err != nil {
		t.Fatal(err)
	}
	f, d := all(t, model, "kfac")
	sample, linearised := draws(t, f, d, "sample", 3), draws(t, f, d, "linearised", 3)
	for k := range sample {
		if off := farthest(sample[k], linearised[k]); off > 1e-5 {
			t.Errorf("draw %d: log-probabilities differ by %v", k, off)
		}
	}
}

// With a posterior 1e-4 as wide, the sampled and the linearised outputs
// differ by the square of that.
func TestLinearisedIsTheTangent(t *testing.T) {
	for _, structure := range []string{"diag", "kfac"} {
		f, d := all(t, methodtest.MLP, structure)
		for _, layer := range []string{"fc1", "fc2", "fc3"} {
			for i := range f.State[layer+"/std"] {
				f.State[layer+"/std"][i] *= 1e-4
			}
		}
		mode := draws(t, f, d, "mean", 1)[0]
		for k, sample := range draws(t, f, d, "sample", 3) {
			linearised := draws(t, f, d, "linearised", 3)[k]
			moved, off := farthest(sample, mode), farthest(sample, linearised)
			if moved < 1e-4 || off > 0.03*moved {
				t.Errorf("%s, draw %d: moves %v from the mode, and differs by %v from its tangent", structure, k, moved, off)
			}
		}
	}
}

// The draws of all layers predict well in the linearised model and badly in the
// network itself, as Immer et al. found.
func TestLinearisedPredictsBetter(t *testing.T) {
	f, d := all(t, methodtest.MLP, "kfac")
	nll := func(predictor string) float64 {
		const k = 50
		p := make([]float64, 48*3)
		for _, logp := range draws(t, f, d, predictor, k) {
			for i, x := range logp {
				p[i] += math.Exp(float64(x)) / k
			}
		}
		sum := 0.0
		for i, y := range d.Y {
			sum -= float64(y) * math.Log(p[i]) / 48
		}
		return sum
	}
	if linearised, sample := nll("linearised"), nll("sample"); linearised > 0.7*sample {
		t.Errorf("NLL %.3f linearised, %.3f sampled", linearised, sample)
	}
}

// all fits the posterior of all layers to the toy problem.
func all(t *testing.T, model nn.Model, structure string) (*methodtest.Fitted, methodtest.Data) {
	t.Helper()
	j := methodtest.Toy()
	j.EvalBatch = j.Task.Examples
	d := methodtest.Blobs(j, j.Task.Examples)
	f := methodtest.Trained(t, "laplace", "layers = \"all\"\nprecision = \"fixed\"\nstructure = \""+structure+"\"", model, j, d, 1)
	return f, d
}

func draws(t *testing.T, f *methodtest.Fitted, d methodtest.Data, predictor string, k int) [][]float32 {
	t.Helper()
	out, err := f.LogProbs(predictor, d, k, 4)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func farthest(a, b []float32) float64 {
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

func TestRefusals(t *testing.T) {
	for keys, key := range map[string]string{
		"structure = \"full\"": "structure", "layers = \"first\"": "layers", "precision = \"cv\"": "precision",
		"prior_sigma = 0": "prior_sigma", "prior_sigma = inf": "prior_sigma",
	} {
		methodtest.Refused(t, "laplace", keys, key)
	}
	m, err := methodtest.New("laplace", "layers = \"all\"")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Plan(methodtest.ConvNet, methodtest.Toy()); err == nil {
		t.Error("the curvature of convolutions is promised")
	}
}

func format(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

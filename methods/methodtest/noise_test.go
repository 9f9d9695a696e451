package methodtest_test

import (
	"math"
	"slices"
	"testing"

	"bayesbench/backends"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

const logVar = "noise.log_var" // the slot of homoscedastic noise

// parameters are w and b of a linear regression.
func parameters(state map[string][]float32, suffix string) []float32 {
	return slices.Concat(state["fc1.w"+suffix], state["fc1.b"+suffix])
}

// Methods that give one network, or several of one mode, reach the mode of (w, b) and the noise of
// Bayesian linear regression. Where the prior is on the weights alone it is flat on b.
func TestNoiseAtTheMode(t *testing.T) {
	l := methodtest.NewLinear(20, 2).Learnt()
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 3000, 0.05, "linear"
	weights, all := []float64{1, 1, math.Inf(1)}, []float64{1, 1, 1}
	be, err := backends.Open("gonum")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	for _, c := range []struct {
		name, keys string
		suffix     string // of the slots that the prediction reads
		sigmas     []float64
	}{
		{"deterministic", "", "", weights},
		{"snapshot", "cycles = 3", "", weights},
		{"swa", "lr = 0.05\nmomentum = 0.9", "/mean", weights},
		{"swag", "lr = 0.05\nmomentum = 0.9", "/mean", weights},
		{"magnitude-pruning", "sparsity = 0.0", "", weights},
		{"distill", "[teacher]\nname = \"deterministic\"", "", weights}, // by a teacher certain of y
		{"laplace", "precision = \"fixed\"", "", all},
		{"svgd", "particles = 1", "", all},
		{"bayesian-dark-knowledge", "temperature = 0.0\nnoise = 0.0\nlr = 0.05\nstudent_sigma = inf", "", nil},
	} {
		m, err := methodtest.New(c.name, c.keys)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint32(2) { // the members of an ensemble differ in it
			j := l.Job
			if c.name == "snapshot" {
				j.Train.Schedule = ""
			}
			f, err := methodtest.Fit(be, m, l.Model, j, l.Data, seed)
			if err != nil {
				t.Fatal(err)
			}
			states := append(slices.Clone(f.Kept), f.State)
			sigmas := c.sigmas
			if sigmas == nil { // the teacher's, where the student has its own
				sigmas = all
				for _, name := range []string{"fc1.w", "fc1.b", logVar} {
					f.State[name] = f.State["teacher/"+name]
				}
			}
			w, s := l.Mode(sigmas)
			for _, state := range states {
				for i, x := range parameters(state, c.suffix) {
					if math.Abs(float64(x)-w.AtVec(i)) > 2e-3 {
						t.Errorf("%s: parameter %d is %v, at the mode %v", c.name, i, x, w.AtVec(i))
					}
				}
				if x := float64(state[logVar+c.suffix][0]); math.Abs(x-s) > 2e-3 {
					t.Errorf("%s: the log variance is %v, at the mode %v", c.name, x, s)
				}
			}
		}
	}
}

// Samplers draw the noise with the weights: mean and variance of its log are those of the exact
// posterior, which has no closed form, by quadrature.
func TestNoiseIsSampled(t *testing.T) {
	l := methodtest.NewLinear(20, 2).Learnt()
	w, s, variance := l.LearntPosterior(1)
	_, cov := l.Posterior(1)
	be, err := backends.Open("gonum")
	if err != nil {
		t.Fatal(err)
	}
	defer be.Close()
	cases := []struct {
		name, keys     string
		epochs, chains int
	}{
		{"svgd", "particles = 12\nbandwidth = 4.0", 400, 1},
		{"hmc", "step_size = 0.01\nleapfrog = 8\njitter = 0.3\nburn_in = 200\nsamples = 4000", 1, 1},
		{"sgld", "lr = 0.02\ngamma = 0.0\nsamples = 20000", 40000, 4},
		{"sghmc", "lr = 0.01\nfriction = 0.1\nsamples = 10000", 20000, 2},
		{"csgmcmc", "lr = 0.02\nfriction = 0.1\ncycles = 10\nexploration = 0.3\nsamples = 1200", 40000, 2},
		{"psgld", "lr = 0.005\ngamma = 0.0\nsamples = 20000\ngamma_term = true", 40000, 4},
	}
	if testing.Short() {
		cases = cases[:3]
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			own := l
			own.Job.Epochs = c.epochs
			if c.name == "svgd" {
				own.Job.Train.LR, own.Job.Train.Schedule = 0.2, "linear"
			}
			m, err := methodtest.New(c.name, c.keys)
			if err != nil {
				t.Fatal(err)
			}
			var states []map[string][]float32
			for chain := range c.chains {
				f, err := methodtest.Fit(be, m, own.Model, own.Job, own.Data, uint32(chain))
				if err != nil {
					t.Fatal(err)
				}
				states = append(states, f.Kept...)
			}
			mean, _ := methodtest.Moments(states)
			var first, second float64
			for _, state := range states {
				x := float64(state[logVar][0])
				first += x / float64(len(states))
				second += x * x / float64(len(states))
			}
			t.Logf("%s: log variance %.4f ± %.4f, exact %.4f ± %.4f", c.name, first, math.Sqrt(second-first*first), s, math.Sqrt(variance))
			if math.Abs(first-s) > 0.15*math.Sqrt(variance) {
				t.Errorf("the mean of the log variance is %.4f, exact %.4f ± %.4f", first, s, math.Sqrt(variance))
			}
			if ratio := (second - first*first) / variance; math.Abs(ratio-1) > 0.2 {
				t.Errorf("the variance of the log variance is %.3f of the exact", ratio)
			}
			for i := range w.Len() {
				if d := (mean.AtVec(i) - w.AtVec(i)) / math.Sqrt(cov.At(i, i)); math.Abs(d) > 0.2 {
					t.Errorf("the mean of parameter %d is %.3f standard deviations off", i, d)
				}
			}
		})
	}
}

// FFG with Gaussian biases and a noise that is learnt is where each is best for the others:
// variances 1/(Σx²/σ² + 1/prior²), and σ² = (E_q Σr² + 0.2)/(N + 2).
func TestNoiseOfFFG(t *testing.T) {
	l := methodtest.NewLinear(20, 2).Learnt()
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 8000, 0.02, "linear"
	f := methodtest.Trained(t, "ffg", "prior_sigma = 0.8\ninit_sigma = 0.1\nbiases = \"gaussian\"", l.Model, l.Job, l.Data, 1)
	noise := math.Exp(float64(f.State[logVar][0]))
	given := l
	given.Noise = math.Sqrt(noise)
	mean, precision := given.PosteriorWith([]float64{0.8, 0.8, 0.8})
	rho := slices.Concat(f.State["fc1.rho"], f.State["fc1.b.rho"])
	expected := 0.0 // E_q Σr²
	for n := range l.Job.Task.Examples {
		x := []float64{float64(l.Data.X[2*n]), float64(l.Data.X[2*n+1]), 1}
		r := float64(l.Data.Y[n])
		for i, mu := range parameters(f.State, "") {
			r -= float64(mu) * x[i]
			expected += math.Exp(2*float64(rho[i])) * x[i] * x[i]
		}
		expected += r * r
	}
	for i, mu := range parameters(f.State, "") {
		want := 1 / math.Sqrt(precision.At(i, i))
		if math.Abs(float64(mu)-mean.AtVec(i)) > 0.15*want {
			t.Errorf("mean %d is %v, the optimum %v", i, mu, mean.AtVec(i))
		}
		if sigma := math.Exp(float64(rho[i])); math.Abs(sigma/want-1) > 0.05 {
			t.Errorf("standard deviation %d is %v, the optimum %v", i, sigma, want)
		}
	}
	if want := (expected + 0.2) / 22; math.Abs(noise/want-1) > 0.03 {
		t.Errorf("the noise's variance is %v, the optimum %v", noise, want)
	}
}

// Laplace's posterior of the weights is the exact one at the noise of the mode.
func TestNoiseOfLaplace(t *testing.T) {
	l := methodtest.NewLinear(20, 2).Learnt()
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 3000, 0.05, "linear"
	_, s := l.Mode([]float64{0.8, 0.8, 0.8})
	given := l
	given.Noise = math.Exp(s / 2)
	_, cov := given.Posterior(0.8)
	f := methodtest.Trained(t, "laplace", "prior_sigma = 0.8\nprecision = \"fixed\"", l.Model, l.Job, l.Data, 1)
	u := mat.NewDense(3, 3, widen(f.State["fc1/UA"]))
	var found mat.Dense
	std := widen(f.State["fc1/std"])
	found.Mul(u, mat.NewDiagDense(3, []float64{std[0] * std[0], std[1] * std[1], std[2] * std[2]}))
	found.Mul(&found, u.T())
	for i := range 3 {
		for k := range 3 {
			if math.Abs(found.At(i, k)-cov.At(i, k)) > 1e-3*math.Sqrt(cov.At(i, i)*cov.At(k, k)) {
				t.Errorf("covariance %d %d is %v, exact %v", i, k, found.At(i, k), cov.At(i, k))
			}
		}
	}
}

// Where x says nothing, heteroscedastic noise has the target's mean and variance, by either link.
func TestNoiseWithoutInputs(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	clear(l.Data.X)
	l.Job.Epochs, l.Job.Train.LR, l.Job.Train.Schedule = 3000, 0.05, "linear"
	mean, variance := stat.PopMeanVariance(widen(l.Data.Y), nil)
	for _, link := range []task.Link{task.Exp, task.Softplus} {
		l.Job.Task.Likelihood = task.Gaussian{Noise: task.Heteroscedastic, Link: link, Width: 1}
		f := methodtest.Trained(t, "deterministic", "prior_sigma = inf", l.Model, l.Job, l.Data, 1)
		draws, err := f.Draws(0, "mean", l.Data, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		m, v := float64(draws[0]["mean"][0]), math.Exp(float64(draws[0]["log_var"][0]))
		if math.Abs(m-mean) > 1e-3 || math.Abs(v/variance-1) > 2e-3 {
			t.Errorf("%s: mean %v, variance %v; of the targets they are %v, %v", link, m, v, mean, variance)
		}
	}
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

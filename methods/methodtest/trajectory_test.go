package methodtest_test

import (
	"strings"
	"testing"

	"bayesbench/backends"
	_ "bayesbench/backends/gomlx"
	_ "bayesbench/backends/gonum"
	_ "bayesbench/backends/gorgonia"
	"bayesbench/backends/ref"
	"bayesbench/methods"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
)

// fortySteps are the keys under which a method trains for forty steps, where
// those of its other tests do not suit.
var fortySteps = map[string]string{
	"csgmcmc": "cycles = 2\nsamples = 2",
	// Under the whole KL the toy's weights pass to and fro through zero, where the
	// slope of the noise jumps at the clip of log α and a rounding decides the way.
	"sparse-vd": "warmup_start = 1\nwarmup_end = 6\nkl_weight = 0.01",
	"hmc":       "step_size = 0.02\nleapfrog = 5\nburn_in = 3\nsamples = 5",
}

// plain is the tolerance of a method that has none of its own. The worst found
// on any backend is half of it or less, here and below.
var plain = methodtest.Tolerance{Scalars: 2e-6, State: 5e-5, Why: "forty steps, each some float32 roundings apart"}

var tolerances = map[string]methodtest.Tolerance{
	"hmc":       {Scalars: 5e-5, State: 5e-5, Why: "the acceptance is the exponential of a difference of energies"},
	"laplace":   {Scalars: 2e-6, State: 1e-3, Why: "eigenvectors turn by the error over the gap between their eigenvalues"},
	"sparse-vd": {Scalars: 5e-6, State: 5e-4, Why: "log alpha has the slope -2/w, large where w is small, and its terms cancel"},
	"swag":      {Scalars: 2e-6, State: 5e-4, Why: "deviations are differences of nearly equal states"},
	"variational-dropout": {Scalars: 2e-5, State: 5e-5,
		Why: "the KL is a sum over weights of a cubic whose terms cancel"},
}

// fortyRegressionSteps stand in the place of fortySteps for the toy regression.
var fortyRegressionSteps = map[string]string{
	// With θ and log σ² learnt, weights pass through zero, as above, at any weight of the KL.
	"sparse-vd": "warmup_start = 1\nwarmup_end = 6\nparameterisation = \"multiplicative\"",
}

// regressionTolerances stand in the place of tolerances for the toy regression.
var regressionTolerances = map[string]methodtest.Tolerance{
	"csgmcmc": {Scalars: 5e-6, State: 5e-5, Why: "each cycle starts at the largest step; roundings were found to grow to 2e-6, ten times as far as under sgld"},
	"psgld":   {Scalars: 1e-5, State: 1e-4, Why: "a step is a gradient over its size, so that one that cancels to rounding steps as far as any"},
}

// Every method trains for forty steps on every backend that can run here: each
// step's scalars, the state at the end and the stored ones are those of ref,
// which computes in float64. (Ensembles have no training of their own.) Under -short
// it is every second method.
func TestTrajectories(t *testing.T) {
	testTrajectories(t, methodtest.ConvNet, func(int) methods.Job { return methodtest.Toy() })
}

// The same with numbers as the target, whose noise is in turn an output and a parameter.
func TestTrajectoriesOfRegression(t *testing.T) {
	testTrajectories(t, methodtest.MLP, func(i int) methods.Job {
		return methodtest.ToyRegression([]task.Noise{task.Heteroscedastic, task.Homoscedastic}[i/2%2])
	})
}

// testTrajectories trains every method on the model and the job that belongs to its number.
func testTrajectories(t *testing.T, model nn.Model, job func(i int) methods.Job) {
	fit := func(t *testing.T, be backends.Backend, i int, name string) *methodtest.Fitted {
		j := job(i)
		j.Epochs = 10
		k, ok := fortySteps[name]
		if own, has := fortyRegressionSteps[name]; has && j.Task.Likelihood.Name() == "gaussian" {
			k, ok = own, true
		}
		if !ok {
			k = keys[name]
		}
		m, err := methodtest.New(name, k)
		if err != nil {
			t.Fatal(err)
		}
		f, err := methodtest.Fit(be, m, model, j, methodtest.Examples(j), 5)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	want := map[string]*methodtest.Fitted{}
	for i, m := range planned(t) {
		if testing.Short() && i%2 != 0 {
			continue
		}
		f := fit(t, ref.New(), i, m.Name)
		if len(f.Plan.Members) > 0 {
			continue
		}
		want[m.Name] = f
		steps := 0
		for _, s := range f.Plan.Stages {
			steps += s.Steps
		}
		if steps < 40 {
			t.Errorf("%s trains for %d steps", m.Name, steps)
		}
	}
	for _, driver := range backends.Drivers() {
		for _, name := range driver.Configs {
			if name == "ref" {
				continue
			}
			t.Run(name, func(t *testing.T) {
				be, err := backends.Open(name)
				if err != nil {
					t.Skip(err) // says which plugin is missing
				}
				defer be.Close()
				for i, m := range planned(t) {
					if want[m.Name] == nil {
						continue
					}
					t.Run(m.Name, func(t *testing.T) {
						tol, ok := tolerances[m.Name]
						if t, has := regressionTolerances[m.Name]; has && job(i).Task.Likelihood.Name() == "gaussian" {
							tol, ok = t, true
						}
						if !ok {
							tol = plain
						}
						if err := methodtest.Same(fit(t, be, i, m.Name), want[m.Name], tol); err != nil {
							t.Error(err)
						}
					})
				}
			})
		}
	}
}

// Same sees one element of the state, and one scalar of one step.
func TestSame(t *testing.T) {
	j := methodtest.Toy()
	d := methodtest.Blobs(j, j.Task.Examples)
	fit := func() *methodtest.Fitted {
		return methodtest.Trained(t, "snapshot", "", methodtest.MLP, j, d, 5)
	}
	want := fit()
	for about, spoil := range map[string]func(f *methodtest.Fitted){
		"":                                 func(*methodtest.Fitted) {},
		"slot fc2.w[7] at the end":         func(f *methodtest.Fitted) { f.State["fc2.w"][7] += 1e-3 },
		"slot fc1.b[0] in stored state 1":  func(f *methodtest.Fitted) { f.Kept[1]["fc1.b"][0] += 1e-3 },
		"stage train, step 9: nll":         func(f *methodtest.Fitted) { f.Curve["train"]["nll"][9] += 1e-4 },
		"states were stored":               func(f *methodtest.Fitted) { f.Kept = f.Kept[1:] },
		"slot fc3.w[1] at the end is NaN,": func(f *methodtest.Fitted) { v := f.State["fc3.w"]; v[1] = (v[1] - v[1]) / (v[1] - v[1]) },
	} {
		f := fit()
		spoil(f)
		err := methodtest.Same(f, want, plain)
		switch {
		case about == "" && err != nil:
			t.Errorf("two runs of one seed: %v", err)
		case about != "" && (err == nil || !strings.Contains(err.Error(), about)):
			t.Errorf("want an error about %q, found %v", about, err)
		}
	}
}

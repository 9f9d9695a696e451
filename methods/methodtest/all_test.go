package methodtest_test

import (
	"os"
	"testing"

	"bayesbench/backends/ref"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// keys are what a method needs on the toy problem, where its defaults are
// meant for a longer training.
var keys = map[string]string{
	"swa":               "lr = 0.05\ncollect = 4",
	"swag":              "lr = 0.05\ncollect = 4\nrank = 3",
	"sparse-vd":         "warmup_start = 1\nwarmup_end = 6",
	"magnitude-pruning": "sparsity = 0.5",
	"distill":           "[teacher]\nname = \"sgld\"",
	"svgd":              "particles = 3",
	"hmc":               "step_size = 0.02\nburn_in = 5\nsamples = 10",
	"ensemble":          "members = 2\n[of]\nname = \"ffg\"",
}

// variants are settings beside the defaults that change what is built.
var variants = []struct{ name, keys string }{
	{"ffg", "estimator = \"weight\"\nprior = \"layer\"\nkl_weight = 0.1"},
	{"ffg", "estimator = \"flipout\"\nprior = \"neuron\"\nkl_weight = 0.1"},
	{"ffg", "biases = \"gaussian\"\nprior = \"ard\"\nwarmup_end = 6.0"},
	{"ffg", "layers = \"last\""},
	{"sparse-vd", "warmup_start = 1\nwarmup_end = 6\nfine_tune = 3"},
	{"sparse-vd", "parameterisation = \"multiplicative\"\nwarmup_start = 1\nwarmup_end = 6"},
	{"laplace", "structure = \"diag\"\nprecision = \"fixed\""},
	{"ffg", "biases = \"gaussian\"\nestimator = \"weight\"\nkl_weight = 0.1"},
	{"magnitude-pruning", "scope = \"global\"\nsparsity = 0.5"},
	{"learned-dropout", "estimator = \"reinforce\"\nkl_weight = 0.1"},
	{"variational-dropout", "per = \"neuron\""},
	{"variational-dropout", "per = \"weight\"\nkl_weight = 0.1"},
	{"ffg", "prior = \"mixture\"\nmixture_sigma2 = 0.1"},
}

// Every method has its page.
func TestPages(t *testing.T) {
	for _, d := range methods.Drivers() {
		if _, err := os.Stat("../../docs/methods/" + d.Name + ".md"); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryMethod(t *testing.T) {
	for _, d := range methods.Drivers() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			methodtest.Check(t, ref.New(), d.Name, keys[d.Name])
		})
	}
}

func TestVariants(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			methodtest.Check(t, ref.New(), v.name, v.keys)
		})
	}
}

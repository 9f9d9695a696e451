package methodtest_test

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
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
	"hmc":               "step_size = 0.05\nleapfrog = 8\nburn_in = 5\nsamples = 10",
	"ensemble":          "members = 2\n[of]\nname = \"ffg\"",
	"external":          "command = [\"python3\", \"mine.py\"]",
}

// planned lists the methods whose plans are programs of ours. The others are programs of their own:
// of these the package checks the plan, and cmd/benchrun/internal/external runs them.
func planned(t *testing.T) []methods.Driver {
	t.Helper()
	all := methods.Drivers()
	ours := slices.DeleteFunc(slices.Clone(all), func(d methods.Driver) bool {
		m, err := methodtest.New(d.Name, keys[d.Name])
		if err != nil {
			t.Fatal(err)
		}
		plan, err := m.Plan(methodtest.MLP, methodtest.Toy())
		if err != nil {
			t.Fatal(err)
		}
		return plan.Program != nil
	})
	if len(all)-len(ours) != 1 {
		t.Fatalf("%d methods are programs of their own, want external alone", len(all)-len(ours))
	}
	return ours
}

// regressionKeys are what a method needs on the toy regression, where it is not
// what it needs on the toy problem.
var regressionKeys = map[string]string{
	"bayesian-dark-knowledge": "temperature = 0.1",
	"csgmcmc":                 "lr = 0.01\ntemperature = 0.1",
	"psgld":                   "lr = 0.01\ntemperature = 0.1",
	"sgld":                    "temperature = 0.1\nlr = 0.05",
	"swa":                     "lr = 0.002\ncollect = 4",
	"swag":                    "lr = 0.002\ncollect = 4\nrank = 3",
	"variational-dropout":     "kl_weight = 0.1",
}

// keysFor are the keys of a method on the toy regression.
func keysFor(name string) string {
	if k, ok := regressionKeys[name]; ok {
		return k
	}
	return keys[name]
}

// variant is a method under keys.
type variant struct{ name, keys string }

// variants are settings beside the defaults that change what is built.
var variants = []variant{
	{"ffg", "estimator = \"weight\"\nprior = \"layer\"\nkl_weight = 0.1"},
	{"ffg", "estimator = \"flipout\"\nprior = \"neuron\"\nkl_weight = 0.1"},
	{"ffg", "biases = \"gaussian\"\nprior = \"ard\"\nwarmup_end = 6.0"},
	{"ffg", "layers = \"last\""},
	{"sparse-vd", "warmup_start = 1\nwarmup_end = 6\nfine_tune = 3"},
	{"psgld", "gamma_term = true"},
	{"sparse-vd", "parameterisation = \"multiplicative\"\nwarmup_start = 1\nwarmup_end = 6"},
	{"laplace", "structure = \"diag\"\nprecision = \"fixed\""},
	{"ffg", "biases = \"gaussian\"\nestimator = \"weight\"\nkl_weight = 0.1"},
	{"magnitude-pruning", "scope = \"global\"\nsparsity = 0.5"},
	{"learned-dropout", "estimator = \"reinforce\"\nkl_weight = 0.1"},
	{"variational-dropout", "per = \"neuron\""},
	{"variational-dropout", "per = \"weight\"\nkl_weight = 0.1"},
	{"ffg", "prior = \"mixture\"\nmixture_sigma2 = 0.1"},
}

// regressionVariants are the keys that variants need besides on the toy regression.
var regressionVariants = map[variant]string{
	{"ffg", "biases = \"gaussian\"\nprior = \"ard\"\nwarmup_end = 6.0"}: "kl_weight = 0.1",
	{"psgld", "gamma_term = true"}:                                      "lr = 0.01\ntemperature = 0.1",
	{"variational-dropout", "per = \"neuron\""}:                         "kl_weight = 0.1",
}

// Every method has its page, which says what a page must and lists the keys
// that the method has, no others, with their defaults.
func TestPages(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| ([^|]*) \\|")
	for _, d := range methods.Drivers() {
		page, err := os.ReadFile("../../docs/methods/" + d.Name + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + d.Name + "\n", "rior", "KL", "redictor", "**Numbers as the target.**", "**Cost.**", "**When to use it.**", "**Source.**"} {
			if !strings.Contains(string(page), part) {
				t.Errorf("%s: the page does not have %q", d.Name, part)
			}
		}
		defaults := keyRecorder{}
		if _, err := d.New(defaults); err != nil && len(defaults) == 0 {
			t.Error(err)
		}
		for _, m := range row.FindAllStringSubmatch(string(page), -1) {
			values := strings.Split(m[2], ", ")
			for i, key := range strings.Split(m[1], ", ") {
				key = strings.Trim(key, "`")
				has, ok := defaults[key]
				if !ok && !strings.HasPrefix(key, "[") {
					t.Errorf("%s: the page lists %s, which the method does not have", d.Name, key)
				}
				delete(defaults, key)
				if i >= len(values) {
					continue
				}
				said := strings.Replace(strings.Trim(values[i], "\""), "−", "-", 1)
				if x, err := strconv.ParseFloat(said, 64); err == nil {
					said = fmt.Sprint(x)
				} else if strings.Contains(said, " ") || said == "e⁻⁶" {
					continue // a default that depends on the job, or is not a decimal
				}
				if ok && fmt.Sprint(has) != said {
					t.Errorf("%s: the page gives %s the default %s, the method %v", d.Name, key, said, has)
				}
			}
		}
		for key := range defaults {
			t.Errorf("%s: the page does not list %s", d.Name, key)
		}
	}
}

// keyRecorder is parameters that set nothing and note which keys are asked for,
// with their defaults.
type keyRecorder map[string]any

func (k keyRecorder) Decode(dst any) error {
	k.add(reflect.ValueOf(dst).Elem())
	return nil
}

func (k keyRecorder) add(v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous {
			k.add(v.Field(i))
		} else if tag := f.Tag.Get("toml"); tag != "" {
			k[tag] = v.Field(i).Interface()
		}
	}
}

// Method is for nested tables, whose keys are those of their own pages.
func (k keyRecorder) Method(string) (methods.Method, error) {
	return methods.New("deterministic", keyRecorder{})
}

// In every method that weighs a KL, the weight reaches the whole of what the loss
// adds to the likelihood, and the recorded "kl" does not depend on it:
// loss − nll = β/N·kl, under a warm-up too. So the first step, which starts from
// the same state with the same noise, has the same "kl" at every weight.
func TestKLWeight(t *testing.T) {
	j := methodtest.Toy()
	j.Train.LR = 1e-9
	d := methodtest.Blobs(j, j.Task.Examples)
	for _, c := range []struct{ name, keys string }{
		{"ffg", "prior_sigma = 0.3"},
		{"ffg", "prior = \"layer\"\nbiases = \"gaussian\""},
		{"ffg", "prior = \"neuron\"\nbiases = \"gaussian\""},
		{"ffg", "prior = \"ard\"\nbiases = \"gaussian\""},
		{"ffg", "prior = \"mixture\"\nbiases = \"gaussian\""},
		{"ffg", "estimator = \"flipout\""},
		{"variational-dropout", "per = \"layer\""},
		{"variational-dropout", "per = \"neuron\""},
		{"variational-dropout", "per = \"weight\""},
		{"sparse-vd", "train_clip = false"},
		{"sparse-vd", "parameterisation = \"multiplicative\""},
		{"learned-dropout", "length_scale = 2.0"},
		{"learned-dropout", "length_scale = 2.0\nestimator = \"reinforce\""},
	} {
		first := math.NaN()
		for _, weight := range []float64{0, 0.5, 1} {
			for _, warmup := range []float64{0, 6} {
				keys := fmt.Sprintf("%s\nkl_weight = %v\nwarmup_start = 0.0\nwarmup_end = %v", c.keys, weight, warmup)
				curve := methodtest.Trained(t, c.name, keys, methodtest.MLP, j, d, 3).Curve["train"]
				if math.IsNaN(first) {
					first = curve["kl"][0]
				}
				if math.Abs(curve["kl"][0]-first) > 1e-6*math.Abs(first) {
					t.Errorf("%s %q: kl %v with kl_weight 0, %v with %v", c.name, c.keys, first, curve["kl"][0], weight)
				}
				for step, kl := range curve["kl"] {
					beta := weight
					if at := float64(step) / float64(j.StepsPerEpoch()); at < warmup {
						beta *= at / warmup
					}
					got, want := curve["loss"][step]-curve["nll"][step], beta*kl/float64(j.Task.Examples)
					if math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
						t.Fatalf("%s %q, step %d: loss − nll %v, β/N·kl %v", c.name, keys, step, got, want)
					}
				}
			}
		}
	}
}

func TestEveryMethod(t *testing.T) {
	for _, d := range methods.Drivers() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			methodtest.Check(t, ref.New(), d.Name, keys[d.Name])
			methodtest.CheckRegression(t, ref.New(), d.Name, keysFor(d.Name))
		})
	}
}

// Under -short it is every second variant.
func TestVariants(t *testing.T) {
	for i, v := range variants {
		if testing.Short() && i%2 != 0 {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			methodtest.Check(t, ref.New(), v.name, v.keys)
			methodtest.CheckRegression(t, ref.New(), v.name, v.keys+"\n"+regressionVariants[v])
		})
	}
}

// Every method can be planned on every convolutional network in full size; under -short on every
// third.
func TestEveryNetworkCanBePlanned(t *testing.T) {
	job := methodtest.Toy()
	job.Task.Input = ir.Float(3, 32, 32)
	convolutional := slices.DeleteFunc(nn.Models(), func(m nn.Model) bool {
		return !strings.Contains(m.Name, "resnet") && !strings.Contains(m.Name, "vgg")
	})
	for i, model := range convolutional {
		if testing.Short() && i%3 != 0 {
			continue
		}
		t.Run(model.Name, func(t *testing.T) {
			t.Parallel()
			for _, d := range methods.Drivers() {
				m, err := methodtest.New(d.Name, keys[d.Name])
				if err != nil {
					t.Fatal(err)
				}
				if _, err := m.Plan(model, job); err != nil {
					t.Errorf("%s: %v", d.Name, err)
				}
			}
		})
	}
}

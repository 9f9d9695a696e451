package task_test

import (
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/methods/key"
	"bayesbench/methods/task"
)

func TestNew(t *testing.T) {
	numbers := task.Target{Units: []float64{2, 4}}
	for _, c := range []struct {
		keys   task.Keys
		target task.Target
		want   task.Likelihood
	}{
		{task.Keys{}, task.Target{Classes: 10}, task.Categorical{Classes: 10}},
		{task.Keys{Name: "categorical"}, task.Target{Classes: 2}, task.Categorical{Classes: 2}},
		{task.Keys{}, numbers, task.Gaussian{Noise: task.Heteroscedastic, Link: task.Exp, Width: 2}},
		{task.Keys{Variance: string(task.Softplus)}, numbers, task.Gaussian{Noise: task.Heteroscedastic, Link: task.Softplus, Width: 2}},
		{task.Keys{Name: "gaussian", Noise: string(task.Homoscedastic)}, numbers, task.Gaussian{Noise: task.Homoscedastic, Width: 2}},
		// σ² = 1/τ of the original unit is 1/(τ·unit²) of the standardised.
		{task.Keys{Noise: string(task.Fixed), Tau: 0.25}, numbers, task.Gaussian{Noise: task.Fixed, Width: 2, Variance: []float64{1, 0.25}}},
	} {
		found, err := task.New(c.keys, c.target)
		if err != nil {
			t.Errorf("%+v: %v", c.keys, err)
			continue
		}
		if f, ok := found.(task.Gaussian); ok {
			w := c.want.(task.Gaussian)
			if f.Noise != w.Noise || f.Link != w.Link || f.Width != w.Width || !slices.Equal(f.Variance, w.Variance) {
				t.Errorf("%+v makes %+v, want %+v", c.keys, f, w)
			}
		} else if found != c.want {
			t.Errorf("%+v makes %+v, want %+v", c.keys, found, c.want)
		}
	}
	if names, descriptions := task.Known(); !slices.Equal(names, []string{"categorical", "gaussian"}) || len(descriptions) != 2 {
		t.Errorf("known: %q, %q", names, descriptions)
	}
}

// What does not fit is refused with the key, and with what to write instead.
func TestNewRefuses(t *testing.T) {
	classes, number := task.Target{Classes: 3}, task.Target{Units: []float64{9.2}}
	for _, c := range []struct {
		keys      task.Keys
		target    task.Target
		key, says string
	}{
		{task.Keys{Name: "gausian"}, number, "likelihood.name", `did you mean "gaussian"?`},
		{task.Keys{Name: "gaussian"}, classes, "likelihood.name", `want "categorical"`},
		{task.Keys{Name: "categorical"}, number, "likelihood.name", `want "gaussian"`},
		{task.Keys{Name: "categorical", Noise: string(task.Fixed)}, number, "likelihood.name", `want "gaussian"`},
		{task.Keys{Noise: string(task.Fixed)}, classes, "likelihood.noise", "categorical"},
		{task.Keys{Tau: 1}, classes, "likelihood.tau", "categorical"},
		{task.Keys{Variance: string(task.Exp)}, classes, "likelihood.variance", "categorical"},
		{task.Keys{Noise: "constant"}, number, "likelihood.noise", `"homoscedastic"`},
		{task.Keys{Variance: "square"}, number, "likelihood.variance", `"softplus"`},
		{task.Keys{Noise: string(task.Homoscedastic), Variance: string(task.Exp)}, number, "likelihood.variance", `"heteroscedastic"`},
		{task.Keys{Tau: 0.1}, number, "likelihood.tau", `"fixed"`},
		{task.Keys{Noise: string(task.Fixed)}, number, "likelihood.tau", "standard deviation 9.2"},
		{task.Keys{Noise: string(task.Fixed), Tau: -1}, number, "likelihood.tau", "-1"},
		{task.Keys{Noise: string(task.Fixed), Tau: math.NaN()}, number, "likelihood.tau", "NaN"},
		{task.Keys{Noise: string(task.Fixed), Tau: math.Inf(1)}, number, "likelihood.tau", "Inf"},
		{task.Keys{Noise: string(task.Fixed), Tau: 1e9}, number, "likelihood.tau", "1.18e+04"}, // 1/(1e-6·9.2²)
	} {
		_, err := task.New(c.keys, c.target)
		var own *key.Error
		if !errors.As(err, &own) || own.Key != c.key || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v, want one of %s that says %s", c.keys, err, c.key, c.says)
		}
	}
	for _, target := range []task.Target{{}, {Classes: 3, Units: []float64{1}}, {Classes: -1}} {
		if _, err := task.New(task.Keys{}, target); err == nil {
			t.Errorf("the target %+v is accepted", target)
		}
	}
}

func TestX(t *testing.T) {
	for _, c := range []struct{ input, want ir.Type }{
		{ir.Float(3, 32, 32), ir.Float(7, 3, 32, 32)}, {ir.Float(13), ir.Float(7, 13)}, {ir.Uint(128), ir.Uint(7, 128)},
	} {
		if found := (task.Task{Input: c.input}).X(7); !found.Equal(c.want) {
			t.Errorf("a batch of %s is %s, want %s", c.input, found, c.want)
		}
	}
}

// Every likelihood has its page, which lists the keys of a suite's table [likelihood] that it has.
func TestPages(t *testing.T) {
	names, _ := task.Known()
	for _, name := range names {
		page, err := os.ReadFile("../../docs/likelihoods/" + name + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + name + "\n", "log p(y | f) =", "**Predicts.**", "**Curvature.**", "**A student**"} {
			if !strings.Contains(string(page), part) {
				t.Errorf("%s: the page does not have %q", name, part)
			}
		}
		for _, key := range []string{"noise", "variance", "tau"} {
			has := strings.Contains(string(page), "| `"+key+"` |")
			if want := name == "gaussian"; has != want {
				t.Errorf("%s: the page lists the key %s: %v, want %v", name, key, has, want)
			}
		}
	}
}

package metrics

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func scorerOf(t *testing.T, likelihood string) Scorer {
	t.Helper()
	s, err := ScorerOf(likelihood)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func these(numbers ...float64) func() ([]float64, error) {
	return func() ([]float64, error) { return numbers, nil }
}

// The probabilities 1/4, 3/4 and 1, 0 come to one in each form, up to a constant of logits, and so
// do rows that rounding has moved from the sum 1.
func TestForeignClasses(t *testing.T) {
	s, truth := scorerOf(t, "categorical"), Truth{Inputs: 2, Columns: 2}
	want := []float64{math.Log(0.25), math.Log(0.75), 0, math.Inf(-1)}
	for _, c := range []struct {
		form    string
		numbers []float64
		tol     float64
	}{
		{"log-probabilities", want, 1e-7},
		{"probabilities", []float64{0.25, 0.75, 1, 0}, 1e-7},
		{"probabilities", []float64{0.2501, 0.7503, 1.0004, 0}, 1e-7}, // 1.0004 of each
		{"logits", []float64{7, 7 + math.Log(3), 800, -800}, 1e-6},
	} {
		r, err := s.Results(truth, Foreign{c.form, []int{2, 2}, these(c.numbers...)})
		if err != nil {
			t.Errorf("%s: %v", c.form, err)
			continue
		}
		for i, w := range want {
			if c.form == "logits" && i == 3 {
				w = -1600 // what the logits say
			}
			if got := float64(r["logp"][i]); got != w && !(math.Abs(got-w) <= c.tol) {
				t.Errorf("%s: log-probability %d is %v, want %v", c.form, i, got, w)
			}
		}
	}
}

// A mean and a variance come as they are, in the unit of the predict program: the scales of the
// truth are Add's.
func TestForeignNumbers(t *testing.T) {
	s := scorerOf(t, "gaussian")
	for _, shape := range [][]int{{2, 3}, {2, 3, 1}} {
		r, err := s.Results(Truth{Inputs: 3, Columns: 1, Scales: []Scale{{5, 2}}}, Foreign{"mean-variance", shape, these(1, 2, 3, 0.5, 1, 2)})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range []float64{0.5, 1, 2} {
			if m, l := float64(r["mean"][i]), float64(r["log_var"][i]); m != float64(i+1) || math.Abs(l-math.Log(v)) > 1e-7 {
				t.Errorf("shape %v, input %d: mean %v, log variance %v", shape, i, m, l)
			}
		}
	}
}

// What is no prediction is refused with its place.
func TestForeignRefused(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	classes, numbers := Truth{Inputs: 2, Columns: 2}, Truth{Inputs: 2, Columns: 1}
	for _, c := range []struct {
		likelihood string
		truth      Truth
		p          Foreign
		want       string
	}{
		{"categorical", classes, Foreign{"log-odds", []int{2, 2}, nil}, `found "log-odds"`},
		{"categorical", classes, Foreign{"logits", []int{2, 3}, nil}, "shape [2 3], want [2 2]"},
		{"categorical", classes, Foreign{"logits", []int{4}, nil}, "shape [4], want [2 2]"},
		{"categorical", classes, Foreign{"logits", []int{2, 2}, these(0, 1, 2, nan)}, "row 1, class 1: logit is NaN"},
		{"categorical", classes, Foreign{"logits", []int{2, 2}, these(inf, 1, 2, 3)}, "row 0, class 0: logit is +Inf"},
		{"categorical", classes, Foreign{"probabilities", []int{2, 2}, these(0.5, 0.5, 0.5, 0.4)}, "row 1: probabilities sum to 0.9"},
		{"categorical", classes, Foreign{"probabilities", []int{2, 2}, these(-0.5, 1.5, 1, 0)}, "row 0, class 0: probability is -0.5"},
		{"categorical", classes, Foreign{"log-probabilities", []int{2, 2}, these(0.5, 0.5, 0, 0)}, "row 0: log-probabilities sum to"},
		{"gaussian", numbers, Foreign{"logits", []int{2, 2}, nil}, `found "logits"`},
		{"gaussian", numbers, Foreign{"mean-variance", []int{2, 3}, nil}, "shape [2 3], want [2 2 1]"},
		{"gaussian", numbers, Foreign{"mean-variance", []int{2, 2}, these(1, nan, 1, 1)}, "row 1, target 0: the mean is NaN"},
		{"gaussian", numbers, Foreign{"mean-variance", []int{2, 2}, these(1e39, 1, 1, 1)}, "row 0, target 0: the mean is 1e+39"},
		{"gaussian", numbers, Foreign{"mean-variance", []int{2, 2}, these(1, 1, 1, 0)}, "row 1, target 0: the variance is 0"},
		{"gaussian", numbers, Foreign{"mean-variance", []int{2, 2}, these(1, 1, nan, 1)}, "row 0, target 0: the variance is NaN"},
		{"gaussian", numbers, Foreign{"mean-variance", []int{2, 2}, these(1, 1, inf, 1)}, "row 0, target 0: the variance is +Inf"},
	} {
		_, err := scorerOf(t, c.likelihood).Results(c.truth, c.p)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want %q", c.p.Form, c.p.Shape, err, c.want)
		}
		if row := new(RowError); errors.As(err, &row) && row.Member != 0 {
			t.Errorf("%s: member %d", c.p.Form, row.Member)
		}
	}
}

package metrics

import (
	"fmt"
	"math"
	"slices"
)

// The forms of another program's prediction of classes, an array [inputs, classes].
var classForms = []Form{LogProbs, Probabilities, Logits}

// meanVariance is the form of another program's prediction of numbers: an array [2, inputs,
// columns], the means and the variances of Gaussians. For one column it may be [2, inputs].
const meanVariance = "mean-variance"

// unknownForm is the error of a form that the scorer does not have.
func unknownForm(s Scorer, form string) error {
	return fmt.Errorf("want a prediction in one of the forms %q, found %q", s.Forms(), form)
}

func (categorical) Forms() []string {
	var names []string
	for _, f := range classForms {
		names = append(names, f.String())
	}
	return names
}

// Results is the log-probabilities. Each row is divided by its sum, which probabilities that were
// rounded miss by some.
func (s categorical) Results(t Truth, p Foreign) (map[string][]float32, error) {
	at := slices.IndexFunc(classForms, func(f Form) bool { return f.String() == p.Form })
	if at < 0 {
		return nil, unknownForm(s, p.Form)
	}
	if want := []int{t.Inputs, t.Columns}; !slices.Equal(p.Shape, want) {
		return nil, fmt.Errorf("shape %v, want %v: a row for each input, and in it a number for each class", p.Shape, want)
	}
	numbers, err := p.Numbers()
	if err != nil {
		return nil, err
	}
	out := make([]float32, 0, len(numbers))
	logp, prob := make([]float64, t.Columns), make([]float64, t.Columns)
	for n := range t.Inputs {
		copy(logp, numbers[n*t.Columns:])
		if _, class, value, problem := normalise(classForms[at], logp, prob); problem != "" {
			return nil, &RowError{Row: n, Column: class, Name: "class", Value: value, Problem: problem}
		}
		sum := 0.0
		for _, q := range prob {
			sum += q
		}
		for _, l := range logp {
			out = append(out, float32(l-math.Log(sum)))
		}
	}
	return map[string][]float32{"logp": out}, nil
}

func (gaussianScorer) Forms() []string { return []string{meanVariance} }

// Results is the means and the logarithms of the variances.
func (s gaussianScorer) Results(t Truth, p Foreign) (map[string][]float32, error) {
	if p.Form != meanVariance {
		return nil, unknownForm(s, p.Form)
	}
	want := []int{2, t.Inputs, t.Columns}
	if !slices.Equal(p.Shape, want) && !(t.Columns == 1 && slices.Equal(p.Shape, want[:2])) {
		return nil, fmt.Errorf("shape %v, want %v: the means, and behind them the variances", p.Shape, want)
	}
	numbers, err := p.Numbers()
	if err != nil {
		return nil, err
	}
	size := t.Inputs * t.Columns
	mean, logVar := make([]float32, size), make([]float32, size)
	bad := func(i int, of Number, value float64, problem string) error {
		return &RowError{Row: i / t.Columns, Column: i % t.Columns, Name: "target", Number: of, Value: value, Problem: problem}
	}
	for i, m := range numbers[:size] {
		v := numbers[size+i]
		if mean[i] = float32(m); math.IsNaN(m) || math.IsInf(float64(mean[i]), 0) {
			return nil, bad(i, TheMean, m, fmt.Sprintf("the mean is %v", m))
		}
		if logVar[i] = float32(math.Log(v)); !(v > 0) || math.IsInf(v, 0) {
			return nil, bad(i, TheVariance, v, fmt.Sprintf("the variance is %v, want more than 0", v))
		}
	}
	return map[string][]float32{"mean": mean, "log_var": logVar}, nil
}

package report

import (
	"math"
	"strings"
	"testing"

	"bayesbench/results"
)

// Three data sets of different difficulty on which a method is 20 % better than the baseline at
// every seed, and one that is better on one data set only and equal elsewhere.
func aggregateSet() results.Set {
	set := results.Set{Units: results.Units{"nll": {Name: "nll", Better: results.Lower}}}
	add := func(data, method, seed string, nll float64) {
		set.Records = append(set.Records, results.Record{
			Data: data, Model: "m", Method: method, Backend: "gonum", Samples: 1,
			Config: []results.Pair{{Key: "seed", Value: seed}}, Values: []results.Value{{Unit: "nll", Value: nll}},
		})
	}
	for data, scale := range map[string]float64{"mnist": 0.05, "cifar10": 0.5, "imagenette": 1} {
		for i, seed := range []string{"0", "1", "2", "3", "4"} {
			noise := 1 + 0.01*float64(i-2)
			add(data, "deterministic", seed, scale*noise)
			add(data, "ensemble", seed, scale*noise*0.8)
			sometimes := 1.0
			if data == "mnist" {
				sometimes = 0.5
			}
			add(data, "sometimes", seed, scale*noise*sometimes)
		}
	}
	set.Records = append(set.Records, results.Record{
		Data: "mnist", Model: "m", Method: "elsewhere", Backend: "gonum", Samples: 1,
		Config: []results.Pair{{Key: "seed", Value: "0"}}, Values: []results.Value{{Unit: "nll", Value: 1}},
	})
	return set
}

func TestAggregate(t *testing.T) {
	a, err := BuildAggregate(aggregateSet(), Query{Metrics: []string{"nll"}, Baseline: "deterministic"})
	if err != nil {
		t.Fatal(err)
	}
	// The middle 9 of 15 relative values, 3 below and 3 above dropped: of the baseline three each
	// of .99, 1 and 1.01; of the third method, whose five smallest are the halves, .505, .51, two
	// .98, two .99, two 1 and one 1.01.
	want := map[string][2]float64{
		"deterministic": {1, 0.5},
		"ensemble":      {0.8, 1},
		"sometimes":     {(.505 + .51 + 2*.98 + 2*.99 + 2 + 1.01) / 9, 2. / 3},
	}
	for _, r := range a.Rows {
		w := want[r.Method]
		delete(want, r.Method)
		if math.Abs(r.IQM.Center-w[0]) > 1e-12 || math.Abs(r.Improvement.Center-w[1]) > 1e-12 || r.Runs != 15 {
			t.Errorf("%+v, want IQM and improvement %v", r, w)
		}
		if r.IQM.Lo == nil || !(*r.IQM.Lo <= r.IQM.Center && r.IQM.Center <= *r.IQM.Hi) {
			t.Errorf("%s: interval %+v", r.Method, r.IQM)
		}
	}
	if len(want) > 0 || a.Rows[0].Method != "ensemble" {
		t.Errorf("rows %+v", a.Rows)
	}
	if notes := strings.Join(a.Notes, " "); !strings.Contains(notes, "elsewhere is left out") {
		t.Errorf("notes %q", notes)
	}
	for format, want := range map[string]string{
		"text": "ensemble         15  0.800 [", "markdown": "| ensemble | 15 | 0.800 [", "json": `"method": "ensemble"`,
	} {
		var out strings.Builder
		if err := a.Write(&out, format, Style{Width: 100}); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", format, err, out.String())
		}
	}
}

func TestAggregateErrors(t *testing.T) {
	for want, q := range map[string]Query{
		`did you mean "deterministic"`: {Metrics: []string{"nll"}, Baseline: "deterministc"},
		"of one metric":                {Metrics: []string{"nll", "error"}, Baseline: "deterministic"},
		`no values of metric "nl"`:     {Metrics: []string{"nl"}, Baseline: "deterministic"},
		"elsewhere has no nll":         {Metrics: []string{"nll"}, Baseline: "elsewhere"},
	} {
		if _, err := BuildAggregate(aggregateSet(), q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", q, err, want)
		}
	}
}

// The log-likelihood of numbers may have either sign. Divided by a mean below 0 the better would be
// the worse.
func TestAggregateTakesNoMeanBelowZero(t *testing.T) {
	for _, shift := range []float64{-1, -0.05} {
		set := aggregateSet()
		for _, r := range set.Records {
			if r.Data == "mnist" {
				r.Values[0].Value += shift
			}
		}
		_, err := BuildAggregate(set, Query{Metrics: []string{"nll"}, Baseline: "deterministic"})
		if err == nil || !strings.Contains(err.Error(), "want a mean above 0 to divide by, found") || !strings.Contains(err.Error(), "MNIST") {
			t.Errorf("with a mean of %v: %v, want a refusal that names the data set", 0.05+shift, err)
		}
	}
}

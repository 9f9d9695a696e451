package report

import (
	"fmt"
	"strings"
	"testing"

	"bayesbench/results"
)

// sweptSet has a baseline and another method at three learning rates. The other is better by 0.1 at
// equal rates, and the rates differ by 1.
func sweptSet() results.Set {
	set := results.Set{Units: demoUnits}
	for seed := range 8 {
		for k, lr := range []string{"0.003", "0.001", "0.0003"} {
			for i, method := range []string{"deterministic", "ffg"} {
				r := record(method, fmt.Sprint(seed), 1, results.Value{Unit: "error", Value: float64(k) - 0.1*float64(i) + 0.001*float64(seed)},
					results.Value{Unit: "nll", Value: float64(seed)}, results.Value{Unit: "train-samples/s", Value: float64(100*i + seed)})
				r.Sweep = []results.Pair{{Key: "train.lr", Value: lr}}
				set.Records = append(set.Records, r)
			}
		}
	}
	return set
}

// Each row of a sweep is compared with the baseline at its own settings.
func TestBaselineAtEqualSettings(t *testing.T) {
	table := build(t, sweptSet(), Query{Baseline: "deterministic"})[0]
	for _, r := range table.Rows {
		c := r.Cells[0]
		switch {
		case r.Labels[0] == "deterministic" && c.Comparison != nil:
			t.Errorf("%s is compared", r.Label())
		case r.Labels[0] == "ffg" && (c.Comparison == nil || fmt.Sprintf("%.6f", c.Delta) != "-0.100000" || c.Verdict != IsBetter):
			t.Errorf("%s: %+v", r.Label(), c.Comparison)
		}
	}
	if notes := strings.Join(table.Notes, " "); !strings.Contains(notes, "Each row is compared with that of deterministic at equal settings") {
		t.Error(notes)
	}
	// A whole label is one row, with which all others are compared.
	table = build(t, sweptSet(), Query{Baseline: "deterministic 0.001 1"})[0]
	for _, r := range table.Rows {
		if own := r.Label() == "deterministic 0.001 1"; (r.Cells[0].Comparison == nil) != own {
			t.Errorf("%s: %+v", r.Label(), r.Cells[0].Comparison)
		}
	}
	// Without a row of the same setting the one that is taken is named.
	set := sweptSet()
	for i := range set.Records {
		if r := &set.Records[i]; r.Method == "ffg" && r.Sweep[0].Value == "0.0003" {
			r.Sweep = []results.Pair{{Key: "train.lr", Value: "0.1"}}
		}
	}
	if notes := strings.Join(build(t, set, Query{Baseline: "deterministic"})[0].Notes, " "); !strings.Contains(notes, "compared are ffg 0.1 1 with deterministic 0.003 1") {
		t.Error(notes)
	}
	// aggregate divides by the baseline at equal settings too.
	a, err := BuildAggregate(set, Query{Metrics: []string{"error"}, Baseline: "deterministic"})
	if err != nil || !strings.Contains(strings.Join(a.Notes, " "), "ffg 0.1 with deterministic 0.003") {
		t.Errorf("%v, %v", a, err)
	}
}

// A key that only one of the methods has decides nothing, a condition such as the severity does.
func TestPartners(t *testing.T) {
	heads := []string{"method", "train.lr", "method.rate", "corruption", "predict", "K"}
	labels := [][]string{
		{"deterministic", "0.1", "", "", "mean", "1"},
		{"deterministic", "0.2", "", "", "mean", "1"},
		{"deterministic", "0.1", "", "fog", "mean", "1"},
		{"dropout", "0.2", "0.5", "", "sample", "8"},
		{"dropout", "0.1", "0.5", "fog", "sample", "8"},
		{"dropout", "0.3", "0.5", "", "mean", "1"},
	}
	p, err := newPartners(heads, labels, "deterministic")
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[int]int{3: 1, 4: 2} {
		if got := p.of(row); got != want {
			t.Errorf("row %d is compared with %d, want %d", row, got, want)
		}
	}
	if len(p.unequal) > 0 {
		t.Errorf("unequal: %q", p.unequal)
	}
	if p.of(5); len(p.unequal) != 1 {
		t.Errorf("unequal: %q", p.unequal)
	}
	if _, err := newPartners(heads, labels, "determinist"); err == nil || !strings.Contains(err.Error(), `did you mean "deterministic"`) {
		t.Error(err)
	}
}

// One metric decides, corrected over the rows; others are corrected within their column and say so;
// speed is not tested.
func TestPrimaryMetric(t *testing.T) {
	set := sweptSet()
	for i := range set.Records { // ffg is better in the NLL by an amount that no correction over columns would pass
		if r := &set.Records[i]; r.Method == "ffg" {
			r.Values[1].Value -= 0.1
		}
	}
	for primary, want := range map[string]string{"": "error", "error": "error", "nll": "nll"} {
		table := build(t, set, Query{Baseline: "deterministic", Primary: primary})[0]
		legend := strings.Join(table.legend(), " ")
		for _, text := range []string{"Primary metric: " + want + ", Holm's correction over 3 comparisons.", "Other metrics are exploratory", "Speed is not tested."} {
			if !strings.Contains(legend, text) {
				t.Errorf("primary %q: no %q in %s", primary, text, legend)
			}
		}
		for _, r := range table.Rows {
			for j, c := range r.Cells {
				if c.Comparison == nil {
					continue
				}
				if table.Columns[j].Timing || c.Exploratory == (table.Columns[j].Unit == want) || c.P != 2./256 || c.Adjusted != 6./256 {
					t.Errorf("primary %q, %s, %s: %+v", primary, r.Label(), table.Columns[j].Unit, c.Comparison)
				}
				if mark := c.mark(); (mark == "(*)") != c.Exploratory || strings.Trim(mark, "()") != "*" {
					t.Errorf("mark %q of %+v", mark, c.Comparison)
				}
			}
		}
	}
	if _, err := Build(set, Query{Baseline: "deterministic", Primary: "eror"}); err == nil || !strings.Contains(err.Error(), `did you mean "error"?`) {
		t.Error(err)
	}
	// Eight seeds would not have been enough for three rows and three metrics together.
	few := set
	few.Records = nil
	for _, r := range set.Records {
		if r.Seed() < "3" {
			few.Records = append(few.Records, r)
		}
	}
	if notes := strings.Join(build(t, few, Query{Baseline: "deterministic"})[0].Notes, " "); !strings.Contains(notes, "after Holm's correction for 3 comparisons; below 0.05 takes 7 seeds") {
		t.Error(notes)
	}
	if _, err := Build(set, Query{Primary: "nll"}); err == nil || !strings.Contains(err.Error(), "-baseline") {
		t.Errorf("a primary metric without a baseline: %v", err)
	}
}

// Single runs have no interval.
func TestAggregateOfSingleRuns(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for _, data := range []string{"mnist", "cifar10"} {
		for i, method := range []string{"deterministic", "ffg"} {
			r := record(method, "0", 1, results.Value{Unit: "nll", Value: float64(1 + 2*i)})
			r.Data = data
			set.Records = append(set.Records, r)
		}
	}
	a, err := BuildAggregate(set, Query{Metrics: []string{"nll"}, Baseline: "deterministic"})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "markdown", "json"} {
		var out strings.Builder
		if err := a.Write(&out, format, Style{}); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"[3", "In brackets", `"Lo"`} {
			if strings.Contains(out.String(), bad) {
				t.Errorf("%s: %s in\n%s", format, bad, out.String())
			}
		}
		if !strings.Contains(out.String(), "gives no interval") {
			t.Errorf("%s:\n%s", format, out.String())
		}
	}
}

package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"bayesbench/results"
)

// swept are NLLs by seed of one predictor of a method at one setting, on the validation split and
// on the test set.
type swept struct {
	method, predict, p string
	validation, test   []float64
}

// sweep is a result in which the setting that is best on the validation split is never the best on
// the test set. The means of validation are of dropout (sample) 0.4, 0.3 and 0.5, of dropout (mean)
// 0.2, 0.6 and 0.7, of ffg 0.9 and 0.8.
var sweep = []swept{
	{"deterministic", "mean", "", []float64{1, 1, 1}, []float64{0.5, 0.6, 0.7}},
	{"dropout", "sample", "0.1", []float64{0.4, 0.3, 0.5}, []float64{0.10, 0.11, 0.12}},
	{"dropout", "sample", "0.2", []float64{0.3, 0.2, 0.4}, []float64{0.20, 0.21, 0.22}},
	{"dropout", "sample", "0.5", []float64{0.5, 0.4, 0.6}, []float64{0.30, 0.31, 0.32}},
	{"dropout", "mean", "0.1", []float64{0.2, 0.1, 0.3}, []float64{0.40, 0.41, 0.42}},
	{"dropout", "mean", "0.2", []float64{0.6, 0.5, 0.7}, []float64{0.50, 0.51, 0.52}},
	{"dropout", "mean", "0.5", []float64{0.7, 0.6, 0.8}, []float64{0.35, 0.36, 0.37}},
	{"ffg", "sample", "1", []float64{0.9, 0.8, 1.0}, []float64{0.01, 0.02, 0.03}},
	{"ffg", "sample", "2", []float64{0.8, 0.7, 0.9}, []float64{0.60, 0.61, 0.62}},
}

// sweepSet is the records of a sweep: at K = 1 and 8 on the test set, at 8 on the validation split.
func sweepSet(all []swept) results.Set {
	set := results.Set{Units: results.Units{
		"nll": {Name: "nll", Better: results.Lower}, "error": {Name: "error", Better: results.Lower}, "entropy": {Name: "entropy"},
		"train-sec": {Name: "train-sec", Better: results.Lower, Timing: true}, "accuracy": {Name: "accuracy", Better: results.Higher},
	}}
	add := func(s swept, seed, k int, split string, unit string, x float64) {
		r := record(s.method, fmt.Sprint(seed), k, results.Value{Unit: unit, Value: x}, results.Value{Unit: "error", Value: x / 2})
		if s.p != "" {
			r.Sweep = append(r.Sweep, results.Pair{Key: "method.p", Value: s.p})
		}
		r.Sweep = append(r.Sweep, results.Pair{Key: "predict", Value: s.predict})
		if split != "" {
			r.Sweep = append(r.Sweep, results.Pair{Key: "split", Value: split})
		}
		set.Records = append(set.Records, r)
	}
	for _, s := range all {
		for seed, x := range s.test {
			add(s, seed, 1, "", "nll", x+1)
			add(s, seed, 8, "", "nll", x)
		}
		for seed, x := range s.validation {
			if !math.IsNaN(x) {
				add(s, seed, 8, "validation", "nll", x)
			}
		}
	}
	return set
}

func selection(t *testing.T, text string) Selection {
	t.Helper()
	s, err := ParseSelection(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each predictor of each method stands in the table at the setting with the best mean on the
// validation split, with its values on the test set, paired with the baseline by seed.
func TestSelectOnValidation(t *testing.T) {
	tables := build(t, sweepSet(sweep), Query{Metrics: []string{"nll"}, Select: selection(t, "nll@validation"), Baseline: "deterministic"})
	if len(tables) != 1 || len(tables[0].Rows) != 4 {
		t.Fatalf("%d tables, rows %v", len(tables), tables[0].Rows)
	}
	for _, want := range []struct {
		label, settings string
		tried           int
		mean, delta     float64
	}{
		{"deterministic mean", "", 1, 0.6, 0},
		{"dropout mean 0.1", "method.p=0.1", 3, 0.41, -0.19},
		{"dropout sample 0.2", "method.p=0.2", 3, 0.21, -0.39},
		{"ffg sample 2", "method.p=2", 2, 0.61, 0.01},
	} {
		found := false
		for _, r := range tables[0].Rows {
			if label := strings.Join(strings.Fields(r.Label()), " "); !strings.HasPrefix(label, want.label) {
				continue
			}
			found = true
			c := r.Cells[0]
			if r.Pick == nil || r.Pick.Settings != want.settings || r.Pick.Tried != want.tried || r.Pick.By.String() != "nll@validation" || r.Mark != "" {
				t.Errorf("%s: %+v, mark %q", want.label, r.Pick, r.Mark)
			}
			if c.N != 3 || math.Abs(c.Mean-want.mean) > 1e-12 {
				t.Errorf("%s: %+v, want a mean of %v", want.label, c, want.mean)
			}
			if want.delta != 0 && (c.Comparison == nil || c.Pairs != 3 || math.Abs(c.Delta-want.delta) > 1e-12) {
				t.Errorf("%s: %+v, want a difference of %v over 3 pairs", want.label, c.Comparison, want.delta)
			}
		}
		if !found {
			t.Errorf("no row %s", want.label)
		}
	}
	notes := strings.Join(tables[0].Notes, "\n")
	const want = "Selected by the best mean nll on the validation split: deterministic (of 1 setting), dropout sample method.p=0.2 (of 3 settings), " +
		"dropout mean method.p=0.1 (of 3 settings), ffg method.p=2 (of 2 settings)."
	if !strings.Contains(notes, want) || strings.Contains(notes, "Warning") || strings.Contains(notes, "Not one row") {
		t.Errorf("notes:\n%s\nwant %s", notes, want)
	}
}

// Who selects on the test set is told so, in every format.
func TestSelectOnTest(t *testing.T) {
	tables := build(t, sweepSet(sweep), Query{Metrics: []string{"nll"}, Select: selection(t, "nll@test")})
	if c := cell(t, tables[0], "ffg", "nll"); math.Abs(c.Mean-0.02) > 1e-12 {
		t.Errorf("ffg: %+v, want the best of the test set, 0.02", c)
	}
	for _, r := range tables[0].Rows {
		if want := r.Pick.Tried > 1; (r.Mark == bestOfTest) != want {
			t.Errorf("%s: mark %q of %d settings", r.Label(), r.Mark, r.Pick.Tried)
		}
	}
	for name, write := range map[string]func(out *bytes.Buffer) error{
		"text":     func(out *bytes.Buffer) error { return WriteText(out, tables, Style{}) },
		"markdown": func(out *bytes.Buffer) error { return WriteMarkdown(out, tables) },
		"latex":    func(out *bytes.Buffer) error { return WriteLaTeX(out, tables) },
		"json":     func(out *bytes.Buffer) error { return WriteJSON(out, tables) },
		"csv":      func(out *bytes.Buffer) error { return WriteCSV(out, tables) },
		"html": func(out *bytes.Buffer) error {
			return WriteHTML(out, Data{Set: sweepSet(sweep)}, Query{Select: selection(t, "nll@test")})
		},
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := out.String()
		wants := []string{"best of test", "Warning: these settings were selected on the test set itself"}
		switch name {
		case "csv":
			wants = []string{"(best of test),nll@test,method.p=1,2\n"}
		case "json":
			wants = append(wants, `"selected_by": "nll@test"`, `"settings": "method.p=1"`, `"tried": 2`)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%.2000s", name, want, text)
			}
		}
	}
}

// with is the sweep with another row in the place of those of dropout and ffg.
func with(rows ...swept) []swept { return append([]swept{sweep[0]}, rows...) }

// What cannot be selected says so, and what was left out of the selection is named.
func TestSelectNotes(t *testing.T) {
	nan := math.NaN()
	a := swept{"ffg", "sample", "1", []float64{0.2, 0.2, 0.2}, []float64{1, 1, 1}}
	b := swept{"ffg", "sample", "2", []float64{0.1, 0.1, nan}, []float64{2, 2, 2}}
	tie := swept{"ffg", "sample", "3", []float64{0.2, 0.2, 0.2}, []float64{3, 3, 3}}
	diverged := swept{"ffg", "sample", "4", []float64{math.Inf(1), 0, 0}, []float64{4, 4, 4}}
	for _, c := range []struct {
		name string
		rows []swept
		mean float64 // of ffg on the test set
		note string
	}{
		{"a run failed", with(a, b), 1, "Not selected among, for some runs have no nll: ffg sample method.p=2 (2 of 3)."},
		{"a tie", with(a, tie), 1, "The settings method.p=1, method.p=3 of ffg sample have the same mean nll; the first is taken."},
		{"a run diverged", with(diverged, a), 1, "ffg method.p=1 (of 2 settings)"},
	} {
		table := build(t, sweepSet(c.rows), Query{Metrics: []string{"nll"}, Select: selection(t, "nll@validation")})[0]
		if got := cell(t, table, "ffg", "nll"); got.Mean != c.mean {
			t.Errorf("%s: %+v, want %v", c.name, got, c.mean)
		}
		if notes := strings.Join(table.Notes, "\n"); !strings.Contains(notes, c.note) {
			t.Errorf("%s: notes\n%s\nwant %s", c.name, notes, c.note)
		}
	}
	none := a
	none.validation = nil
	other := none
	other.p = "9"
	for _, c := range []struct {
		name  string
		rows  []swept
		query Query
		want  string
	}{
		{"no validation", []swept{none, other}, Query{Select: selection(t, "nll@validation")}, "no results on the validation split; set data.validation"},
		{"no validation of one method", with(none, other), Query{Select: selection(t, "nll@validation")}, "ffg sample has 2 settings, and none with a finite mean of nll"},
		{"all diverged", with(diverged, swept{"ffg", "sample", "5", []float64{1, math.Inf(1), 0}, []float64{1, 1, 1}}), Query{Select: selection(t, "nll@validation")}, "none with a finite mean"},
		{"no unit", sweep, Query{Select: selection(t, "nl@validation")}, `no values of metric "nl"; did you mean "nll"?`},
		{"no direction", sweep, Query{Select: selection(t, "entropy@validation")}, "want a metric with a better direction"},
		{"a timing", sweep, Query{Select: selection(t, "train-sec@test")}, "want a metric with a better direction"},
		{"nothing left", sweep, Query{Filter: "/method:hmc", Select: selection(t, "nll@validation")}, "no results match"},
	} {
		if tables, err := Build(sweepSet(c.rows), c.query); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d tables, %v; want %s", c.name, len(tables), err, c.want)
		}
	}
	for _, text := range []string{"nll", "nll@", "@validation", "nll@train", "nll@validation@test", ""} {
		if s, err := ParseSelection(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}

// A filter says which settings and seeds there are to select among; a higher-is-better metric is
// selected by its largest mean.
func TestSelectAmongFiltered(t *testing.T) {
	table := build(t, sweepSet(sweep), Query{Metrics: []string{"nll"}, Filter: "-/method.p:0.2", Select: selection(t, "nll@validation")})[0]
	for _, r := range table.Rows {
		if label := r.Label(); strings.HasPrefix(label, "dropout") && (r.Pick.Tried != 2 || r.Pick.Settings != "method.p=0.1") {
			t.Errorf("%s: %+v", label, r.Pick)
		}
	}
	set := sweepSet(nil)
	for i, x := range []float64{0.7, 0.9, 0.8} {
		for _, split := range []string{"", "validation"} {
			r := record("ffg", "0", 1, results.Value{Unit: "accuracy", Value: x})
			r.Sweep = []results.Pair{{Key: "method.p", Value: fmt.Sprint(i)}}
			if split != "" {
				r.Sweep = append(r.Sweep, results.Pair{Key: "split", Value: split})
			}
			set.Records = append(set.Records, r)
		}
	}
	table = build(t, set, Query{Metrics: []string{"accuracy"}, Select: selection(t, "accuracy@validation")})[0]
	if c := cell(t, table, "ffg", "accuracy"); c.Mean != 0.9 {
		t.Errorf("%+v, want 0.9", c)
	}
}

package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/results"
	"bayesbench/results/stats"
)

func build(t *testing.T, set results.Set, q Query) []Table {
	t.Helper()
	tables, err := Build(set, q)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func cell(t *testing.T, table Table, row, column string) Cell {
	t.Helper()
	for _, r := range table.Rows {
		for j, c := range table.Columns {
			if r.Labels[0] == row && c.Head == column {
				return r.Cells[j]
			}
		}
	}
	t.Fatalf("no cell %s, %s", row, column)
	return Cell{}
}

func record(method, seed string, samples int, values ...results.Value) results.Record {
	return results.Record{Data: "mnist", Model: "m", Method: method, Backend: "gonum", Samples: samples,
		Config: []results.Pair{{Key: "seed", Value: seed}}, Values: values}
}

func TestTableSummaries(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for i, v := range []float64{2, 4, 4, 4, 5, 5, 7, 9} { // mean 5, sum of squares 32
		set.Records = append(set.Records, record("a", string(rune('0'+i)), 1, results.Value{Unit: "nll", Value: v}))
	}
	table := build(t, set, Query{})[0]
	c := cell(t, table, "a", "nll")
	if c.N != 8 || c.Mean != 5 || math.Abs(c.SD-math.Sqrt(32.0/7)) > 1e-15 {
		t.Errorf("%+v", c)
	}
	if table.Title != "MNIST · m · gonum" || strings.Join(table.RowHeads, " ") != "method K" {
		t.Errorf("%q, %q", table.Title, table.RowHeads)
	}
}

// Without /samples in a projection a table shows the largest K of each method, and what does not
// depend on K with it.
func TestTableTakesLargestK(t *testing.T) {
	set := demoSet(2)
	table := build(t, set, Query{})[0]
	for i, want := range []string{"1", "8", "8", "8", "4"} {
		if got := table.Rows[i].Labels[1]; got != want {
			t.Errorf("%s: K %s, want %s", table.Rows[i].Labels[0], got, want)
		}
	}
	want := (demoRecords(3, 0)[3].Values[1].Value + demoRecords(3, 1)[3].Values[1].Value) / 2
	if got := cell(t, table, "sparse-vd", "nll").Mean; got != want {
		t.Errorf("nll %v, want %v at K=8", got, want)
	}
	if c := cell(t, table, "sparse-vd", "sparsity"); c.N != 2 {
		t.Errorf("sparsity %+v", c)
	}
	if c := cell(t, table, "ensemble", "sparsity"); c.N != 0 || table.text(c, 3) != "" {
		t.Errorf("ensemble has sparsity %+v", c)
	}
	byK := build(t, set, Query{Cols: "/samples", Metrics: []string{"nll"}})[0]
	if c := cell(t, byK, "sparse-vd", "2"); c.N != 2 || len(byK.Columns) != 4 {
		t.Errorf("%+v, %d columns", c, len(byK.Columns))
	}
}

// A query that asks for nothing in particular shows the layers too.
func TestTableOfLayers(t *testing.T) {
	set := demoSet(2)
	for _, seed := range []string{"0", "1"} {
		for layer, value := range map[string]float64{"fc1": 0.99, "fc2": 0.9} {
			r := record("sparse-vd", seed, 0, results.Value{Unit: "sparsity", Value: value})
			r.Sweep = []results.Pair{{Key: "layer", Value: layer}}
			set.Records = append(set.Records, r)
		}
	}
	tables := build(t, set, Query{Baseline: "deterministic"})
	if len(tables) != 2 || len(tables[0].Rows) != 5 {
		t.Fatalf("%d tables, want the demo's and the layers of model m", len(tables))
	}
	layers := tables[1]
	if layers.Title != "MNIST · m · gonum · sparsity by method" || len(layers.Rows) != 2 || len(layers.Columns) != 1 {
		t.Errorf("%+v", layers)
	}
	if c := cell(t, layers, "fc2", "sparse-vd"); c.Mean != 0.9 || c.N != 2 {
		t.Errorf("%+v", c)
	}
	ood := record("sparse-vd", "0", 8, results.Value{Unit: "ood-auroc-entropy", Value: 0.9})
	ood.Sweep = []results.Pair{{Key: "ood", Value: "notmnist"}}
	with := set
	with.Records = append(slices.Clone(set.Records), ood)
	with.Units = maps.Clone(set.Units)
	with.Units["ood-auroc-entropy"] = results.Unit{Name: "ood-auroc-entropy", Better: results.Higher}
	if tables := build(t, with, Query{}); tables[len(tables)-1].Title != layers.Title {
		t.Errorf("beside out-of-distribution records the layers are called %s", tables[len(tables)-1].Title)
	}
	swept := set
	swept.Records = slices.Clone(set.Records)
	for i := range swept.Records {
		if r := &swept.Records[i]; r.Method == "ensemble" {
			r.Sweep = append(slices.Clone(r.Sweep), results.Pair{Key: "train-epochs", Value: "10"})
		}
	}
	if tables := build(t, swept, Query{}); len(tables) != 2 || tables[1].Title != layers.Title {
		t.Errorf("where a method without layers varies something: %d tables", len(tables))
	}
	for _, q := range []Query{{Filter: "/method:deterministic"}, {Metrics: []string{"sparsity"}}, {Rows: "/method"}} {
		if tables := build(t, set, q); len(tables) != 1 {
			t.Errorf("%+v: %d tables", q, len(tables))
		}
	}
}

// Predictions scored elsewhere stand beside those of every backend, paired by seed, and in a table
// of their own where there is no run of their data and model.
func TestTableOfExternalPredictions(t *testing.T) {
	set := demoSet(3)
	for i := range set.Records {
		if other := set.Records[i]; other.Method == "deterministic" {
			other.Backend = "gorgonia"
			set.Records = append(set.Records, other)
		}
	}
	for _, model := range []string{"lenet-300-100", "lenet-5"} {
		for _, seed := range []string{"0", "1", "2"} {
			r := record("deterministic", seed, 1, results.Value{Unit: "error", Value: 0.01}, results.Value{Unit: "nll", Value: 0.02})
			r.Model, r.Backend = model, results.External
			set.Records = append(set.Records, r)
		}
	}
	tables := build(t, set, Query{Baseline: "deterministic", Metrics: []string{"nll"}, Filter: "/model:lenet-300-100"})
	if len(tables) != 2 {
		t.Fatalf("%d tables, want those of gonum and gorgonia", len(tables))
	}
	for _, table := range tables {
		if c := cell(t, table, "deterministic@external", "nll"); c.Mean != 0.02 || c.N != 3 || c.Comparison == nil || c.Pairs != 3 {
			t.Errorf("%s: %+v", table.Title, c)
		}
	}
	alone := build(t, set, Query{Filter: "/model:lenet-5"})
	if len(alone) != 1 || alone[0].Title != "MNIST · lenet-5 · external" || alone[0].Rows[0].Labels[0] != "deterministic" {
		t.Errorf("%+v", alone)
	}
}

// What a name must escape in a benchmark line stands in a table as it was meant.
func TestTableOfEscapedNames(t *testing.T) {
	set := results.Set{Units: demoUnits, Records: []results.Record{
		record("my method 50%/2", "0", 1, results.Value{Unit: "nll", Value: 1}), record("b", "0", 1, results.Value{Unit: "nll", Value: 2})}}
	set.Records[0].Model, set.Records[1].Model = "a b", "a b"
	table := build(t, set, Query{Baseline: "my method 50%/2"})[0]
	if table.Title != "MNIST · a b · gonum" || table.Rows[0].Labels[0] != "my method 50%/2" || table.Rows[1].Cells[0].Comparison == nil {
		t.Errorf("%+v", table)
	}
}

// An ensemble of three comes after four and eight samples in the results, and stands before them.
func TestColumnsOfNumbersRise(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for _, k := range []int{1, 2, 4, 16, 3} {
		set.Records = append(set.Records, record("a", "0", k, results.Value{Unit: "nll", Value: float64(k)}))
	}
	table := build(t, set, Query{Cols: "/samples", Metrics: []string{"nll"}})[0]
	for j, want := range []string{"1", "2", "3", "4", "16"} {
		if table.Columns[j].Head != want || fmt.Sprint(table.Rows[0].Cells[j].Mean) != want {
			t.Errorf("column %d is %s, %v", j, table.Columns[j].Head, table.Rows[0].Cells[j].Mean)
		}
	}
}

func TestTableSignificance(t *testing.T) {
	// Ten seeds, one comparison: every difference is -1, so p = 2/2^10. The pairing matters: the
	// seeds vary by 100.
	set := results.Set{Units: demoUnits}
	for i := range 10 {
		seed := string(rune('0' + i))
		v := float64(100 * i)
		set.Records = append(set.Records,
			record("new", seed, 1, results.Value{Unit: "nll", Value: v - 1 - 0.01*float64(i)}),
			record("old", seed, 1, results.Value{Unit: "nll", Value: v}))
	}
	table := build(t, set, Query{Baseline: "old"})[0]
	c := cell(t, table, "new", "nll")
	if c.Comparison == nil || math.Abs(c.P-2.0/1024) > 1e-15 || c.Verdict != IsBetter || c.Pairs != 10 || math.Abs(c.Delta+1.045) > 1e-12 {
		t.Fatalf("%+v", c.Comparison)
	}
	if c.mark() != "*" || len(table.Notes) > 0 {
		t.Errorf("mark %q, notes %q", c.mark(), table.Notes)
	}
	if cell(t, table, "old", "nll").Comparison != nil {
		t.Error("the baseline is compared with itself")
	}

	// Three seeds can never decide: p is at least 1/4. No star, and a note with that number and the
	// seeds it takes.
	set.Records = set.Records[:6]
	table = build(t, set, Query{Baseline: "old"})[0]
	c = cell(t, table, "new", "nll")
	if c.Verdict != Undecided || c.mark() != "" || c.MinP != 0.25 {
		t.Errorf("%+v", c.Comparison)
	}
	if len(table.Notes) != 1 || !strings.Contains(table.Notes[0], "smallest attainable p is 0.25") || !strings.Contains(table.Notes[0], "takes 6 seeds") {
		t.Errorf("notes %q", table.Notes)
	}
	if strings.Contains(strings.Join(table.legend(), " "), "no significant difference") {
		t.Error("claims that there is no difference where none could be found")
	}
}

// Rows that equal the baseline bit for bit count among the comparisons that Holm's correction is
// over: seven seeds give a p of 1/64, which is significant alone and not among seven.
func TestIdenticalRowsCount(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for seed := range 7 {
		for k := range 8 {
			v := results.Value{Unit: "nll", Value: float64(seed)}
			if k == 7 {
				v.Value -= 1 + 0.01*float64(seed)
			}
			set.Records = append(set.Records, record(fmt.Sprintf("m%d", k), fmt.Sprint(seed), 1, v))
		}
	}
	table := build(t, set, Query{Baseline: "m0"})[0]
	if c := cell(t, table, "m7", "nll"); math.Abs(c.P-1.0/64) > 1e-15 || math.Abs(c.Adjusted-7.0/64) > 1e-15 || c.Verdict != Undecided {
		t.Errorf("%+v", c.Comparison)
	}
	if c := cell(t, table, "m3", "nll"); c.Verdict != Identical || c.Adjusted != 1 {
		t.Errorf("%+v", c.Comparison)
	}
	notes := strings.Join(table.Notes, " ")
	if !strings.Contains(notes, "0.109 after Holm's correction for 7 comparisons; below 0.05 takes 9 seeds") {
		t.Error(notes)
	}
	// Without the identical rows the same seven seeds decide.
	set.Records = slices.DeleteFunc(set.Records, func(r results.Record) bool { return r.Method != "m0" && r.Method != "m7" })
	if c := cell(t, build(t, set, Query{Baseline: "m0"})[0], "m7", "nll"); c.Verdict != IsBetter {
		t.Errorf("%+v", c.Comparison)
	}
}

// One row of few seeds does not deny the verdict on another of many.
func TestTooFewSeedsOfOneRow(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for seed := range 12 {
		for k, method := range []string{"old", "new", "few"} {
			if method == "few" && seed > 2 {
				continue
			}
			set.Records = append(set.Records, record(method, fmt.Sprint(seed), 1, results.Value{Unit: "nll", Value: float64(seed) - float64(k)*(1+0.01*float64(seed))}))
		}
	}
	table := build(t, set, Query{Baseline: "old"})[0]
	if c := cell(t, table, "new", "nll"); c.Verdict != IsBetter {
		t.Errorf("%+v", c.Comparison)
	}
	if notes := strings.Join(table.Notes, " "); !strings.Contains(notes, "Too few seeds for a verdict on 1 of 2 comparisons: with 3 runs the smallest attainable p is 0.25") {
		t.Error(notes)
	}
}

// Seeds pair whatever version, machine or data they are of; a difference is a warning with the
// values and the rows. The numbers are those of five seeds, of which an exact test can give no p
// below 1/16.
func TestPairedBySeedAlone(t *testing.T) {
	old := []float64{0.0157, 0.0162, 0.0155, 0.0152, 0.0144, 0.0151, 0.0160}
	new := []float64{0.0202, 0.0169, 0.0199, 0.0183, 0.0179, 0.0180, 0.0170}
	set := func(n int, key string, a, b func(seed int) string) results.Set {
		s := results.Set{Units: demoUnits}
		for i := range n {
			for _, m := range []struct {
				method string
				value  float64
				of     string
			}{{"deterministic", old[i], a(i)}, {"sparse-vd", new[i], b(i)}} {
				r := record(m.method, fmt.Sprint(i), 1, results.Value{Unit: "error", Value: m.value})
				if m.of != "" {
					r.Config = append(r.Config, results.Pair{Key: key, Value: m.of})
				}
				s.Records = append(s.Records, r)
			}
		}
		return s
	}
	is := func(v string) func(int) string { return func(int) string { return v } }
	from3 := func(v, w string) func(int) string {
		return func(seed int) string {
			if seed >= 3 {
				return w
			}
			return v
		}
	}
	for _, key := range []string{"version", "data-hash", "kernels", "device", "goos", "cpu", "goarch"} {
		field := key
		if key == "data-hash" {
			field += " of mnist" // other sets have other hashes by nature
		}
		for _, c := range []struct {
			n    int
			a, b func(int) string
			p    float64
			note string // in the warning
		}{
			{5, is("v1"), is("v1"), 0.0625, ""},
			{5, is(""), is(""), 0.0625, ""},
			{5, is("v1"), is("v2"), 0.0625, "differ in " + field + ": v1 (deterministic), v2 (sparse-vd)"},
			{5, from3("v1", "v2"), from3("v1", "v2"), 0.0625, "v1 (deterministic, sparse-vd), v2 (deterministic, sparse-vd)"},
			{5, from3("v1", "v2"), from3("v3", "v1"), 0.0625, "v1 (deterministic, sparse-vd), v2 (deterministic), v3 (sparse-vd)"},
			{7, is("v1"), from3("v1", "v2"), 0.015625, "v1 (deterministic, sparse-vd), v2 (sparse-vd)"},
		} {
			table := build(t, set(c.n, key, c.a, c.b), Query{Baseline: "deterministic"})[0]
			got := cell(t, table, "sparse-vd", "error")
			if got.Comparison == nil || got.P != c.p || got.Adjusted != c.p || got.Pairs != c.n || got.N != c.n || (got.mark() == "†") != (c.p < 0.05) {
				t.Errorf("%s, %d seeds: %+v", key, c.n, got.Comparison)
			}
			legend := strings.Join(table.legend(), " ")
			if !strings.Contains(legend, c.note) || strings.Contains(legend, "Warning") != (c.note != "") || !strings.Contains(legend, "over paired seeds") {
				t.Errorf("%s, %d seeds: %s", key, c.n, legend)
			}
		}
	}
	// compare pairs by seed alone too. That its sides are of one version each goes without saying.
	one, two := set(5, "version", is("v1"), is("v1")), set(7, "version", is("v2"), from3("v2", "v3"))
	changes, err := Compare(one, two, Query{})
	if err != nil || len(changes.All) != 2 || changes.All[0].Pairs != 5 || changes.All[0].Verdict != Identical {
		t.Errorf("%+v, %v", changes, err)
	}
	if notes := strings.Join(changes.Notes, " "); !strings.Contains(notes, "differ in version: v1 (old), v2 (new), v3 (new)") {
		t.Error(notes)
	}
	two = set(7, "version", is("v2"), is("v2"))
	if changes, err = Compare(one, two, Query{}); err != nil || strings.Contains(strings.Join(changes.Notes, " "), "version") {
		t.Errorf("%+v, %v", changes, err)
	}
	// Without a common seed nothing is called paired; with some, the number is said.
	apart := set(5, "version", is("v1"), is("v1"))
	for i := range apart.Records {
		if r := &apart.Records[i]; r.Method == "sparse-vd" {
			r.Config = []results.Pair{{Key: "seed", Value: "1" + r.Seed()}}
		}
	}
	if legend := strings.Join(build(t, apart, Query{Baseline: "deterministic"})[0].legend(), " "); !strings.Contains(legend, "Mann-Whitney U test, unpaired") || strings.Contains(legend, "paired seeds") {
		t.Error(legend)
	}
	partly := set(5, "version", is("v1"), is("v1"))
	partly.Records = partly.Records[:9]
	if legend := strings.Join(build(t, partly, Query{Baseline: "deterministic"})[0].legend(), " "); !strings.Contains(legend, "both have are paired: sparse-vd 1 (4 of 5)") {
		t.Error(legend)
	}
}

// The same job twice with other numbers is an error that names both and says what to do, not an
// average. With the same numbers it is one.
func TestSameSeedTwice(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for i, version := range []string{"v1", "v2"} {
		r := record("a", "0", 1, results.Value{Unit: "nll", Value: float64(i)})
		r.Config = append(r.Config, results.Pair{Key: "version", Value: version})
		r.Origin = results.Origin{Job: "job" + version, Setup: "same"}
		set.Records = append(set.Records, r)
	}
	for _, q := range []Query{{}, {Rows: "/method"}, {Cols: "/samples"}} {
		_, err := Build(set, q)
		for _, want := range []string{"nll stands twice for seed 0", "0 (job jobv1, version v1)", "1 (job jobv2, version v2)", `-filter 'version:"v2"'`, "name version in -row"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %v, want %s", q, err, want)
			}
		}
	}
	for _, q := range []Query{{Filter: `version:"v2"`}, {Rows: "/method,version"}} {
		table := build(t, set, q)[0]
		if last := table.Rows[len(table.Rows)-1].Cells[0]; last.N != 1 || last.Mean != 1 {
			t.Errorf("%+v: %+v", q, table.Rows)
		}
	}
	set.Records[1].Values[0].Value = 0
	if table := build(t, set, Query{})[0]; table.Rows[0].Cells[0].N != 1 {
		t.Errorf("%+v", table.Rows)
	}
	set.Records[1].Values[0].Value, set.Records[0].Config, set.Records[1].Config = 1, nil, nil
	if _, err := Build(set, Query{}); err == nil || !strings.Contains(err.Error(), "without a seed") {
		t.Error(err)
	}
}

// Two configurations under one name, as results files of two runs hold them, are two rows, in every
// verb.
func TestSetupsAreRows(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for i, setup := range []string{"aaa", "bbb"} {
		for _, seed := range []string{"0", "1"} {
			r := record("a", seed, 1, results.Value{Unit: "nll", Value: float64(1 + i)})
			r.Origin = results.Origin{Job: "job-" + setup + "-" + seed, Setup: setup}
			set.Records = append(set.Records, r)
		}
	}
	for _, q := range []Query{{}, {Rows: "/method"}} {
		table := build(t, set, q)[0]
		if len(table.Rows) != 2 || table.Rows[1].Cells[0].N != 2 || table.Rows[1].Cells[0].Mean != 2 {
			t.Errorf("%+v: %+v", q, table.Rows)
		}
		if notes := strings.Join(table.Notes, " "); !strings.Contains(notes, "manifest.json of jobs job-aaa-0 and job-bbb-0") {
			t.Errorf("%+v: notes %s", q, notes)
		}
	}
	a, err := BuildAggregate(set, Query{Metrics: []string{"nll"}, Baseline: "a aaa"})
	if err != nil || len(a.Rows) != 2 || a.Rows[1].IQM.Center != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	changes, err := Compare(set, set, Query{})
	if err != nil || len(changes.All) != 2 {
		t.Errorf("%+v, %v", changes, err)
	}
	// The two sides of a comparison may differ in configuration: that is what is compared.
	one, other := set, set
	one.Records, other.Records = set.Records[:2], set.Records[2:]
	changes, err = Compare(one, other, Query{})
	if err != nil || len(changes.All) != 1 || changes.All[0].Delta != 1 {
		t.Fatalf("%+v, %v", changes, err)
	}
	// But it is said, and only then.
	want := "configurations of old and new differ in 1 row, such as MNIST m gonum a K=1: compare the manifest.json of jobs job-aaa-0 and job-bbb-0"
	if notes := strings.Join(changes.Notes, " "); !strings.Contains(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	changes, err = Compare(one, one, Query{})
	if err != nil || strings.Contains(strings.Join(changes.Notes, " "), "configurations of old and new") {
		t.Errorf("%+v, %v", changes, err)
	}
}

// Records that are left out are told of also where nothing else is in their table, and where there
// is no table.
func TestLeftOutAlone(t *testing.T) {
	clean, shifted := record("a", "0", 1, results.Value{Unit: "nll", Value: 1}), record("a", "0", 1, results.Value{Unit: "nll", Value: 2})
	shifted.Model = "other"
	shifted.Sweep = []results.Pair{{Key: "corruption", Value: "fog"}, {Key: "severity", Value: "1"}}
	want := "Left out: 1 record of /corruption, /severity; name /corruption in -row, -col or -filter to see them."
	tables := build(t, results.Set{Units: demoUnits, Records: []results.Record{clean, shifted}}, Query{})
	if len(tables) != 1 || !slices.Contains(tables[0].Notes, want) {
		t.Errorf("%+v, want the note %q", tables, want)
	}
	if _, err := Build(results.Set{Units: demoUnits, Records: []results.Record{shifted}}, Query{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}

// A query that names too few keys gets rows for those in which its results differ, and never their
// average.
func TestRowsAreNeverAveraged(t *testing.T) {
	set := results.Set{Units: demoUnits}
	add := func(value float64, sweep ...results.Pair) {
		r := record("a", "0", 1, results.Value{Unit: "nll", Value: value})
		r.Sweep = sweep
		set.Records = append(set.Records, r)
	}
	for i, rate := range []string{"0.1", "0.5"} {
		add(float64(i), results.Pair{Key: "method.rate", Value: rate})
		for k, severity := range []string{"1", "2"} {
			add(float64(10*k+i), results.Pair{Key: "method.rate", Value: rate}, results.Pair{Key: "corruption", Value: "fog"}, results.Pair{Key: "severity", Value: severity})
		}
	}
	for _, c := range []struct {
		q    Query
		rows int
		note string
	}{
		{Query{}, 2, "Left out: 4 records of /corruption, /severity; name /corruption in -row"},
		{Query{Rows: "/method"}, 2, "told apart by /method.rate too"},
		{Query{Rows: "/method,/corruption"}, 6, "told apart by /method.rate, /severity too"},
		{Query{Rows: "/method", Cols: "/severity"}, 2, "told apart by /method.rate too"},
		{Query{Filter: "/severity:2"}, 2, "The filter leaves out 4 of 6 records"},
		{Query{Rows: "/model"}, 2, "told apart by /method.rate too"},
	} {
		table := build(t, set, c.q)[0]
		if len(table.Rows) != c.rows || !strings.Contains(strings.Join(table.Notes, " "), c.note) {
			t.Errorf("%+v: %d rows, want %d; notes %q", c.q, len(table.Rows), c.rows, table.Notes)
		}
		for _, r := range table.Rows {
			for _, c := range r.Cells {
				if c.N > 1 {
					t.Errorf("an average of %d: %+v", c.N, r)
				}
			}
		}
	}
	other := record("b", "0", 1, results.Value{Unit: "nll", Value: 5})
	set.Records = append(set.Records, other)
	if table := build(t, set, Query{Rows: "/model"})[0]; !strings.Contains(strings.Join(table.Notes, " "), "told apart by /method, /method.rate too") {
		t.Errorf("notes %q", table.Notes)
	}
}

func TestTableSweepAndShift(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for _, rate := range []string{"0.1", "0.5"} {
		r := record("dropout", "0", 1, results.Value{Unit: "nll", Value: 1})
		r.Sweep = []results.Pair{{Key: "rate", Value: rate}}
		set.Records = append(set.Records, r)
	}
	shifted := record("dropout", "0", 1, results.Value{Unit: "nll", Value: 9})
	shifted.Sweep = []results.Pair{{Key: "rate", Value: "0.1"}, {Key: "corruption", Value: "fog"}, {Key: "severity", Value: "5"}}
	set.Records = append(set.Records, shifted)

	table := build(t, set, Query{})[0]
	if len(table.Rows) != 2 || strings.Join(table.RowHeads, " ") != "method rate K" || len(table.Notes) != 1 {
		t.Errorf("%d rows, heads %q, notes %q", len(table.Rows), table.RowHeads, table.Notes)
	}
	table = build(t, set, Query{Filter: "/corruption:fog", Cols: "/severity", Rows: "/method"})[0]
	if c := cell(t, table, "dropout", "5"); c.Mean != 9 {
		t.Errorf("%+v", c)
	}
}

// Lines of the validation split stay out of a table that does not ask for them, and are never
// averaged with the test set's.
func TestTableOfValidation(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for _, seed := range []string{"0", "1"} {
		test := record("a", seed, 4, results.Value{Unit: "nll", Value: 1})
		test.Sweep = []results.Pair{{Key: "predict", Value: "mean"}}
		held := record("a", seed, 4, results.Value{Unit: "nll", Value: 3})
		held.Sweep = []results.Pair{{Key: "predict", Value: "mean"}, {Key: "split", Value: "validation"}}
		set.Records = append(set.Records, test, held)
	}
	for want, q := range map[float64]Query{1: {}, 3: {Filter: "/split:validation"}} {
		tables := build(t, set, q)
		if len(tables) != 1 || len(tables[0].Rows) != 1 {
			t.Fatalf("filter %q: %d tables, rows %+v", q.Filter, len(tables), tables[0].Rows)
		}
		if c := cell(t, tables[0], "a", "nll"); c.N != 2 || c.Mean != want {
			t.Errorf("filter %q: %+v, want the mean %v of two seeds", q.Filter, c, want)
		}
	}
	both := build(t, set, Query{Rows: "/method,/split"})[0]
	if len(both.Rows) != 2 {
		t.Errorf("%d rows by split, want 2", len(both.Rows))
	}
}

// A job with two predictors has a row for each, and what the training gave stands in both; single
// layers stay out.
func TestTablePredictors(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for _, method := range []string{"deterministic", "ffg"} {
		training := record(method, "0", 0, results.Value{Unit: "train-samples/s", Value: 1000})
		layer := record(method, "0", 0, results.Value{Unit: "sparsity", Value: 0.5})
		layer.Sweep = []results.Pair{{Key: "layer", Value: "fc1"}}
		mean := record(method, "0", 1, results.Value{Unit: "nll", Value: 2})
		mean.Sweep = []results.Pair{{Key: "predict", Value: "mean"}}
		set.Records = append(set.Records, training, layer, mean)
	}
	if table := build(t, set, Query{})[0]; len(table.Rows) != 2 || strings.Join(table.RowHeads, " ") != "method K" || len(table.Columns) != 2 {
		t.Errorf("one predictor a job: %d rows, heads %q", len(table.Rows), table.RowHeads)
	}
	sample := record("ffg", "0", 8, results.Value{Unit: "nll", Value: 1})
	sample.Sweep = []results.Pair{{Key: "predict", Value: "sample"}}
	set.Records = append(set.Records, sample)
	table := build(t, set, Query{})[0]
	if len(table.Rows) != 3 || strings.Join(table.RowHeads, " ") != "method predict K" {
		t.Fatalf("%d rows, heads %q", len(table.Rows), table.RowHeads)
	}
	for i, want := range []string{"deterministic mean 1", "ffg mean 1", "ffg sample 8"} {
		r := table.Rows[i]
		if r.Label() != want || r.Cells[1].Mean != 1000 {
			t.Errorf("row %q %+v, want %q", r.Label(), r.Cells, want)
		}
	}
	if table := build(t, set, Query{Rows: "/method,/layer", Metrics: []string{"sparsity"}})[0]; table.Rows[0].Label() != "deterministic fc1" {
		t.Errorf("row %q", table.Rows[0].Label())
	}
}

// Out-of-distribution lines make a table of their own, with their own metrics.
func TestTableOOD(t *testing.T) {
	units := results.Units{"nll": demoUnits["nll"], "ood-auroc-entropy": {Name: "ood-auroc-entropy", Better: results.Higher}}
	plain := record("ffg", "0", 8, results.Value{Unit: "nll", Value: 1})
	ood := record("ffg", "0", 8, results.Value{Unit: "ood-auroc-entropy", Value: 0.9})
	ood.Sweep = []results.Pair{{Key: "ood", Value: "notmnist"}}
	tables := build(t, results.Set{Units: units, Records: []results.Record{plain, ood}}, Query{})
	if len(tables) != 2 || tables[1].Title != "MNIST · m · gonum · ood notmnist" || len(tables[0].Columns) != 1 || tables[1].Columns[0].Head != "ood-auroc-entropy" {
		t.Errorf("%+v", tables)
	}
}

func TestQueryErrors(t *testing.T) {
	for want, q := range map[string]Query{
		`did you mean "deterministic"?`: {Baseline: "determinstic"},
		`no values of metric "nl"`:      {Metrics: []string{"nl"}},
		"no results match filter":       {Filter: "/method:none"},
		"filter: ":                      {Filter: "/method:"},
		"projection":                    {Rows: "/method@"},
		"significance level -1":         {Baseline: "deterministic", Alpha: -1},
		"significance level NaN":        {Baseline: "deterministic", Alpha: math.NaN()},
	} {
		if _, err := Build(demoSet(1), q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestFormats(t *testing.T) {
	tables := build(t, demoSet(12), Query{Baseline: "deterministic", Metrics: []string{"error", "brier_sum"}})
	var out bytes.Buffer

	if err := WriteText(&out, tables, Style{Width: 100}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(out.String(), "0.0140 ±0.0004*") || !strings.Contains(out.String(), "standard deviation over 12 seeds") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("text:\n%s", out.String())
	}
	out.Reset()
	WriteText(&out, tables, Style{Color: true})
	if !strings.Contains(out.String(), "\x1b[") {
		t.Error("no colour")
	}

	out.Reset()
	if err := WriteMarkdown(&out, tables); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `| ensemble | 4 | 12 | **0.0140** ±0.0004\* |`) || !strings.Contains(out.String(), `brier\_sum ↓`) {
		t.Errorf("markdown:\n%s", out.String())
	}

	out.Reset()
	if err := WriteLaTeX(&out, tables); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `ensemble & 4 & 12 & $\mathbf{0.0140} \pm 0.0004^{*}$ &`) || !strings.Contains(out.String(), `brier\_sum`) {
		t.Errorf("latex:\n%s", out.String())
	}

	out.Reset()
	if err := WriteCSV(&out, tables); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 11 || rows[0][15] != "verdict" || rows[10][15] != "better" || rows[10][6] != "seeds" {
		t.Errorf("csv: %v, %d rows", err, len(rows))
	}

	out.Reset()
	if err := WriteJSON(&out, tables); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tables []struct {
			Cells []struct {
				Metric string
				Mean   float64
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Tables[0].Cells) != 10 || doc.Tables[0].Cells[0].Mean != tables[0].Rows[0].Cells[0].Mean {
		t.Errorf("json: %v\n%.300s", err, out.String())
	}
}

func TestNumbers(t *testing.T) {
	column := func(means, sds []float64) string {
		table := Table{Columns: []Column{{}}, Spread: stats.SD}
		var parts []string
		for i := range means {
			table.Rows = append(table.Rows, Row{Cells: []Cell{{Summary: Summary{N: 3, Mean: means[i], SD: sds[i]}}}})
		}
		for _, r := range table.Rows {
			parts = append(parts, table.text(r.Cells[0], table.decimals(0)))
		}
		return strings.Join(parts, " | ")
	}
	for _, c := range []struct {
		means, sds []float64
		want       string
	}{
		{[]float64{0.017234}, []float64{0.00042}, "0.0172 ±0.0004"},
		{[]float64{0.017234}, []float64{0.00012}, "0.01723 ±0.00012"},
		{[]float64{52276.4}, []float64{290.2}, "52276 ±290"},
		{[]float64{0.5, 0.25, 0.125}, []float64{0.04, 0.03, 0.0001}, "0.50 ±0.04 | 0.25 ±0.03 | 0.12 ±<0.01"},
		{[]float64{1, 2}, []float64{0, 0.3}, "1.0 ±0 | 2.0 ±0.3"},
	} {
		if got := column(c.means, c.sds); got != c.want {
			t.Errorf("%v ± %v: %q, want %q", c.means, c.sds, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.98: "0.98", 12345: "12345", 1.5e9: "1.5e+09", 0.00012345: "0.0001234", 3e-7: "3e-07", math.Inf(1): "∞"} {
		if got := plain(v); got != want {
			t.Errorf("plain(%v) = %q, want %q", v, got, want)
		}
	}
}

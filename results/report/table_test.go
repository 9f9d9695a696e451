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

// Without /samples in a projection a table shows the largest K of each method, and what does not depend on K with it.
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

// Predictions scored elsewhere stand beside those of every backend, paired by seed, and in a table of their own where
// there is no run of their data and model.
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
	// Ten seeds, one comparison: every difference is -1, so p = 2/2^10. The pairing matters: the seeds vary by 100.
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

	// Three seeds can never decide: p is at least 1/4. No star, and a note with that number and the seeds it takes.
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

func TestTableMixedSettings(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for i, version := range []string{"v1", "v2"} {
		r := record("a", "0", 1, results.Value{Unit: "nll", Value: float64(i)})
		r.Config = append(r.Config, results.Pair{Key: "version", Value: version})
		set.Records = append(set.Records, r)
	}
	table := build(t, set, Query{})[0]
	if len(table.Notes) != 1 || !strings.Contains(table.Notes[0], "differ in version") {
		t.Errorf("notes %q", table.Notes)
	}
	if c := cell(t, table, "a", "nll"); c.N != 2 || c.Mean != 0.5 {
		t.Errorf("%+v", c)
	}
	// The same job twice with other numbers is an error, not an average.
	set.Records[1].Config = set.Records[0].Config
	if _, err := Build(set, Query{}); err == nil || !strings.Contains(err.Error(), "nll stands twice for seed 0") {
		t.Errorf("error %v", err)
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
	if len(table.Rows) != 2 || strings.Join(table.RowHeads, " ") != "method rate K" || len(table.Notes) > 0 {
		t.Errorf("%d rows, heads %q, notes %q", len(table.Rows), table.RowHeads, table.Notes)
	}
	table = build(t, set, Query{Filter: "/corruption:fog", Cols: "/severity", Rows: "/method"})[0]
	if c := cell(t, table, "dropout", "5"); c.Mean != 9 {
		t.Errorf("%+v", c)
	}
}

// Lines of the validation split stay out of a table that does not ask for them, and are never averaged with the test
// set's.
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

// A job with two predictors has a row for each, and what the training gave stands in both; single layers stay out.
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
	for _, line := range strings.Split(out.String(), "\n") {
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
	if err != nil || len(rows) != 11 || rows[10][14] != "better" {
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

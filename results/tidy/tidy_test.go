package tidy_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"bayesbench/results"
	"bayesbench/results/tidy"
)

// sample has what a table must not lose: a key that only one record has, a text that looks like a
// number, digits that float32 would round, an infinity, a comma and a quote, a configuration key of
// a name key's name.
var sample = results.Set{
	Records: []results.Record{
		{Data: "mnist", Model: "mlp", Method: `swag, "big"`, Backend: "gonum", Samples: 8,
			Sweep:  []results.Pair{{Key: "train.lr", Value: "0.001"}, {Key: "split", Value: "validation"}},
			Config: []results.Pair{{Key: "seed", Value: "3"}, {Key: "suite", Value: "007"}},
			Values: []results.Value{{Unit: "nll", Value: 0.1 + 0.2}, {Unit: "train-s", Value: 2}},
			Origin: results.Origin{Job: "0123456789ab", Setup: "ba9876543210"}},
		{Data: "mnist", Model: "mlp", Method: "ffg", Backend: "gonum",
			Sweep:  []results.Pair{{Key: "train.lr", Value: "1e-05"}},
			Config: []results.Pair{{Key: "backend", Value: "x"}, {Key: "seed", Value: "10"}, {Key: "suite", Value: "007"}},
			Values: []results.Value{{Unit: "nll", Value: math.Inf(1)}}},
	},
	Units: results.Units{"nll": {Name: "nll", Better: results.Lower}, "train-s": {Name: "train-s", Timing: true}},
}

func TestValues(t *testing.T) {
	table := tidy.Values(sample)
	kinds := map[string]tidy.Kind{}
	var names []string
	for _, c := range table.Columns {
		kinds[c.Name] = c.Kind
		names = append(names, c.Name)
	}
	if got, want := strings.Join(names, " "), "data model method backend split train.lr samples config.backend seed suite unit better timing value job setup"; got != want {
		t.Errorf("columns\n%s\nwant\n%s", got, want)
	}
	for name, want := range map[string]tidy.Kind{"train.lr": tidy.Number, "samples": tidy.Integer, "seed": tidy.Integer,
		"suite": tidy.Text, "value": tidy.Number, "timing": tidy.Flag, "method": tidy.Text} {
		if kinds[name] != want {
			t.Errorf("column %s is of kind %d, want %d", name, kinds[name], want)
		}
	}
	if len(table.Rows) != 3 || table.Infinite() != 1 {
		t.Errorf("%d rows, %d infinite; want 3 and 1", len(table.Rows), table.Infinite())
	}
}

// Each form holds each cell, bit for bit, as read by a reader that is not ours.
func TestForms(t *testing.T) {
	table := tidy.Values(sample)
	read := map[string]func(*testing.T, tidy.Table) []map[string]string{"csv": readCSV, "jsonl": readJSONLines, "parquet": readParquet}
	for form, rows := range read {
		t.Run(form, func(t *testing.T) {
			got := rows(t, table)
			if len(got) != len(table.Rows) {
				t.Fatalf("%d rows, want %d", len(got), len(table.Rows))
			}
			for n, row := range table.Rows {
				for i, c := range table.Columns {
					want := row[i]
					if c.Kind == tidy.Number && want != "" {
						want = bits(t, want)
						if form == "jsonl" && table.Rows[n][i] == "+Inf" {
							want = ""
						}
					}
					if found := got[n][c.Name]; found != want {
						t.Errorf("row %d, column %s: %q, want %q", n, c.Name, found, want)
					}
				}
			}
		})
	}
}

// bits is the number as all readers of the test spell it.
func bits(t *testing.T, text string) string {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatUint(math.Float64bits(v), 16)
}

func readCSV(t *testing.T, table tidy.Table) []map[string]string {
	var out bytes.Buffer
	if err := table.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			if table.Columns[i].Kind == tidy.Number && cell != "" {
				cell = bits(t, cell)
			}
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func readJSONLines(t *testing.T, table tidy.Table) []map[string]string {
	var out bytes.Buffer
	if err := table.WriteJSONLines(&out); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for line := range strings.Lines(out.String()) {
		dec := json.NewDecoder(strings.NewReader(line))
		dec.UseNumber()
		var cells map[string]any
		if err := dec.Decode(&cells); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for _, c := range table.Columns {
			switch v := cells[c.Name].(type) {
			case json.Number:
				if row[c.Name] = v.String(); c.Kind == tidy.Number {
					row[c.Name] = bits(t, v.String())
				}
			case string:
				row[c.Name] = v
			case bool:
				row[c.Name] = strconv.FormatBool(v)
			case nil:
				row[c.Name] = ""
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func readParquet(t *testing.T, table tidy.Table) []map[string]string {
	var out bytes.Buffer
	if err := table.WriteParquet(&out); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	in := parquet.NewGenericReader[map[string]any](file, file.Schema())
	defer in.Close()
	cells := make([]map[string]any, len(table.Rows)+1)
	for i := range cells {
		cells[i] = map[string]any{}
	}
	n, _ := in.Read(cells) // an end of file beside the rows
	var rows []map[string]string
	for _, c := range cells[:n] {
		row := map[string]string{}
		for name, cell := range c {
			switch v := cell.(type) {
			case nil:
				row[name] = ""
			case float64:
				row[name] = strconv.FormatUint(math.Float64bits(v), 16)
			case int64:
				row[name] = strconv.FormatInt(v, 10)
			case bool:
				row[name] = strconv.FormatBool(v)
			case string:
				row[name] = v
			case []byte:
				row[name] = string(v)
			default:
				t.Fatalf("column %s: %T", name, v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// A job's curve is a row for each measurement; cells that do not apply have none.
func TestCurves(t *testing.T) {
	job := results.JobResult{ID: "0123456789ab", Records: sample.Records[:1], Curve: results.Curve{
		Columns: []string{"step", "loss", "test-nll"}, Rows: [][]float64{{10, 0.5, math.NaN()}, {20, 0.25, 1.5}}}}
	table := tidy.Curves([]results.JobResult{job, {ID: "empty"}})
	var got []string
	for _, row := range table.Rows {
		got = append(got, strings.Join(row, " "))
	}
	want := []string{
		`mnist mlp swag, "big" gonum 3  validation 0.001 0123456789ab 10 loss 0.5`,
		`mnist mlp swag, "big" gonum 3  validation 0.001 0123456789ab 20 loss 0.25`,
		`mnist mlp swag, "big" gonum 3  validation 0.001 0123456789ab 20 test-nll 1.5`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/perf/benchproc"

	"bayesbench/backends/rng"
	"bayesbench/results"
	"bayesbench/results/stats"
)

// An Aggregate compares methods over several data sets in one metric.
//
// A value of a method is divided by the mean of the baseline on the same data set, so that 1 is as good as the
// baseline everywhere. Source: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
// precipice".
type Aggregate struct {
	Unit     string         `json:"unit"`
	Better   results.Better `json:"better"`
	Baseline string         `json:"baseline"`
	DataSets []string       `json:"data_sets"` // titles of the tables that were pooled
	Rows     []AggregateRow `json:"rows"`
	Notes    []string       `json:"notes,omitempty"`
}

// An AggregateRow is one method. Intervals are percentile intervals of the bootstrap that resamples seeds within data
// sets.
type AggregateRow struct {
	Method string `json:"method"`
	Runs   int    `json:"runs"` // seeds, over all data sets
	// IQM is the interquartile mean of the values over those of the baseline.
	IQM stats.Interval `json:"iqm"`
	// Improvement is the probability that a run is better than one of the baseline, averaged over data sets.
	Improvement stats.Interval `json:"improvement"`
}

const aggregateConfidence = 0.95

// BuildAggregate pools the tables of the query, which names one metric and a baseline. Methods that some data set
// lacks are left out and named in a note.
func BuildAggregate(set results.Set, q Query) (*Aggregate, error) {
	if len(q.Metrics) != 1 || q.Metrics[0] == "all" {
		return nil, fmt.Errorf("an aggregate is of one metric, not of %d", len(q.Metrics))
	}
	set.Records = amongOthers(set.Records)
	q = q.withDefaults(set.Records)
	if strings.Contains(q.Tables+q.Rows, "/"+predictKey) {
		set.Records = overPredictors(set.Records)
	}
	g, err := group(set, q)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{Unit: q.Metrics[0], Better: g.units[q.Metrics[0]].Better}
	if a.Better == results.Neither {
		return nil, fmt.Errorf("%s has no better direction: nothing can be said to improve", a.Unit)
	}
	tables := g.sorted(func(c cellKey) benchproc.Key { return c.table }, nil)
	rows := g.sorted(func(c cellKey) benchproc.Key { return c.row }, nil)
	if len(tables) == 0 {
		return nil, fmt.Errorf("no results match%s", noMatch(set, q))
	}
	base := slices.IndexFunc(rows, func(k benchproc.Key) bool { return label(k) == q.Baseline })
	if base < 0 {
		base = slices.IndexFunc(rows, func(k benchproc.Key) bool { return strings.HasPrefix(label(k), q.Baseline+" ") })
	}
	if base < 0 {
		var names []string
		for _, k := range rows {
			names = append(names, label(k))
		}
		return nil, fmt.Errorf("no method %q for a baseline%s", q.Baseline, meant(q.Baseline, names))
	}
	a.Baseline = label(rows[base])

	// values by row and data set; nil where a row lacks a data set.
	values := make([][][]float64, len(rows))
	for i, row := range rows {
		for _, t := range tables {
			values[i] = append(values[i], g.finite(cellKey{table: t, row: row, col: g.noColumn(t, row), unit: a.Unit}))
		}
	}
	for t, key := range tables {
		if len(values[base][t]) == 0 {
			return nil, fmt.Errorf("%s has no %s on %s", a.Baseline, a.Unit, tableTitle(key))
		}
		mean, _ := stats.Summarise(values[base][t])
		if mean == 0 {
			return nil, fmt.Errorf("%s of %s is 0 on %s: nothing can be divided by it", a.Unit, a.Baseline, tableTitle(key))
		}
		for i := range values {
			for j := range values[i][t] {
				values[i][t][j] /= mean
			}
		}
		a.DataSets = append(a.DataSets, tableTitle(key))
	}
	mixed := map[string]bool{}
	for place := range g.values {
		for _, name := range g.mixed(place) {
			mixed[name] = true
		}
	}
	for _, name := range sortedNames(mixed) {
		a.Notes = append(a.Notes, fmt.Sprintf("Warning: some methods mix values that differ in %s; name it in a row or table, or filter.", name))
	}
	fewest := math.MaxInt
	for i, row := range rows {
		if at := slices.IndexFunc(values[i], func(v []float64) bool { return len(v) == 0 }); at >= 0 {
			a.Notes = append(a.Notes, fmt.Sprintf("%s is left out: no %s on %s.", label(row), a.Unit, a.DataSets[at]))
			continue
		}
		runs := 0
		for _, v := range values[i] {
			runs, fewest = runs+len(v), min(fewest, len(v))
		}
		a.Rows = append(a.Rows, AggregateRow{
			Method: label(row), Runs: runs,
			IQM:         stats.IQMInterval(values[i], aggregateConfidence, stats.Replicates, rng.Key{}),
			Improvement: stats.ImprovementInterval(a.oriented(values[i]), a.oriented(values[base]), aggregateConfidence, stats.Replicates, rng.Key{}),
		})
	}
	slices.SortStableFunc(a.Rows, func(x, y AggregateRow) int {
		c := cmp.Compare(x.IQM.Center, y.IQM.Center)
		if a.Better == results.Higher {
			c = -c
		}
		return c
	})
	if fewest < 5 {
		a.Notes = append(a.Notes, fmt.Sprintf("Some data sets have only %d seeds: the bootstrap's intervals are then too narrow.", fewest))
	}
	if len(tables) == 1 {
		a.Notes = append(a.Notes, "There is one data set: an aggregate says little that the table does not.")
	}
	return a, nil
}

// oriented turns a metric so that larger is better.
func (a *Aggregate) oriented(values [][]float64) [][]float64 {
	if a.Better == results.Higher {
		return values
	}
	turned := make([][]float64, len(values))
	for i, v := range values {
		for _, x := range v {
			turned[i] = append(turned[i], -x)
		}
	}
	return turned
}

// noColumn is the column of a row in a query whose columns are metrics.
func (g *grouped) noColumn(table, row benchproc.Key) benchproc.Key {
	for place := range g.values {
		if place.table == table && place.row == row {
			return place.col
		}
	}
	return benchproc.Key{}
}

// finite are the values of a cell in the order of the seeds, without those of diverged runs that no mean can hold.
func (g *grouped) finite(place cellKey) []float64 {
	values := g.bySeed(place)
	xs := stats.PairBySeed(values, values).A
	return slices.DeleteFunc(xs, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

func (a *Aggregate) title() string {
	return fmt.Sprintf("%s over %d data sets, %s = 1", a.Unit, len(a.DataSets), a.Baseline)
}

func (a *Aggregate) heads() []string {
	arrow := Column{Better: a.Better}.arrow()
	return []string{"method", "runs", "IQM of " + a.Unit + arrow, "P(better than " + a.Baseline + ")"}
}

func (a *Aggregate) grid() [][]string {
	var rows [][]string
	for _, r := range a.Rows {
		better := "–"
		if r.Method != a.Baseline {
			better = bracketed(r.Improvement, "%.2f")
		}
		rows = append(rows, []string{r.Method, fmt.Sprint(r.Runs), bracketed(r.IQM, "%.3f"), better})
	}
	return rows
}

func bracketed(i stats.Interval, format string) string {
	return fmt.Sprintf(format+" ["+format+", "+format+"]", i.Center, i.Lo, i.Hi)
}

func (a *Aggregate) legend() []string {
	lines := []string{
		"Data sets: " + strings.Join(a.DataSets, "; ") + ".",
		fmt.Sprintf("IQM: interquartile mean over data sets and seeds of the metric over %s's mean on the same data set. In brackets %g %% intervals by %d bootstrap replicates over seeds within data sets.",
			a.Baseline, 100*aggregateConfidence, stats.Replicates),
	}
	return append(lines, a.Notes...)
}

// Write writes the aggregate as text, markdown or json.
func (a *Aggregate) Write(w io.Writer, format string, style Style) error {
	var out strings.Builder
	switch format {
	case "text", "markdown":
		t := table.NewWriter()
		t.SetStyle(table.StyleLight)
		t.Style().Options = table.Options{SeparateHeader: true}
		t.Style().Format.Header = text.FormatDefault
		t.SuppressTrailingSpaces()
		var configs []table.ColumnConfig
		for i := range a.heads() {
			if i > 0 {
				configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
			}
		}
		t.SetColumnConfigs(configs)
		name := strings.Clone
		if format == "markdown" {
			name = markdownName
		}
		t.AppendHeader(cells(a.heads()))
		for _, row := range a.grid() {
			row[0] = name(row[0])
			t.AppendRow(cells(row))
		}
		if format == "text" {
			fmt.Fprintf(&out, "%s\n%s\n", a.title(), t.Render())
			for _, line := range a.legend() {
				out.WriteString(wrap(line, style.Width) + "\n")
			}
			break
		}
		fmt.Fprintf(&out, "### %s\n\n%s\n", markdown(a.title()), t.RenderMarkdown())
		for _, line := range a.legend() {
			out.WriteString("\n" + markdown(line) + "\n")
		}
	case "json":
		enc := json.NewEncoder(&out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(a); err != nil {
			return err
		}
	default:
		return fmt.Errorf("-format %s: want text, markdown or json", format)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func cells(texts []string) table.Row {
	var row table.Row
	for _, s := range texts {
		row = append(row, s)
	}
	return row
}

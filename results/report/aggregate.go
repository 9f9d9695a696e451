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

// Aggregate compares methods over several data sets in one metric.
//
// A value of a method is divided by the mean of the baseline on the same data set, so that 1 is as
// good as the baseline everywhere. Source: Agarwal et al. 2021, "Deep reinforcement learning at the
// edge of the statistical precipice".
type Aggregate struct {
	Unit     string         `json:"unit"`
	Better   results.Better `json:"better"`
	Baseline string         `json:"baseline"`
	DataSets []string       `json:"data_sets"` // titles of the tables that were pooled
	Over     string         `json:"over"`      // what the runs of a data set differ in: seeds, splits, or "runs" for both
	Rows     []AggregateRow `json:"rows"`
	Notes    []string       `json:"notes,omitempty"`
}

// AggregateRow is one method. Intervals are percentile intervals of the bootstrap that resamples
// runs within data sets.
type AggregateRow struct {
	Method string `json:"method"`
	Mark   string `json:"mark,omitempty"` // as that of a [Row]
	Runs   int    `json:"runs"`           // over all data sets
	// IQM is the interquartile mean of the values over those of the baseline.
	IQM Estimate `json:"iqm"`
	// Improvement is the probability that a run is better than one of the baseline, averaged over
	// data sets.
	Improvement Estimate `json:"improvement"`

	base bool // it is the baseline
}

// Estimate is a number with its interval, which a method that ran once on some data set does not
// have.
type Estimate struct {
	Center     float64
	Lo, Hi     *float64 `json:",omitempty"`
	Confidence float64  `json:",omitempty"`
}

func (e *Estimate) between(i stats.Interval) { e.Lo, e.Hi, e.Confidence = &i.Lo, &i.Hi, i.Confidence }

const aggregateConfidence = 0.95

// BuildAggregate pools the tables of the query, which names one metric and a baseline. Methods that
// some data set lacks are left out and named in a note.
func BuildAggregate(set results.Set, q Query) (*Aggregate, error) {
	if len(q.Metrics) != 1 || q.Metrics[0] == "all" {
		return nil, fmt.Errorf("an aggregate is of one metric, not of %d", len(q.Metrics))
	}
	set.Records = tellSetupsApart(amongOthers(set.Records))
	var err error
	if set.Records, q.picks, err = q.pick(set); err != nil {
		return nil, err
	}
	g, err := grouping(set, q)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{Unit: q.Metrics[0], Better: g.units[q.Metrics[0]].Better, Baseline: q.Baseline}
	if a.Better == results.Neither {
		return nil, fmt.Errorf("%s has no better direction: nothing can be said to improve", a.Unit)
	}
	tables := g.order
	var places []cellKey
	var all []sample
	for _, table := range tables {
		a.DataSets = append(a.DataSets, tableTitle(table))
		places = append(places, g.places[table]...)
		for _, place := range g.places[table] {
			all = append(all, g.values[place]...)
		}
	}
	a.Over = replicatesOf(all)
	rows := distinctKeys(places, func(c cellKey) benchproc.Key { return c.row })
	at := map[[2]benchproc.Key]cellKey{}
	for _, place := range places {
		at[[2]benchproc.Key{place.table, place.row}] = place
	}
	var heads []string
	labels := make([][]string, len(rows))
	for i, row := range rows {
		heads = nil
		for _, f := range row.Projection().FlattenedFields() {
			heads = append(heads, strings.TrimPrefix(f.Name, "/"))
			labels[i] = append(labels[i], fieldText(row, f))
		}
	}
	p, err := newPartners(heads, labels, q.Baseline)
	if err != nil {
		return nil, err
	}
	p.selected = !q.Select.IsZero()

	// values by row and data set; none where a row lacks a data set.
	values := make([][][]float64, len(rows))
	diverged := 0
	from := newProvenance()
	for i, row := range rows {
		for _, table := range tables {
			place, ok := at[[2]benchproc.Key{table, row}]
			if !ok {
				values[i] = append(values[i], nil)
				continue
			}
			v, infinite := g.finite(place)
			values[i] = append(values[i], v)
			diverged += infinite
			from.add(label(row), a.Unit, g.values[place])
		}
	}
	fewest := math.MaxInt
	for i, row := range rows {
		base := i
		if !p.isBase(i) {
			base = p.of(i)
		}
		ours, theirs, err := a.relative(values[i], values[base], label(row), label(rows[base]))
		if err != nil {
			if i == base {
				return nil, err
			}
			a.Notes = append(a.Notes, fmt.Sprintf("%s is left out: %v.", label(row), err))
			continue
		}
		r := AggregateRow{Method: label(row), Mark: from.mark(label(row)), base: i == base}
		runs := math.MaxInt // of the data set with the fewest
		for t := range ours {
			r.Runs += len(ours[t])
			runs = min(runs, len(ours[t]), len(theirs[t]))
		}
		fewest = min(fewest, runs)
		r.IQM, r.Improvement = Estimate{Center: stats.IQM(ours)}, Estimate{Center: stats.ProbabilityOfImprovement(a.oriented(ours), a.oriented(theirs))}
		if runs > 1 {
			r.IQM.between(stats.IQMInterval(ours, aggregateConfidence, stats.Replicates, rng.Key{}))
			r.Improvement.between(stats.ImprovementInterval(a.oriented(ours), a.oriented(theirs), aggregateConfidence, stats.Replicates, rng.Key{}))
		}
		a.Rows = append(a.Rows, r)
	}
	a.Notes = append(a.Notes, p.notes()...)
	slices.SortStableFunc(a.Rows, func(x, y AggregateRow) int {
		c := cmp.Compare(x.IQM.Center, y.IQM.Center)
		if a.Better == results.Higher {
			c = -c
		}
		return c
	})
	switch {
	case fewest < 2:
		a.Notes = append(a.Notes, "One run of a method on a data set gives no interval: it takes two "+a.Over+" at least.")
	case fewest < 5:
		a.Notes = append(a.Notes, fmt.Sprintf("Some data sets have only %d %s: the bootstrap's intervals are then too narrow.", fewest, a.Over))
	}
	if diverged > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("%s of %s not finite and left out.", plural(diverged, "value"), a.Unit))
	}
	if len(tables) == 1 {
		a.Notes = append(a.Notes, "There is one data set: an aggregate says little that the table does not.")
	}
	for _, table := range tables {
		for _, note := range g.notes(table, q) {
			if !slices.Contains(a.Notes, note) {
				a.Notes = append(a.Notes, note)
			}
		}
	}
	a.Notes = append(a.Notes, from.notes()...)
	return a, nil
}

// relative are the values of a row and of its baseline's over the mean of the latter, on each data
// set.
func (a *Aggregate) relative(ours, theirs [][]float64, row, base string) (relative, baseline [][]float64, err error) {
	for t := range ours {
		switch {
		case len(theirs[t]) == 0:
			return nil, nil, fmt.Errorf("%s has no %s on %s", base, a.Unit, a.DataSets[t])
		case len(ours[t]) == 0:
			return nil, nil, fmt.Errorf("no %s on %s", a.Unit, a.DataSets[t])
		}
		mean, _ := stats.Summarise(theirs[t])
		if !(mean > 0) { // below 0 the quotient of the better is the larger
			return nil, nil, fmt.Errorf("%s of %s on %s: want a mean above 0 to divide by, found %.4g; name another metric by -metric",
				a.Unit, base, a.DataSets[t], mean)
		}
		relative, baseline = append(relative, over(ours[t], mean)), append(baseline, over(theirs[t], mean))
	}
	return relative, baseline, nil
}

func over(values []float64, by float64) []float64 {
	scaled := make([]float64, len(values))
	for i, v := range values {
		scaled[i] = v / by
	}
	return scaled
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

// finite are the values of a cell in the order of the seeds, without those of diverged runs that no
// mean can hold, which are counted.
func (g *grouped) finite(place cellKey) (xs []float64, infinite int) {
	all := inOrder(g.at(place))
	xs = slices.DeleteFunc(slices.Clone(all), func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	return xs, len(all) - len(xs)
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
		if !r.base {
			better = bracketed(r.Improvement, "%.2f")
		}
		rows = append(rows, []string{strings.TrimSpace(r.Method + " " + r.Mark), fmt.Sprint(r.Runs), bracketed(r.IQM, "%.3f"), better})
	}
	return rows
}

func bracketed(e Estimate, format string) string {
	if e.Lo == nil {
		return fmt.Sprintf(format, e.Center)
	}
	return fmt.Sprintf(format+" ["+format+", "+format+"]", e.Center, *e.Lo, *e.Hi)
}

func (a *Aggregate) legend() []string {
	lines := []string{
		"Data sets: " + strings.Join(a.DataSets, "; ") + ".",
		fmt.Sprintf("IQM: interquartile mean over data sets and %s of the metric over %s's mean on the same data set.", a.Over, a.Baseline),
	}
	if slices.ContainsFunc(a.Rows, func(r AggregateRow) bool { return r.IQM.Lo != nil }) {
		lines[1] += fmt.Sprintf(" In brackets %g %% intervals by %d bootstrap replicates over %s within data sets.", 100*aggregateConfidence, stats.Replicates, a.Over)
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

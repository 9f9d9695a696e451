package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/perf/benchproc"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// Change is what became of one metric of one row between two results files, paired by seed.
type Change struct {
	Row      string // table and row, such as "MNIST lenet-300-100 gonum sparse-vd K=8"
	Unit     results.Unit
	Old, New Summary // over the paired seeds
	Pairs    int     // seeds in both
	Unpaired int     // seeds in only one of the two, left out
	Delta    float64 // new - old, mean over the pairs; for a timing the geometric mean of new/old, minus 1
	Low      float64 // confidence interval of Delta at 1-alpha, from Student's t; infinite for a single pair
	High     float64
	P        float64 // exact two-sided sign-flip test of no change (of the logarithm for a timing); 1 for a single pair
	Adjusted float64 // P after Benjamini and Hochberg's correction over all changes
	Verdict  Verdict

	pairs     []results.Replicate
	worsening []float64 // paired differences in the direction of worse; of logarithms for a timing
}

// side is the configuration key that tells the two files apart while they are grouped together.
const side = "compare-side"

// Changes is what became of all metrics between two results.
type Changes struct {
	All     []Change
	Missing []string // rows and metrics that only one of the two has, as sentences
	Notes   []string
	Alpha   float64
}

// Compare pairs two sets of results. The query's rows and tables say what is one row; its columns
// and baseline have no meaning here.
func Compare(old, new results.Set, q Query) (*Changes, error) {
	q, err := q.atLevel()
	if err != nil {
		return nil, err
	}
	if len(q.Metrics) == 0 {
		q.Metrics = []string{"all"}
	}
	q.Cols = side
	both := results.Set{Units: results.Units{}}
	for _, s := range []struct {
		name string
		set  results.Set
	}{{"old", old}, {"new", new}} {
		if err := both.Add(results.Set{Units: s.set.Units}); err != nil {
			return nil, err
		}
		for _, r := range s.set.Records {
			r.Config = append(slices.Clone(r.Config), results.Pair{Key: side, Value: s.name})
			both.Records = append(both.Records, r)
		}
	}
	both.Records = tellSetupsApart(both.Records)
	g, err := group(both, q) // not over predictors: what holds for all of them is compared once
	if err != nil {
		return nil, err
	}
	if len(g.values) == 0 {
		return nil, fmt.Errorf("no results match%s", noMatch(both, q))
	}
	diff := &Changes{Alpha: q.Alpha}
	var changed reconfigured
	cells := 0
	for _, table := range g.order {
		rows := rowsOf(g.places[table])
		if cells += len(rows) * len(g.metrics); cells > maxCells {
			return nil, &sizeError{rows: len(rows), columns: len(g.metrics), tables: 1}
		}
		var sides [2]benchproc.Key
		for _, col := range colsOf(g.places[table]) {
			if title(col) == "old" {
				sides[0] = col
			} else {
				sides[1] = col
			}
		}
		from := newProvenance()
		for _, row := range rows {
			for _, unit := range g.metrics {
				places := [2]cellKey{{table, row, sides[0], unit}, {table, row, sides[1], unit}}
				values := [2]byReplicate{g.at(places[0]), g.at(places[1])}
				if len(values[0])+len(values[1]) == 0 {
					continue
				}
				name := strings.ReplaceAll(title(table), " · ", " ") + " " + label(row)
				if k := max(g.samples[places[0]], g.samples[places[1]]); k > 0 && !g.keyed {
					name += fmt.Sprintf(" K=%d", k)
				}
				for i, of := range []string{"old", "new"} {
					from.add(of, unit, g.values[places[i]])
				}
				switch {
				case len(values[1]) == 0:
					diff.Missing = append(diff.Missing, fmt.Sprintf("%s has no %s in the new results", name, unit))
				case len(values[0]) == 0:
					diff.Missing = append(diff.Missing, fmt.Sprintf("%s has no %s in the old results", name, unit))
				default:
					c, err := change(name, g.units[unit], values[0], values[1], q.Alpha)
					if err != nil {
						return nil, err
					}
					diff.All = append(diff.All, c)
					changed.add(name, g.values[places[0]][0].record.Origin, g.values[places[1]][0].record.Origin)
				}
			}
		}
		if versions := from.fields["version"]; len(versions) == 2 && !slices.ContainsFunc(slices.Sorted(maps.Keys(versions)), func(v string) bool { return len(versions[v]) > 1 }) {
			delete(from.fields, "version") // one of each side: that is what is compared
		}
		for _, note := range slices.Concat(g.notes(table, q), from.notes()) {
			if !slices.Contains(diff.Notes, note) {
				diff.Notes = append(diff.Notes, note)
			}
		}
	}
	if len(changed.rows) > 0 {
		diff.Notes = append(diff.Notes, changed.note())
	}
	judgeChanges(diff.All, q.Alpha)
	return diff, nil
}

// reconfigured are the rows whose old and new results are of jobs of different configurations,
// which no name says if each of the two results has but one of them.
type reconfigured struct {
	rows     []string
	old, new results.Origin // of the first row
}

func (c *reconfigured) add(row string, old, new results.Origin) {
	if old.Setup == "" || new.Setup == "" || old.Setup == new.Setup || slices.Contains(c.rows[max(0, len(c.rows)-1):], row) {
		return
	}
	if len(c.rows) == 0 {
		c.old, c.new = old, new
	}
	c.rows = append(c.rows, row)
}

func (c *reconfigured) note() string {
	return fmt.Sprintf("Warning: the configurations of old and new differ in %s, such as %s: compare the manifest.json of jobs %s and %s.",
		plural(len(c.rows), "row"), c.rows[0], c.old.Job, c.new.Job)
}

func change(name string, unit results.Unit, old, new byReplicate, alpha float64) (Change, error) {
	pairs := pair(old, new)
	c := Change{Row: name, Unit: unit, P: 1, Verdict: Undecided, pairs: pairs.Keys}
	identical := true
	c.Old, c.New = summarise(of(pairs.Keys, old)), summarise(of(pairs.Keys, new))
	c.Pairs, c.Unpaired = len(pairs.Keys), len(pairs.OnlyA)+len(pairs.OnlyB)
	if c.Pairs == 0 {
		return c, fmt.Errorf("%s of %s: the old and the new results have no seed in common", unit.Name, name)
	}
	var diffs []float64
	for i, replicate := range pairs.Keys {
		x, y := pairs.A[i], pairs.B[i]
		identical = identical && math.Float64bits(x) == math.Float64bits(y)
		d := y - x
		switch {
		case x == y: // infinities included
			d = 0
		case unit.Timing && (x <= 0 || y <= 0):
			return c, fmt.Errorf("%s of %s, %s: %v and %v, want positive timings", unit.Name, name, replicate, x, y)
		case unit.Timing:
			d = math.Log(y / x)
		}
		diffs = append(diffs, d)
		if unit.Better == results.Higher {
			d = -d
		}
		c.worsening = append(c.worsening, d)
	}
	if identical && !unit.Timing {
		c.Verdict = Identical
	}
	_, interval := stats.PairedT(diffs, 1-alpha)
	c.Delta, c.Low, c.High, c.P = interval.Center, interval.Lo, interval.Hi, stats.Paired(diffs).P
	if math.IsNaN(c.P) || math.IsInf(c.Delta, 0) { // a change to or from infinity has no size to test
		c.Low, c.High, c.P = math.Inf(-1), math.Inf(1), 1
	}
	if unit.Timing {
		c.Delta, c.Low, c.High = math.Expm1(c.Delta), math.Expm1(c.Low), math.Expm1(c.High)
	}
	return c, nil
}

// of returns the values of the given replicates.
func of(keys []results.Replicate, values byReplicate) byReplicate {
	some := byReplicate{}
	for _, key := range keys {
		some[key] = values[key]
	}
	return some
}

func judgeChanges(changes []Change, alpha float64) {
	var ps []float64
	var at []int
	for i, c := range changes {
		if c.Verdict != Identical {
			ps, at = append(ps, c.P), append(at, i)
		}
	}
	for k, p := range stats.BenjaminiHochberg(ps) {
		c := &changes[at[k]]
		c.Adjusted = p
		switch {
		case p > alpha:
		case c.Unit.Better == results.Neither:
			c.Verdict = Differs
		case (c.Delta < 0) == (c.Unit.Better == results.Lower):
			c.Verdict = IsBetter
		default:
			c.Verdict = IsWorse
		}
	}
}

// changeText is the change as it stands in a table: a difference, or a percentage for a timing.
func (c Change) changeText() string {
	if c.Unit.Timing {
		return fmt.Sprintf("%+.1f%%", 100*c.Delta)
	}
	return signed(c.Delta)
}

func (c Change) intervalText() string {
	switch {
	case c.Pairs < 2:
		return ""
	case c.Unit.Timing:
		return fmt.Sprintf("[%+.1f%%, %+.1f%%]", 100*c.Low, 100*c.High)
	}
	return "[" + signed(c.Low) + ", " + signed(c.High) + "]"
}

func pText(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// Write writes the changes that are not identical as a text table, and says how many are.
func (d *Changes) Write(w io.Writer) error {
	return d.write(w, strings.Clone, func(t table.Writer) string { return t.Render() + "\n" })
}

// WriteMarkdown is Write for a pull request.
func (d *Changes) WriteMarkdown(w io.Writer) error {
	return d.write(w, markdownName, func(t table.Writer) string { return t.RenderMarkdown() + "\n\n" })
}

func (d *Changes) write(w io.Writer, name func(string) string, render func(table.Writer) string) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Format.Header = text.FormatDefault
	t.SuppressTrailingSpaces()
	t.AppendHeader(table.Row{"row", "metric", "old", "new", "change", fmt.Sprintf("%g %% interval", 100*(1-d.Alpha)), "p", "verdict"})
	var configs []table.ColumnConfig
	for column := 3; column <= 7; column++ {
		configs = append(configs, table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	identical, unpaired := 0, 0
	common := commonWords(d.All)
	for _, c := range d.All {
		unpaired = max(unpaired, c.Unpaired)
		if c.Verdict == Identical {
			identical++
			continue
		}
		t.AppendRow(table.Row{name(common.short(c.Row)), name(c.Unit.Name), plain(c.Old.Mean), plain(c.New.Mean), c.changeText(), c.intervalText(), pText(c.Adjusted), string(c.Verdict)})
	}
	var out strings.Builder
	if identical < len(d.All) {
		out.WriteString(render(t))
	}
	fmt.Fprintf(&out, "%d of %d cells are identical bit for bit.\n", identical, len(d.All))
	if identical < len(d.All) {
		fmt.Fprintf(&out, "Means over seeds; changes paired by seed (timings as ratios), Student's t interval, exact sign-flip test, p after Benjamini and Hochberg, verdict at p <= %g.\n", d.Alpha)
	}
	if unpaired > 0 {
		fmt.Fprintf(&out, "Left out: up to %d seeds of a row that only one of the two results has.\n", unpaired)
	}
	for _, m := range d.Missing {
		out.WriteString("Missing: " + name(m) + ".\n")
	}
	for _, n := range d.Notes {
		out.WriteString(name(n) + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// words are what all rows begin with, and leave out.
type words int

// commonWords counts the words that the names of all changes begin with. The last word of each
// stays.
func commonWords(changes []Change) words {
	if len(changes) == 0 {
		return 0
	}
	first := strings.Fields(changes[0].Row)
	common := len(first) - 1
	for _, c := range changes {
		other := strings.Fields(c.Row)
		common = min(common, len(other)-1)
		for i := 0; i < common; i++ {
			if other[i] != first[i] {
				common = i
			}
		}
	}
	return words(max(0, common))
}

// short is the row without the common words, and not K alone.
func (w words) short(row string) string {
	fields := strings.Fields(row)
	common := min(int(w), len(fields))
	for common > 0 && (common == len(fields) || strings.HasPrefix(fields[common], "K=")) {
		common--
	}
	return strings.Join(fields[common:], " ")
}

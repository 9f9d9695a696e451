package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/perf/benchproc"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// A Change is what became of one metric of one row between two results files, paired by seed.
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

	seeds     []string  // of the pairs
	worsening []float64 // paired differences in the direction of worse; of logarithms for a timing
}

// side is the configuration key that tells the two files apart while they are grouped together.
const side = "compare-side"

// Compare pairs two sets of results. The query's rows and tables say what is one row; its columns and baseline have no
// meaning here. A row or metric that only one of them has is in missing, as a sentence.
func Compare(old, new results.Set, q Query) (changes []Change, missing []string, err error) {
	if q.Alpha == 0 {
		q.Alpha = 0.05
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
			return nil, nil, err
		}
		for _, r := range s.set.Records {
			r.Config = append(slices.Clone(r.Config), results.Pair{Key: side, Value: s.name})
			both.Records = append(both.Records, r)
		}
	}
	g, err := group(both, q)
	if err != nil {
		return nil, nil, err
	}
	if len(g.values) == 0 {
		return nil, nil, fmt.Errorf("no results match%s", noMatch(both, q))
	}

	for _, tableKey := range g.sorted(func(c cellKey) benchproc.Key { return c.table }, nil) {
		inTable := func(c cellKey) bool { return c.table == tableKey }
		var sides [2]benchproc.Key
		for _, col := range g.sorted(func(c cellKey) benchproc.Key { return c.col }, inTable) {
			if title(col) == "old" {
				sides[0] = col
			} else {
				sides[1] = col
			}
		}
		for _, row := range g.sorted(func(c cellKey) benchproc.Key { return c.row }, inTable) {
			for _, unit := range g.metrics {
				places := [2]cellKey{{tableKey, row, sides[0], unit}, {tableKey, row, sides[1], unit}}
				name := strings.ReplaceAll(title(tableKey), " · ", " ") + " " + label(row)
				if k := max(g.samples[places[0]], g.samples[places[1]]); k > 0 && !g.keyed {
					name += fmt.Sprintf(" K=%d", k)
				}
				values := [2]map[string]float64{g.bySeed(places[0]), g.bySeed(places[1])}
				switch {
				case len(values[0]) == 0 && len(values[1]) == 0:
				case len(values[1]) == 0:
					missing = append(missing, fmt.Sprintf("%s has no %s in the new results", name, unit))
				case len(values[0]) == 0:
					missing = append(missing, fmt.Sprintf("%s has no %s in the old results", name, unit))
				default:
					c, err := change(name, g.units[unit], values[0], values[1], q.Alpha)
					if err != nil {
						return nil, nil, err
					}
					changes = append(changes, c)
				}
			}
		}
	}
	judgeChanges(changes, q.Alpha)
	return changes, missing, nil
}

func change(name string, unit results.Unit, old, new map[string]float64, alpha float64) (Change, error) {
	pairs := stats.PairBySeed(old, new)
	c := Change{Row: name, Unit: unit, P: 1, Verdict: Undecided, seeds: pairs.Seeds}
	identical := true
	c.Old, c.New = summarise(of(pairs.Seeds, old)), summarise(of(pairs.Seeds, new))
	c.Pairs, c.Unpaired = len(pairs.Seeds), len(pairs.OnlyA)+len(pairs.OnlyB)
	if c.Pairs == 0 {
		return c, fmt.Errorf("%s of %s: the old and the new results have no seed in common", unit.Name, name)
	}
	var diffs []float64
	for i, seed := range pairs.Seeds {
		x, y := pairs.A[i], pairs.B[i]
		identical = identical && math.Float64bits(x) == math.Float64bits(y)
		d := y - x
		switch {
		case x == y: // infinities included
			d = 0
		case unit.Timing && (x <= 0 || y <= 0):
			return c, fmt.Errorf("%s of %s, seed %s: %v and %v, want positive timings", unit.Name, name, seed, x, y)
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

// of returns the values of the given seeds.
func of(seeds []string, values map[string]float64) map[string]float64 {
	some := map[string]float64{}
	for _, seed := range seeds {
		some[seed] = values[seed]
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

// WriteChanges writes the changes that are not identical as a text table, and says how many are.
func WriteChanges(w io.Writer, changes []Change, missing []string, alpha float64) error {
	return writeChanges(w, changes, missing, alpha, strings.Clone, func(t table.Writer) string { return t.Render() + "\n" })
}

// WriteChangesMarkdown is WriteChanges for a pull request.
func WriteChangesMarkdown(w io.Writer, changes []Change, missing []string, alpha float64) error {
	return writeChanges(w, changes, missing, alpha, markdownName, func(t table.Writer) string { return t.RenderMarkdown() + "\n\n" })
}

func writeChanges(w io.Writer, changes []Change, missing []string, alpha float64, name func(string) string, render func(table.Writer) string) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Format.Header = text.FormatDefault
	t.SuppressTrailingSpaces()
	t.AppendHeader(table.Row{"row", "metric", "old", "new", "change", fmt.Sprintf("%g %% interval", 100*(1-alpha)), "p", "verdict"})
	var configs []table.ColumnConfig
	for column := 3; column <= 7; column++ {
		configs = append(configs, table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	identical, unpaired := 0, 0
	for _, c := range changes {
		unpaired = max(unpaired, c.Unpaired)
		if c.Verdict == Identical {
			identical++
			continue
		}
		t.AppendRow(table.Row{name(shortRow(c.Row, changes)), name(c.Unit.Name), plain(c.Old.Mean), plain(c.New.Mean), c.changeText(), c.intervalText(), pText(c.Adjusted), string(c.Verdict)})
	}
	var out strings.Builder
	if identical < len(changes) {
		out.WriteString(render(t))
	}
	fmt.Fprintf(&out, "%d of %d cells are identical bit for bit.\n", identical, len(changes))
	if identical < len(changes) {
		fmt.Fprintf(&out, "Means over seeds; changes paired by seed (timings as ratios), Student's t interval, exact sign-flip test, p after Benjamini and Hochberg, verdict at p <= %g.\n", alpha)
	}
	if unpaired > 0 {
		fmt.Fprintf(&out, "Left out: up to %d seeds of a row that only one of the two results has.\n", unpaired)
	}
	for _, m := range missing {
		out.WriteString("Missing: " + name(m) + ".\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// shortRow leaves out the words that all rows begin with.
func shortRow(row string, changes []Change) string {
	words := strings.Fields(row)
	common := len(words) - 1
	for _, c := range changes {
		other := strings.Fields(c.Row)
		common = min(common, len(other)-1)
		for i := 0; i < common; i++ {
			if other[i] != words[i] {
				common = i
			}
		}
	}
	for common > 0 && strings.HasPrefix(words[common], "K=") {
		common--
	}
	return strings.Join(words[common:], " ")
}

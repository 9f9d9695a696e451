package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"

	"bayesbench/results"
	"bayesbench/results/report/papers"
	"bayesbench/results/stats"
)

// PaperTable is a published table with our numbers beside the printed ones.
type PaperTable struct {
	Paper papers.Paper
	Rows  []PaperRow
	Notes []string

	from *provenance // of ours, by the filter of the row
	over string      // what ours are means over: "seeds", "splits", "runs"
}

// PaperRow has one pair for each column of the paper.
type PaperRow struct {
	Group, Label string
	Pairs        []PaperPair
}

// PaperPair is a printed number and ours.
type PaperPair struct {
	Printed string // "" if the paper prints none
	Ours    string // mean ± spread (seeds), in printed units; "" if there is none
	Verdict stats.Verdict
	Reach   stats.Reach // "" where the column asks for none
}

// layersUnit is the column of per-layer sparsities.
const layersUnit = "layers"

// BuildPaper puts our results beside a published table. Filter further restricts ours, for instance
// to one backend.
//
// Where the column has a margin and the row a published number, two one-sided t tests at alpha say
// whether ours is equivalent to it; a large p of a test of difference would show nothing of the
// kind.
func BuildPaper(set results.Set, p papers.Paper, filter string, alpha float64) (*PaperTable, error) {
	set.Records = tellSetupsApart(set.Records)
	set, err := withDEE(set)
	if err != nil {
		return nil, err
	}
	set.Records = overPredictors(set.Records)
	t := &PaperTable{Paper: p, from: newProvenance()}
	found := false
	var all []sample
	pick := newPicker(set)
	for _, row := range p.Rows {
		out := PaperRow{Group: row.Group, Label: row.Label}
		ofRow, err := pick.of(strings.TrimSpace(row.Filter + " " + filter))
		if err != nil {
			return nil, fmt.Errorf("%s, row %s: %w", p.Name, strings.TrimSpace(row.Group+" "+row.Label), err)
		}
		for _, col := range p.Columns {
			published, has := row.Published[col.Unit]
			pair := PaperPair{Printed: printed(published, has, col.Decimals)}
			if row.Filter != "" {
				var samples []sample
				if col.Unit == layersUnit {
					pair.Ours, err = t.ourLayers(ofRow)
				} else {
					samples, err = t.ours(&pair, ofRow, col, published, has && published.Text == "", alpha)
				}
				if err != nil {
					return nil, fmt.Errorf("%s, row %s: %w", p.Name, strings.TrimSpace(row.Group+" "+row.Label), err)
				}
				found = found || pair.Ours != ""
				all = append(all, samples...)
				t.from.add(strings.TrimSpace(row.Group+" "+row.Label), col.Unit, samples)
			}
			out.Pairs = append(out.Pairs, pair)
		}
		t.Rows = append(t.Rows, out)
	}
	t.over = replicatesOf(all)
	if !found {
		t.note("None of these results belongs to a row of this table.")
	}
	for _, n := range slices.Concat(t.from.notes(), t.Paper.Notes) {
		t.note(n)
	}
	return t, nil
}

// picker filters one set again and again.
type picker struct {
	set       results.Set
	converted []*benchfmt.Result // of the records, once for all filters
}

func newPicker(set results.Set) picker {
	p := picker{set, make([]*benchfmt.Result, len(set.Records))}
	for i := range set.Records {
		p.converted[i] = set.Records[i].Result()
	}
	return p
}

// picked are the records that match a filter. A query of them names the filter again: a key that it
// mentions is not hidden as a detail.
type picked struct {
	results.Set
	filter string
}

// of returns the records that match.
func (p picker) of(expression string) (picked, error) {
	filter, err := benchproc.NewFilter(cmp.Or(expression, "*"))
	if err != nil {
		return picked{}, fmt.Errorf("filter: %w", err)
	}
	kept := picked{results.Set{Units: p.set.Units}, expression}
	for i, r := range p.converted {
		match, err := filter.Match(r)
		if err != nil {
			return picked{}, err
		}
		if match.Any() {
			kept.Records = append(kept.Records, p.set.Records[i])
		}
	}
	return kept, nil
}

func (t *PaperTable) note(n string) {
	if !slices.Contains(t.Notes, n) {
		t.Notes = append(t.Notes, n)
	}
}

// printed is the published number as it stands in the paper.
func printed(p papers.Published, has bool, decimals int) string {
	switch {
	case !has:
		return ""
	case p.Text != "":
		return p.Text
	}
	if decimals == 0 {
		decimals = -1
	}
	s := strconv.FormatFloat(p.Value, 'f', decimals, 64)
	if p.Spread > 0 {
		s += " ±" + strconv.FormatFloat(p.Spread, 'f', decimals, 64)
		if p.Kind != "" {
			s += " " + string(p.Kind)
		}
	}
	return s
}

// ours fills in our number and the verdict on it, and returns what it is the mean of.
func (t *PaperTable) ours(pair *PaperPair, of picked, col papers.Column, published papers.Published, compare bool, alpha float64) ([]sample, error) {
	g, place, err := t.place(of.Set, Query{Filter: of.filter, Tables: ".name", Rows: "/model", Metrics: []string{col.Unit}})
	if g == nil || err != nil {
		return nil, err
	}
	values := g.at(place)
	for key := range values {
		values[key] *= col.Scale
	}
	s := summarise(values)
	cell := Cell{Summary: s}
	one := Table{Columns: []Column{{}}, Rows: []Row{{Cells: []Cell{cell}}}, Spread: t.Paper.Spread}
	from := newProvenance()
	from.add("", col.Unit, g.values[place])
	pair.Ours = strings.TrimSpace(fmt.Sprintf("%s (%d) %s", one.text(cell, one.decimals(0)), s.N, from.mark("")))

	if compare && col.Reach {
		if of.Units[col.Unit].Better != results.Lower {
			return nil, fmt.Errorf("column %s: want a unit that improves downwards, of which reach asks", col.Unit)
		}
		se := stats.SE.Of(s.SD, s.N)
		pair.Reach = stats.ReachOf(s.Mean, se, publishedMean(published), halfUnit(published, col.Decimals))
	}
	xs := inOrder(values)
	finite := !slices.ContainsFunc(xs, func(x float64) bool { return math.IsInf(x, 0) })
	if !compare || col.Margin == 0 || s.N < 2 || !finite {
		return g.values[place], nil
	}
	e, err := stats.TOST(xs, publishedMean(published), col.Margin, alpha)
	if err != nil {
		return nil, err
	}
	pair.Verdict = e.Verdict
	for _, w := range e.Warnings {
		t.note("Equivalence: " + w.Error() + ".")
	}
	return g.values[place], nil
}

func publishedMean(p papers.Published) stats.Published {
	return stats.Published{Mean: p.Value, Spread: p.Spread, Kind: p.Kind, N: p.Runs}
}

// halfUnit is half of the last digit that is printed of a number.
func halfUnit(p papers.Published, decimals int) float64 {
	if decimals == 0 {
		_, fraction, _ := strings.Cut(strconv.FormatFloat(p.Value, 'f', -1, 64), ".")
		decimals = len(fraction)
	}
	return 0.5 * math.Pow10(-decimals)
}

// place groups what a row's filter left and returns its one cell; g is nil if there is none.
// Results of several settings, networks or data sets are none: they are not averaged, and a note
// names what to choose.
func (t *PaperTable) place(set results.Set, q Query) (g *grouped, place cellKey, err error) {
	g, err = group(set, q)
	if errors.As(err, new(*unitError)) {
		return nil, place, nil
	}
	if err != nil {
		return nil, place, err
	}
	var places []cellKey
	for _, table := range g.order {
		places = append(places, g.places[table]...)
	}
	switch {
	case len(places) == 0:
		return nil, place, nil
	case len(places) > 1 && len(g.added) > 0:
		t.note(fmt.Sprintf("Ours is left out where results differ in /%s: choose with -filter.", strings.Join(g.added, ", /")))
		return nil, place, nil
	case len(places) > 1:
		return nil, place, fmt.Errorf("filter %q matches more than one model or data set", q.Filter)
	}
	return g, places[0], nil
}

// ourLayers is the sparsity of each layer in percent, mean over seeds, in the manner of the papers:
// 98.9-97.2-62.0.
func (t *PaperTable) ourLayers(of picked) (string, error) {
	layered := slices.DeleteFunc(slices.Clone(of.Records), func(r results.Record) bool { return sweepValue(&r, "layer") == "" })
	var layers []string
	for i := range layered {
		if name := sweepValue(&layered[i], "layer"); !slices.Contains(layers, name) {
			layers = append(layers, name)
		}
	}
	var parts []string
	for _, layer := range layers {
		one := slices.DeleteFunc(slices.Clone(layered), func(r results.Record) bool { return sweepValue(&r, "layer") != layer })
		g, place, err := t.place(results.Set{Records: one, Units: of.Units}, Query{Filter: of.filter, Tables: ".name", Rows: "/model,/layer", Metrics: []string{"sparsity"}})
		if err != nil {
			return "", err
		}
		if g != nil {
			parts = append(parts, strconv.FormatFloat(100*summarise(g.at(place)).Mean, 'f', 1, 64))
		}
	}
	return strings.Join(parts, "-"), nil
}

// grid is the rows as strings: the label, then for each column of the paper the printed number and
// ours. A group is a row of its own.
func (t *PaperTable) grid() [][]string {
	var rows [][]string
	width, last, indent := 1+2*len(t.Paper.Columns), "", ""
	for _, r := range t.Rows {
		if r.Group != last {
			head := make([]string, width)
			head[0] = r.Group
			rows = append(rows, head)
			last, indent = r.Group, "  "
		}
		row := []string{indent + r.Label}
		for _, p := range r.Pairs {
			ours := p.Ours
			switch p.Verdict {
			case stats.Equivalent:
				ours += " ="
			case stats.Different:
				ours += " ≠"
			}
			switch p.Reach {
			case stats.Reached:
				ours += " ✓"
			case stats.Short:
				ours += " ✗"
			}
			row = append(row, p.Printed, ours)
		}
		rows = append(rows, row)
	}
	return rows
}

// legend says what stands in the cells and where the numbers come from.
func (t *PaperTable) legend() []string {
	lines := []string{t.Paper.Citation + ". Numbers read in: " + t.Paper.Source + "."}
	lines = append(lines, fmt.Sprintf("Ours: mean ± %s over %s (number of %[2]s).", spreadNames[t.Paper.Spread], t.over))
	var margins []string
	for _, c := range t.Paper.Columns {
		if c.Margin > 0 {
			margins = append(margins, fmt.Sprintf("%s within ±%g", c.Head, c.Margin))
		}
	}
	if len(margins) > 0 {
		lines = append(lines, "= equivalent to the paper ("+strings.Join(margins, ", ")+", two one-sided t tests), ≠ different; no sign: the "+t.over+" cannot tell.")
	}
	if slices.ContainsFunc(t.Paper.Columns, func(c papers.Column) bool { return c.Reach }) {
		lines = append(lines, "✓ at or better than the paper within one standard error of its number (of ours where it gives none) and its rounding, ✗ worse.")
	}
	return append(lines, t.Notes...)
}

// Write writes the table as text, markdown or latex.
func (t *PaperTable) Write(w io.Writer, format string, style Style) error {
	var out strings.Builder
	switch format {
	case "text":
		out.WriteString(t.Paper.Title + "\n" + t.pretty("\n").Render() + "\n")
		for _, l := range t.legend() {
			out.WriteString(wrap(l, style.Width) + "\n")
		}
	case "markdown":
		out.WriteString("### " + t.Paper.Title + "\n\n" + t.pretty(" ").RenderMarkdown() + "\n")
		for _, l := range t.legend() {
			out.WriteString("\n" + markdown(l) + "\n")
		}
	case "latex":
		t.latex(&out)
	default:
		return fmt.Errorf("-format %s: want text, markdown or latex", format)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// pretty sets the table; between stands between a column's head and the word paper below it.
func (t *PaperTable) pretty(between string) table.Writer {
	p := table.NewWriter()
	p.SetStyle(table.StyleLight)
	p.Style().Options = table.Options{SeparateHeader: true}
	p.Style().Format.Header = text.FormatDefault
	p.SuppressTrailingSpaces()
	head := table.Row{""}
	var configs []table.ColumnConfig
	for _, c := range t.Paper.Columns {
		head = append(head, c.Head+between+"paper", strings.TrimLeft(between+"ours", " "))
		for range 2 {
			configs = append(configs, table.ColumnConfig{Number: 2 + len(configs), Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	p.AppendHeader(head)
	p.SetColumnConfigs(configs)
	for _, r := range t.grid() {
		row := table.Row{}
		for _, s := range r {
			row = append(row, s)
		}
		p.AppendRow(row)
	}
	return p
}

func (t *PaperTable) latex(out *strings.Builder) {
	n := len(t.Paper.Columns)
	fmt.Fprintf(out, "\\begin{table}\n\\centering\n\\caption{%s. %s}\n\\medskip\n\\begin{tabular}{l%s}\n\\toprule\n", latex(t.Paper.Title),
		latex(strings.Join(t.legend(), " ")), strings.Repeat("rr", n))
	heads, rules, below := "", "", ""
	for i, c := range t.Paper.Columns {
		heads += ` & \multicolumn{2}{c}{` + latex(c.Head) + "}"
		rules += fmt.Sprintf(`\cmidrule(lr){%d-%d}`, 2+2*i, 3+2*i)
		below += " & paper & ours"
	}
	out.WriteString(heads + " \\\\\n" + rules + "\n" + below + " \\\\\n\\midrule\n")
	grouped := slices.ContainsFunc(t.Rows, func(r PaperRow) bool { return r.Group != "" })
	for i, r := range t.grid() {
		var cells []string
		for _, s := range r {
			cells = append(cells, latex(strings.TrimSpace(s)))
		}
		// The head of a group stands alone in its row, and unlike a row for which there are no
		// numbers it is not indented.
		if i > 0 && grouped && strings.Join(r[1:], "") == "" && !strings.HasPrefix(r[0], " ") {
			out.WriteString("\\midrule\n")
		}
		if strings.HasPrefix(r[0], " ") {
			cells[0] = `\quad ` + cells[0]
		}
		out.WriteString(strings.Join(cells, " & ") + " \\\\\n")
	}
	out.WriteString("\\bottomrule\n\\end{tabular}\n\\end{table}\n")
}

package report

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bayesbench/results"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"breakable": breakable}).Parse(pageText))

// breakable lets a name be broken before its brackets, where a narrow column has no room for it.
func breakable(s string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(s), "(", "<wbr>("))
}

// WriteHTML writes one self-contained page: the headline tables, every figure that the data have,
// and a table of all metrics. It needs nothing from anywhere, not even a server.
func WriteHTML(w io.Writer, d Data, q Query) error {
	tables, err := Build(d.Set, q)
	if err != nil {
		return err
	}
	everything := q
	everything.Metrics = []string{"all"}
	var tooLarge *sizeError
	full, err := Build(d.Set, everything)
	if err != nil && !errors.As(err, &tooLarge) {
		return err
	}
	view := pageView{Title: pageTitle(d), Facts: facts(d), Tables: htmlTables(tables), Full: htmlTables(full)}
	if tooLarge != nil {
		view.NotDrawn = append(view.NotDrawn, fact{"all metrics", tooLarge.Error()})
	}
	figureQuery := q
	figureQuery.Metrics, figureQuery.Rows, figureQuery.Tables = nil, "", ""
	for _, k := range Kinds {
		figures, left, err := k.drawn(d, figureQuery)
		if errors.As(err, &tooLarge) {
			view.NotDrawn = append(view.NotDrawn, fact{k.Name, tooLarge.Error()})
			continue
		}
		if err != nil {
			return err
		}
		if len(figures) == 0 {
			view.NotDrawn = append(view.NotDrawn, fact{k.Name, k.Needs})
		}
		if left > 0 {
			view.NotDrawn = append(view.NotDrawn, fact{k.Name, fmt.Sprintf("room for %d more figures: choose by a filter", left)})
		}
		for _, f := range figures {
			svg, err := f.Inline()
			if err != nil {
				return err
			}
			view.Figures = append(view.Figures, htmlFigure{f.Name, f.Caption, template.HTML(svg)})
		}
	}
	return page.Execute(w, view)
}

type pageView struct {
	Title        string
	Facts        []fact
	Tables, Full []htmlTable
	Figures      []htmlFigure
	NotDrawn     []fact // kinds of figures, and what these results lack for them
}

type fact struct{ Name, Value string }

type htmlFigure struct {
	Name, Caption string
	SVG           template.HTML
}

type htmlTable struct {
	Title string
	Heads []htmlHead
	Rows  [][]htmlCell
	Notes []string
}

type htmlHead struct {
	Text   string
	Number bool
}

type htmlCell struct {
	Text, Spread, Mark, Class string
	Sort                      string // what the column is sorted by, if not the text
	Number                    bool
}

func htmlTables(tables []Table) []htmlTable {
	var out []htmlTable
	for i := range tables {
		t := &tables[i]
		h := htmlTable{Title: t.Title, Notes: t.legend()}
		for _, head := range t.RowHeads {
			h.Heads = append(h.Heads, htmlHead{Text: head})
		}
		h.Heads = append(h.Heads, htmlHead{t.Over, true})
		for _, c := range t.Columns {
			h.Heads = append(h.Heads, htmlHead{c.Head + c.arrow(), true})
		}
		best, decimals := t.best(), t.allDecimals()
		for i, r := range t.Rows {
			var row []htmlCell
			for _, l := range r.shown() {
				row = append(row, htmlCell{Text: l})
			}
			row = append(row, htmlCell{Text: r.seeds(), Number: true})
			for j, c := range r.Cells {
				mean, spread := t.number(c, decimals[j])
				cell := htmlCell{Text: mean, Spread: spread, Mark: c.mark(), Number: true}
				if c.N > 0 {
					cell.Sort = strconv.FormatFloat(c.Mean, 'g', -1, 64)
				}
				if best[j] == i {
					cell.Class = "best"
				}
				if c.Comparison != nil && cell.Mark != "" {
					cell.Class += " " + string(c.Verdict)
				}
				row = append(row, cell)
			}
			h.Rows = append(h.Rows, row)
		}
		out = append(out, h)
	}
	return out
}

func pageTitle(d Data) string {
	if len(d.Suites) > 0 {
		return "Results of " + strings.Join(d.Suites, ", ")
	}
	return "Results"
}

// facts are what every number of the page has in common, or the list where it has not.
func facts(d Data) []fact {
	var out []fact
	for _, key := range []string{"suite", "version", "seed", results.SplitKey, "data-hash", "goos", "goarch", "cpu", "device", "threads"} {
		if values := distinct(d, key); len(values) > 0 {
			out = append(out, fact{key, strings.Join(values, ", ")})
		}
	}
	for _, j := range d.Jobs {
		for _, key := range slices.Sorted(maps.Keys(j.Manifest.Versions)) {
			if f := (fact{key, j.Manifest.Versions[key]}); !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

func distinct(d Data, key string) []string {
	var values []string
	for i := range d.Set.Records {
		if v := d.Set.Records[i].ConfigValue(key); v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bayesbench/results"
	"bayesbench/results/metrics"
)

// compare fills in the comparisons with the baseline's row. The primary metric's are corrected
// together, over the rows; those of any other column among themselves. What a clock measured is not
// compared: gate and compare do that, from runs that took turns.
func (t *placed) compare(g *grouped, q Query) error {
	if q.Baseline == "" {
		if q.Primary != "" {
			return fmt.Errorf("primary metric %q: nothing is compared without a baseline; name one (-baseline), such as %s", q.Primary, t.Rows[0].Labels[0])
		}
		return nil
	}
	if q.Primary != "" && !g.metric[q.Primary] {
		return &unitError{q.Primary, g.metrics}
	}
	p, err := newPartners(t.RowHeads, labelsOf(t.Rows), q.Baseline)
	if err != nil {
		return fmt.Errorf("table %s: %w", t.Title, err)
	}
	p.selected = !q.Select.IsZero()
	t.Baseline, t.primary = q.Baseline, t.primaryUnit(g, q)
	families := map[string][]*Comparison{}
	unpaired := false
	var partly []string
	for i := range t.Rows {
		if p.isBase(i) {
			continue
		}
		base := p.of(i)
		for j, head := range t.heads {
			unit := g.units[head.unit]
			if unit.Timing {
				continue
			}
			ours := g.at(cellKey{t.key, t.rows[i], head.col, head.unit})
			theirs := g.at(cellKey{t.key, t.rows[base], head.col, head.unit})
			c := compareCells(ours, theirs, unit.Better)
			if c == nil {
				continue
			}
			t.Rows[i].Cells[j].Comparison = c
			family := head.unit
			if head.unit == t.primary {
				t.family++
			} else {
				c.Exploratory = true
				family = t.Columns[j].Head // a column of its own
			}
			families[family] = append(families[family], c)
			unpaired = unpaired || c.Pairs == 0
			t.paired = t.paired || c.Pairs > 0
			if seeds := max(len(ours), len(theirs)); head.unit == t.primary && c.Pairs > 0 && c.Pairs < seeds {
				partly = append(partly, fmt.Sprintf("%s (%d of %d)", t.Rows[i].Label(), c.Pairs, seeds))
			}
		}
	}
	t.Notes = append(t.Notes, p.notes()...)
	if len(partly) > 0 {
		t.Notes = append(t.Notes, "Only the "+t.Over+" that both have are paired: "+some(partly)+".")
	}
	if unpaired && t.paired {
		t.Notes = append(t.Notes, "Rows that share no "+strings.TrimSuffix(t.Over, "s")+" with the baseline are compared unpaired, by the Mann-Whitney U test.")
	}
	for _, family := range slices.Sorted(maps.Keys(families)) {
		note := judge(families[family], q.Alpha, t.Over)
		if family == t.primary && note != "" {
			if kind := metrics.KindOf(t.hasColumn); kind == metrics.KindNone || kind.Pointwise() {
				note += " For these trained networks alone, benchstat-report points tests over test points."
			}
			t.Notes, t.tooFewSeeds = append(t.Notes, note), true
		}
	}
	return nil
}

// hasColumn reports whether the table has a column of a unit.
func (t *placed) hasColumn(unit string) bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Unit == unit })
}

// primaryUnit is the unit that decides: the query's, where this table has it, or the first column's
// that can be better and that no clock measured.
func (t *placed) primaryUnit(g *grouped, q Query) string {
	first := ""
	for _, c := range t.Columns {
		if c.Unit == q.Primary {
			return c.Unit
		}
		if u := g.units[c.Unit]; first == "" && !u.Timing && u.Better != results.Neither {
			first = c.Unit
		}
	}
	return first
}

func labelsOf(rows []Row) [][]string {
	labels := make([][]string, len(rows))
	for i, r := range rows {
		labels[i] = r.Labels
	}
	return labels
}

// partners finds for each row the row of the baseline that it is compared with.
type partners struct {
	heads    []string
	labels   [][]string
	baseline string
	bases    []int
	one      bool // the baseline is one row by its whole label
	selected bool // settings were selected for each method, and decide nothing
	unequal  []string
}

// newPartners finds the rows of the baseline: the one whose labels it is, else those whose first
// label it is.
func newPartners(heads []string, labels [][]string, baseline string) (*partners, error) {
	p := &partners{heads: heads, labels: labels, baseline: baseline}
	var names []string
	for i, l := range labels {
		if strings.TrimSpace(strings.Join(l, " ")) == baseline {
			p.bases, p.one = []int{i}, true
			return p, nil
		}
		if len(l) == 0 {
			continue
		}
		if l[0] == baseline {
			p.bases = append(p.bases, i)
		}
		names = append(names, l[0])
	}
	if len(p.bases) == 0 {
		return nil, fmt.Errorf("no method %q for a baseline%s", baseline, meant(baseline, names))
	}
	return p, nil
}

func (p *partners) isBase(row int) bool { return slices.Contains(p.bases, row) }

// of is the baseline's row for a row: that with equal values of the further keys, such as swept
// settings and severity. A key that the baseline lacks decides nothing, and a predictor only
// between rows that are as good otherwise. Where none or more than one row has them, the first of
// the nearest is taken and noted.
func (p *partners) of(row int) int {
	if p.one {
		return p.bases[0]
	}
	type fit struct{ different, equal, predictor int }
	better := func(a, b fit) bool {
		switch {
		case a.different != b.different:
			return a.different < b.different
		case a.equal != b.equal:
			return a.equal > b.equal
		}
		return a.predictor > b.predictor
	}
	best, at, ties := fit{}, -1, 0
	for _, base := range p.bases {
		var f fit
		for k := 1; k < len(p.heads); k++ {
			ours, theirs := p.labels[row][k], p.labels[base][k]
			switch {
			case p.heads[k] == "K" || p.selected && isSetting(p.heads[k]):
			case p.heads[k] == predictKey:
				if ours == theirs {
					f.predictor++
				}
			case ours == theirs:
				f.equal++
			case ours != "" && theirs != "":
				f.different++
			}
		}
		switch {
		case at < 0 || better(f, best):
			best, at, ties = f, base, 1
		case f == best:
			ties++
		}
	}
	if best.different > 0 || ties > 1 {
		name := func(i int) string { return strings.TrimSpace(strings.Join(p.labels[i], " ")) }
		p.unequal = append(p.unequal, name(row)+" with "+name(at))
	}
	return at
}

// notes name the rows that could not be compared at equal settings.
func (p *partners) notes() []string {
	switch {
	case len(p.unequal) > 0:
		return []string{fmt.Sprintf("Not one row of %s has the settings of these rows; compared are %s. A -baseline may be a row's whole label.",
			p.baseline, some(p.unequal))}
	case len(p.bases) > 1:
		return []string{fmt.Sprintf("Each row is compared with that of %s at equal settings.", p.baseline)}
	}
	return nil
}

// some lists the first few of many.
func some(texts []string) string {
	const few = 5
	if len(texts) > few {
		return strings.Join(texts[:few], ", ") + fmt.Sprintf(" and %d more", len(texts)-few)
	}
	return strings.Join(texts, ", ")
}

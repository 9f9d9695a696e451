package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// Margins say by how much a unit may get worse.
type Margins map[string]Margin

// A Margin is an absolute amount in the unit, or a share of the old mean.
type Margin struct {
	Amount   float64
	Relative bool
}

// DefaultMargins are what a project that has not thought about it yet starts from. "timing" stands for every unit that
// a clock measured.
func DefaultMargins() Margins {
	return Margins{
		"error": {Amount: 0.003}, "accuracy": {Amount: 0.003}, "nll": {Amount: 0.01}, "brier_sum": {Amount: 0.005},
		"ece15-lorc": {Amount: 0.005}, "sparsity": {Amount: 0.01}, "timing": {Amount: 0.15, Relative: true},
	}
}

// Parse changes margins as in "error=0.002,nll=5%,timing=20%".
func (m Margins) Parse(text string) error {
	for _, part := range strings.Split(text, ",") {
		unit, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		number, relative := strings.CutSuffix(value, "%")
		amount, err := strconv.ParseFloat(number, 64)
		if !ok || unit == "" || err != nil || !(amount >= 0) || math.IsInf(amount, 0) {
			return fmt.Errorf("margin %q: want unit=amount or unit=percent%%", part)
		}
		if relative {
			amount /= 100
		}
		if unit == "timing" && !relative {
			return fmt.Errorf("margin %q: timings are compared as ratios, want a percentage", part)
		}
		m[unit] = Margin{amount, relative}
	}
	return nil
}

func (m Margin) String() string {
	if m.Relative {
		return fmt.Sprintf("%g%%", 100*m.Amount)
	}
	return fmt.Sprintf("%g", m.Amount)
}

// of returns the margin of a unit and whether it is gated at all.
func (m Margins) of(u results.Unit) (Margin, bool) {
	name := u.Name
	if u.Timing {
		name = "timing"
	}
	margin, ok := m[name]
	return margin, ok && u.Better != results.Neither
}

// An Alarm is a regression beyond its margin.
type Alarm struct {
	Row      string
	Unit     string
	Old, New float64 // means over the paired seeds; for a timing, New/Old is the geometric mean ratio
	Margin   Margin
	Pairs    int // seeds, or rows where all are taken together
	Timing   bool
	P        float64 // timings: of a slowdown within the margin
	Adjusted float64 // timings: after Benjamini and Hochberg over all timings tested
}

func (a Alarm) String() string {
	if a.Timing {
		return fmt.Sprintf("%s: %s went from %s to %s (%+.1f%%, margin %s, p %s over %d pairs)", a.Row, a.Unit,
			plain(a.Old), plain(a.New), 100*(a.New/a.Old-1), a.Margin, pText(a.Adjusted), a.Pairs)
	}
	return fmt.Sprintf("%s: %s went from %s to %s (%s, margin %s, paired seeds: %d)", a.Row, a.Unit,
		plain(a.Old), plain(a.New), signed(a.New-a.Old), a.Margin, a.Pairs)
}

// A GateResult is the verdict of a gate: it passes if there are no alarms and nothing is missing.
type GateResult struct {
	Alarms   []Alarm
	Missing  []string // what the old results have and the new ones lack
	Metrics  int      // metric cells compared
	Timings  int      // timing tests made
	Untested []string // timings that could not be tested, and why
	Changes  []Change
	Alpha    float64
}

// Pass reports the verdict.
func (g *GateResult) Pass() bool { return len(g.Alarms) == 0 && len(g.Missing) == 0 }

// Gate compares new results with old ones.
//
// Metric values are deterministic given the seed, so what became of them at the paired seeds is a fact, not an
// estimate: they are compared exactly. Bit-equal values pass; any other alarm if their mean worsening is more than the
// margin, or, if exact is set, in any case. The margin is there for changes that only round differently, which send
// training along another path: it should be wider than the spread over seeds that these cause.
//
// Timings are noise around a truth and compared as ratios paired by seed: one-sided Student's t with H0: the mean
// logarithm of the slowdown is within the margin. It is asked for each row, and once more for all rows of a unit
// together, which sees a slowdown of everything. What disturbs a machine lasts longer than a job, so ratios measured
// next to each other are not independent, and each question is put in two ways, of which the larger p counts: for a
// row, its own scatter over the seeds and that of all rows pooled (its own may be small by luck, or large because its
// jobs are short); for all rows, the rows as the sample and the seeds as the sample (either may have run as one block).
// Alarms are those with p at most alpha after Benjamini and Hochberg's correction. No test can tell a slower program
// from a machine that was busy all the time: let old and new take turns, seed by seed, with five seeds or more.
func Gate(old, new results.Set, q Query, margins Margins, exact bool) (*GateResult, error) {
	if q.Alpha == 0 {
		q.Alpha = 0.05
	}
	changes, missing, err := Compare(old, new, q)
	if err != nil {
		return nil, err
	}
	g := &GateResult{Changes: changes, Alpha: q.Alpha}
	g.Missing = slices.DeleteFunc(missing, func(m string) bool { return strings.HasSuffix(m, "in the old results") })
	timings := map[string][]Change{}
	for _, c := range changes {
		margin, gated := margins.of(c.Unit)
		switch {
		case c.Unit.Timing && gated:
			timings[c.Unit.Name] = append(timings[c.Unit.Name], c)
		case c.Unit.Timing || !gated && !exact:
		default:
			g.Metrics++
			if c.Verdict == Identical || !exact && !(stats.Mean(c.worsening) > margin.limit(c.Old.Mean)) {
				continue
			}
			g.Alarms = append(g.Alarms, Alarm{Row: c.Row, Unit: c.Unit.Name, Old: c.Old.Mean, New: c.Old.Mean + c.Delta, Margin: margin, Pairs: c.Pairs})
		}
	}

	var tested []Alarm
	for _, unit := range sortedUnits(timings) {
		tested = append(tested, g.testTimings(timings[unit], margins)...)
	}
	g.Timings = len(tested)
	ps := make([]float64, len(tested))
	for i, a := range tested {
		ps[i] = a.P
	}
	for i, p := range stats.BenjaminiHochberg(ps) {
		if tested[i].Adjusted = p; p <= q.Alpha {
			g.Alarms = append(g.Alarms, tested[i])
		}
	}
	return g, nil
}

// limit is the margin as an amount of a metric.
func (m Margin) limit(oldMean float64) float64 {
	if m.Relative {
		return m.Amount * math.Abs(oldMean)
	}
	return m.Amount
}

// testTimings tests the rows of one unit, each and all together.
func (g *GateResult) testTimings(rows []Change, margins Margins) []Alarm {
	unit := rows[0].Unit
	margin, _ := margins.of(unit)
	limit := math.Log1p(margin.Amount)

	var rowMeans []float64
	bySeed := map[string][]float64{}
	scatter, freedom := 0.0, 0
	for _, c := range rows {
		m := stats.Mean(c.worsening)
		for i, w := range c.worsening {
			scatter += (w - m) * (w - m)
			bySeed[c.seeds[i]] = append(bySeed[c.seeds[i]], w)
		}
		freedom += len(c.worsening) - 1
		rowMeans = append(rowMeans, m)
	}
	if freedom == 0 {
		g.Untested = append(g.Untested, fmt.Sprintf("%s: one pair of timings says nothing", unit.Name))
		return nil
	}
	alarm := func(row, unitName string, before float64, worsening []float64, p float64) Alarm {
		change := stats.Mean(worsening)
		if unit.Better == results.Higher {
			change = -change
		}
		return Alarm{Row: row, Unit: unitName, Old: before, New: before * math.Exp(change), Margin: margin, Pairs: len(worsening), Timing: true, P: p}
	}
	var tested []Alarm
	if len(rows) > 1 {
		var seedMeans []float64
		for _, w := range bySeed {
			seedMeans = append(seedMeans, stats.Mean(w))
		}
		slices.Sort(seedMeans) // the sum must not depend on the map's order
		p := max(stats.PairedTAbove(rowMeans, limit).P, stats.PairedTAbove(seedMeans, limit).P)
		tested = append(tested, alarm("all rows together", unit.Name+" (relative)", 1, rowMeans, p))
	}
	for _, c := range rows {
		excess, se := stats.Mean(c.worsening)-limit, math.Sqrt(scatter/float64(freedom)/float64(c.Pairs))
		pooled := 1.0
		if excess > 0 { // also without any scatter, where excess/se is infinite
			pooled = distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}.Survival(excess / se)
		}
		p := max(pooled, stats.PairedTAbove(c.worsening, limit).P)
		tested = append(tested, alarm(c.Row, unit.Name, c.Old.Mean, c.worsening, p))
	}
	return tested
}

func sortedUnits(m map[string][]Change) []string {
	units := make([]string, 0, len(m))
	for u := range m {
		units = append(units, u)
	}
	slices.Sort(units)
	return units
}

// Write writes the verdict as Markdown, which reads well in a terminal too.
func (g *GateResult) Write(w io.Writer) error {
	var out strings.Builder
	if g.Pass() {
		out.WriteString("## Gate passed\n\n")
	} else {
		fmt.Fprintf(&out, "## Gate failed: %d regressions, %d missing\n\n", len(g.Alarms), len(g.Missing))
	}
	for _, a := range g.Alarms {
		a.Row, a.Unit = markdownName(a.Row), markdownName(a.Unit)
		out.WriteString("- " + a.String() + "\n")
	}
	for _, m := range g.Missing {
		out.WriteString("- " + markdownName(m) + "\n")
	}
	if !g.Pass() {
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "%d metric cells compared exactly, %d timing ratios tested at a false discovery rate of %g.\n", g.Metrics, g.Timings, g.Alpha)
	for _, u := range g.Untested {
		out.WriteString("Not tested: " + markdownName(u) + ".\n")
	}
	out.WriteString("\n<details><summary>All changes</summary>\n\n")
	if err := WriteChangesMarkdown(&out, g.Changes, nil, g.Alpha); err != nil {
		return err
	}
	out.WriteString("\n</details>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

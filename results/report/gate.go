package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// Margins say by how much a unit may get worse.
type Margins map[string]Margin

// Margin is an absolute amount in the unit, or a share of the old mean.
type Margin struct {
	Amount   float64
	Relative bool
}

// DefaultMargins are what a project that has not thought about it yet starts from. "timing" stands
// for every unit that a clock measured.
func DefaultMargins() Margins {
	return Margins{
		"error": {Amount: 0.003}, "accuracy": {Amount: 0.003}, "nll": {Amount: 0.01}, "brier_sum": {Amount: 0.005},
		"ece15-lorc": {Amount: 0.005}, "sparsity": {Amount: 0.01},
		"rmse": {Amount: 0.01, Relative: true}, "crps": {Amount: 0.01, Relative: true}, "timing": {Amount: 0.15, Relative: true},
	}
}

// Parse changes margins as in "error=0.002,nll=5%,timing=20%".
func (m Margins) Parse(text string) error {
	for part := range strings.SplitSeq(text, ",") {
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

// Policy says what fails a gate.
type Policy struct {
	Margins Margins // nil is DefaultMargins
	Exact   bool    // any metric value that is not bit for bit the same is a regression
	Timings bool    // slower programs fail the gate; otherwise it tells of them and passes
}

// Alarm is a regression beyond its margin.
type Alarm struct {
	Row      string
	Unit     string
	Old, New float64 // means over the paired seeds; for a timing, New/Old is the geometric mean ratio
	Margin   Margin
	Pairs    int // seeds
	Timing   bool
	P        float64 // timings: that the two are equally fast, corrected for all timings tested
}

func (a Alarm) String() string {
	if a.Timing {
		return fmt.Sprintf("%s: %s went from %s to %s (%+.1f%%, margin %s, p %s over %s)", a.Row, a.Unit,
			plain(a.Old), plain(a.New), 100*(a.New/a.Old-1), a.Margin, pText(a.P), plural(a.Pairs, "pair"))
	}
	return fmt.Sprintf("%s: %s went from %s to %s (%s, margin %s, paired seeds: %d)", a.Row, a.Unit,
		plain(a.Old), plain(a.New), signed(a.New-a.Old), a.Margin, a.Pairs)
}

// GateResult is the verdict of a gate: it passes if there are no alarms and nothing is missing.
type GateResult struct {
	Alarms  []Alarm
	Slower  []Alarm  // timings beyond their margin that fail nothing, because the policy does not ask
	Missing []string // what the old results have and the new ones lack
	Metrics int      // metric cells compared
	Timings int      // timing ratios tested
	Pairs   int      // pairs of timings, at most, of one row
	Scatter float64  // median over rows of the standard deviation of a timing's log ratio over its pairs; 0 if unknown
	MinP    float64  // the smallest p of a timing that so many pairs can give
	Changes *Changes
	Alpha   float64
}

// Pass reports the verdict.
func (g *GateResult) Pass() bool { return len(g.Alarms) == 0 && len(g.Missing) == 0 }

// Gate compares new results with old ones.
//
// Metric values are deterministic given the seed, so what became of them at the paired seeds is a
// fact, not an estimate: they are compared exactly. Bit-equal values pass; any other alarm if their
// mean worsening is more than the margin, or, if the policy is exact, in any case. The margin is
// there for changes that only round differently, which send training along another path: it should
// be wider than the spread over seeds that these cause.
//
// Timings are noise around a truth, and much of the noise is what else the machine does, which
// comes in bursts longer than a job. They are compared as log ratios at the same seed. A timing is
// slower if its mean ratio is beyond the margin and if the test that the two programs are equally
// fast rejects at alpha: the exact test over swaps of old and new within the pairs, swapped in all
// rows and timings together (stats.MaxSignFlip), and once more for the mean over all rows of each
// timing. Whatever the load, two equal programs give an alarm in at most a share alpha of gates,
// provided that the runs of a pair stand next to each other and lots decide which comes first, as
// in ci/paired.sh. So few pairs that no p can be as small as alpha are not tested, and the verdict
// says how many it takes.
func Gate(old, new results.Set, q Query, policy Policy) (*GateResult, error) {
	q, err := q.atLevel()
	if err != nil {
		return nil, err
	}
	if policy.Margins == nil {
		policy.Margins = DefaultMargins()
	}
	changes, err := Compare(old, new, q)
	if err != nil {
		return nil, err
	}
	g := &GateResult{Changes: changes, Alpha: q.Alpha}
	g.Missing = slices.DeleteFunc(slices.Clone(changes.Missing), func(m string) bool { return strings.HasSuffix(m, "in the old results") })
	var timings []Change
	for _, c := range changes.All {
		margin, gated := policy.Margins.of(c.Unit)
		switch {
		case c.Unit.Timing && gated:
			timings = append(timings, c)
		case c.Unit.Timing || !gated && !policy.Exact:
		default:
			g.Metrics++
			if c.Verdict == Identical || !policy.Exact && !(stats.Mean(c.worsening) > margin.limit(c.Old.Mean)) {
				continue
			}
			g.Alarms = append(g.Alarms, Alarm{Row: c.Row, Unit: c.Unit.Name, Old: c.Old.Mean, New: c.Old.Mean + c.Delta, Margin: margin, Pairs: c.Pairs})
		}
	}
	slower := g.testTimings(timings, policy.Margins)
	if policy.Timings {
		g.Alarms = append(g.Alarms, slower...)
	} else {
		g.Slower = slower
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

// testTimings returns the timings that are slower: those of all rows together first, then those of
// single rows.
func (g *GateResult) testTimings(rows []Change, margins Margins) []Alarm {
	pairs := map[results.Replicate]int{} // the pair's number
	for _, c := range rows {
		g.Pairs = max(g.Pairs, c.Pairs)
		for _, key := range c.pairs {
			if _, ok := pairs[key]; !ok {
				pairs[key] = len(pairs)
			}
		}
	}
	byUnit := map[string][]Change{}
	var scatter []float64
	for _, c := range rows {
		byUnit[c.Unit.Name] = append(byUnit[c.Unit.Name], c)
		if _, sd := stats.Summarise(c.worsening); !math.IsNaN(sd) {
			scatter = append(scatter, sd)
		}
	}
	if len(scatter) > 0 {
		slices.Sort(scatter)
		g.Scatter = scatter[len(scatter)/2]
	}

	var tested []Alarm
	var differences [][]float64
	var excess []float64 // of the mean over the margin
	test := func(row, unitName string, before float64, same []Change) {
		unit, worsening := same[0].Unit, meanOverRows(same, pairs)
		known := slices.DeleteFunc(slices.Clone(worsening), math.IsNaN)
		change := stats.Mean(known)
		margin, _ := margins.of(unit)
		excess = append(excess, change-math.Log1p(margin.Amount))
		if unit.Better == results.Higher {
			change = -change
		}
		tested = append(tested, Alarm{Row: row, Unit: unitName, Old: before, New: before * math.Exp(change), Margin: margin, Pairs: len(known), Timing: true})
		differences = append(differences, worsening)
	}
	for _, name := range slices.Sorted(maps.Keys(byUnit)) {
		if same := byUnit[name]; len(same) > 1 {
			test("all rows together", name+" (relative)", 1, same)
		}
	}
	for _, c := range rows {
		test(c.Row, c.Unit.Name, c.Old.Mean, []Change{c})
	}
	g.Timings = len(tested)
	var ps []float64
	ps, g.MinP = stats.MaxSignFlip(differences)
	var slower []Alarm
	for i, a := range tested {
		if a.P = ps[i]; a.P <= g.Alpha && excess[i] > 0 {
			slower = append(slower, a)
		}
	}
	return slower
}

// meanOverRows is the mean worsening of the rows in each pair, NaN where none has it.
func meanOverRows(rows []Change, pairs map[results.Replicate]int) []float64 {
	sums, counts := make([]float64, len(pairs)), make([]float64, len(pairs))
	for _, c := range rows {
		for i, w := range c.worsening {
			at := pairs[c.pairs[i]]
			sums[at] += w
			counts[at]++
		}
	}
	for i := range sums {
		sums[i] /= counts[i]
	}
	return sums
}

// timingText says what was asked of the timings and how far they can be trusted.
func (g *GateResult) timingText() string {
	if g.Timings == 0 {
		return "No timings were compared."
	}
	text := fmt.Sprintf("%s over %s", plural(g.Timings, "timing ratio"), plural(g.Pairs, "pair"))
	if g.Scatter > 0 {
		text += fmt.Sprintf("; a ratio scatters by %.0f %% between pairs", 100*math.Expm1(g.Scatter))
	}
	if g.MinP > g.Alpha {
		need := 1
		for math.Ldexp(1, -need) > g.Alpha {
			need++
		}
		return text + fmt.Sprintf(". Not tested: the smallest attainable p is %.3g, and %g takes %d pairs.", g.MinP, g.Alpha, need)
	}
	return text + fmt.Sprintf(", tested at a rate of false alarms of %g for all of them together.", g.Alpha)
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
	if len(g.Slower) > 0 {
		out.WriteString("Slower, which fails no gate that does not ask for it:\n\n")
		for _, a := range g.Slower {
			a.Row, a.Unit = markdownName(a.Row), markdownName(a.Unit)
			out.WriteString("- " + a.String() + "\n")
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "%d metric cells compared exactly. %s\n", g.Metrics, g.timingText())
	out.WriteString("\n<details><summary>All changes</summary>\n\n")
	if err := (&Changes{All: g.Changes.All, Notes: g.Changes.Notes, Alpha: g.Alpha}).WriteMarkdown(&out); err != nil {
		return err
	}
	out.WriteString("\n</details>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

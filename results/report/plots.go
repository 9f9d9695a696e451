package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"bayesbench/results"
	"bayesbench/results/metrics"
)

// Data is what figures are drawn from: the records, and, where they come from run directories, the
// jobs behind them.
type Data struct {
	Set    results.Set
	Jobs   []results.JobResult
	Suites []string
}

// LoadData reads run directories and results files.
func LoadData(paths ...string) (Data, error) {
	all, err := results.LoadJobs(paths...)
	return Data{Set: all.Set, Jobs: all.Jobs, Suites: all.Suites}, err
}

// Kind is one kind of figure.
type Kind struct {
	Name, Short string
	Needs       string // what results must have for it
	draw        func(Data, Query) ([]*Figure, error)
}

// Kinds are all kinds of figures, in the order in which a page shows them.
var Kinds = []Kind{
	{"samples", "a metric against the number of posterior samples or ensemble members K (-metric, default nll, ece15-lorc, rmse and crps)", "metrics at some K", drawSamples},
	{"pareto", "error or RMSE against the time of prediction, one point a K, and the best at each time", "timings", drawPareto},
	{"training", "test NLL, test error or RMSE, or loss against the epoch", "the run directory's jobs, whose curves hold it", drawTraining},
	{"reliability", "accuracy against confidence by bin", "the run directory's jobs, whose details hold the bins", drawReliability},
	{"coverage", "predictions of numbers: share of targets in central intervals against the interval's level", "jobs of a run directory that predict numbers", drawCoverage},
	{"residuals", "predictions of numbers: histogram of the standardised residuals, beside N(0, 1)", "jobs of a run directory that predict numbers", drawResiduals},
	{"risk-coverage", "error rate among the most confident share of the test set", "the run directory's jobs, whose details hold the curve", drawRiskCoverage},
	{"entropy", "histogram of the predictive entropy, in and out of distribution", "the run directory's jobs, whose details hold the histograms", drawEntropy},
	{"shift", "a metric against the severity of corruption (-metric, default error, rmse and nll)", "a suite with eval.shift", drawShift},
	{"sparsity", "sparsity against the epoch, and by layer", "a method that prunes", drawSparsity},
}

// Draw draws the figures of one kind. There are none if the data do not have what it takes.
func Draw(d Data, kind string, q Query) ([]*Figure, error) {
	var names []string
	for _, k := range Kinds {
		if k.Name == kind {
			figures, left, err := k.drawn(d, q)
			if left > 0 {
				err = fmt.Errorf("%s: %d figures, want %d at most; choose some with -filter", kind, left+len(figures), mostFigures)
			}
			return figures, err
		}
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("no figure %q%s; there are %s", kind, meant(kind, names), strings.Join(names, ", "))
}

// drawn draws the figures of this kind with all their panels, and says how many more there would be
// than mostFigures.
func (k Kind) drawn(d Data, q Query) (drawn []*Figure, left int, err error) {
	figures, err := k.draw(d, q)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range figures {
		if f.empty() {
			continue
		}
		if len(drawn) >= mostFigures {
			left++
			continue
		}
		panels, err := f.panels()
		if err != nil {
			return nil, 0, err
		}
		drawn = append(drawn, panels...)
	}
	return drawn, left, nil
}

// units returns the query's metrics, or those of the defaults that have values.
func (d Data) units(q Query, defaults ...string) []string {
	if len(q.Metrics) > 0 {
		return q.Metrics
	}
	return slices.DeleteFunc(defaults, func(u string) bool {
		return !slices.ContainsFunc(d.Set.Records, func(r results.Record) bool { _, ok := r.Value(u); return ok })
	})
}

// methods gives the method of each row: its labels without the predictor and K.
func (t *Table) methods() []string {
	var methods []string
	for _, r := range t.Rows {
		var labels []string
		for i, head := range t.RowHeads {
			if head != predictKey && head != "K" && i < len(r.Labels) {
				labels = append(labels, r.Labels[i])
			}
		}
		methods = append(methods, strings.TrimSpace(strings.Join(labels, " ")))
	}
	return methods
}

// looks gives each row, by its label, the look of its method.
func (t *Table) looks() map[string]look {
	looks, numbers, variants := map[string]look{}, map[string]int{}, map[string]int{}
	for i, method := range t.methods() {
		if _, ok := numbers[method]; !ok {
			numbers[method] = len(numbers)
		}
		looks[t.Rows[i].Label()] = look{numbers[method], variants[method]}
		variants[method]++
	}
	return looks
}

// series turns each row of a table into points: x from the column heads, y the mean, spread the
// standard deviation.
func (t *Table) series(f *Figure, looks map[string]look) {
	for _, r := range t.Rows {
		var ps points
		for j, c := range r.Cells {
			x, err := strconv.ParseFloat(t.Columns[j].Head, 64)
			if err != nil || c.N == 0 {
				continue
			}
			p := point{x: x, y: c.Mean}
			if c.N > 1 {
				p.spread = c.SD
			}
			ps = append(ps, p)
		}
		slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.x, b.x) })
		f.line(looks[r.Label()], r.Label(), ps, true)
	}
}

func drawSamples(d Data, q Query) ([]*Figure, error) {
	var figures []*Figure
	for _, unit := range d.units(q, "nll", "ece15-lorc", "rmse", "crps") {
		q := q
		q.Cols, q.Metrics, q.Baseline = "/samples", []string{unit}, ""
		tables, err := Build(d.Set, q)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			looks := t.looks()
			t.Columns, t.Rows = withoutColumn(t, "")
			all := len(t.Rows)
			t.Rows = withoutSinglePass(t.Rows)
			caption := fmt.Sprintf("Mean over %[1]s; bars are the standard deviation over %[1]s.", t.Over)
			if n := all - len(t.Rows); n > 0 {
				caption += fmt.Sprintf(" Left out: %s with a single K of methods that have more.", plural(n, "predictor"))
			}
			f := newFigure(unit+"-samples", strings.Replace(t.Title, " by samples", "", 1), "posterior samples or ensemble members K", unit, caption)
			f.x = axis{base: 2, whole: true}
			t.series(f, looks)
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// withoutSinglePass drops the predictors with a single K, such as posterior means, of methods that
// have another with more: with a score of methods they would crowd out the curves.
func withoutSinglePass(rows []Row) []Row {
	measured := func(r Row) int {
		n := 0
		for _, c := range r.Cells {
			n += min(c.N, 1)
		}
		return n
	}
	most := map[string]int{} // by the first label, which is the method
	for _, r := range rows {
		most[r.Labels[0]] = max(most[r.Labels[0]], measured(r))
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return measured(r) == 1 && most[r.Labels[0]] > 1 })
}

// withoutColumn drops the column with this head.
func withoutColumn(t Table, head string) ([]Column, []Row) {
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Head == head })
	if at < 0 {
		return t.Columns, t.Rows
	}
	rows := slices.Clone(t.Rows)
	for i := range rows {
		rows[i].Cells = slices.Delete(slices.Clone(rows[i].Cells), at, at+1)
	}
	return slices.Delete(slices.Clone(t.Columns), at, at+1), rows
}

// drawPareto draws each kind of prediction by its first headline metric.
func drawPareto(d Data, q Query) ([]*Figure, error) {
	var figures []*Figure
	for _, unit := range metrics.First() {
		drawn, err := drawParetoOf(d, q, unit)
		if err != nil {
			return nil, err
		}
		figures = append(figures, drawn...)
	}
	return figures, nil
}

func drawParetoOf(d Data, q Query, quality string) ([]*Figure, error) {
	const cost = "predict-sec/example"
	if len(d.units(Query{}, cost, quality)) < 2 {
		return nil, nil
	}
	q.Cols, q.Baseline, q.Metrics = "/samples", "", []string{cost, quality}
	tables, err := Build(d.Set, q)
	if err != nil {
		return nil, err
	}
	var figures []*Figure
	for _, t := range tables {
		f := newFigure("pareto", strings.Replace(t.Title, " by samples", "", 1)+" · speed and accuracy", "prediction, milliseconds per example", quality,
			"One point for each number of posterior samples K, means over runs; further to the lower left is better, and nothing here is faster and more accurate than the front.")
		f.x = axis{base: 10}
		looks := t.looks()
		errors := map[string]int{} // the column of the error at each K
		for j, c := range t.Columns {
			if k, ok := strings.CutPrefix(c.Head, quality+" "); ok {
				errors[k] = j
			}
		}
		var all points
		for _, r := range t.Rows {
			var ps points
			for j, c := range t.Columns {
				k, isCost := strings.CutPrefix(c.Head, cost+" ")
				at, both := errors[k]
				if isCost && both && r.Cells[j].N > 0 && r.Cells[at].N > 0 {
					p := point{x: 1000 * r.Cells[j].Mean, y: r.Cells[at].Mean}
					if f.x.bears(p.x) && f.y.bears(p.y) {
						ps = append(ps, p)
					}
				}
			}
			slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.x, b.x) })
			f.line(looks[r.Label()], r.Label(), ps, true)
			all = append(all, ps...)
		}
		if front := paretoFront(all); len(front) > 0 {
			f.reference = &series{label: "Pareto front", points: front}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// paretoFront is the staircase of the points than which none is further to the lower left.
func paretoFront(all points) points {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b point) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y)) })
	var front points
	for _, p := range sorted {
		if len(front) > 0 {
			last := front[len(front)-1]
			if p.y >= last.y {
				continue
			}
			front = append(front, point{x: p.x, y: last.y})
		}
		front = append(front, point{x: p.x, y: p.y})
	}
	return front
}

func drawShift(d Data, q Query) ([]*Figure, error) {
	var figures []*Figure
	shifted := results.Set{Units: d.Set.Units}
	for _, r := range d.Set.Records {
		if slices.ContainsFunc(r.Sweep, func(p results.Pair) bool { return p.Key == "severity" }) {
			shifted.Records = append(shifted.Records, r)
		}
	}
	if len(shifted.Records) == 0 {
		return nil, nil
	}
	for _, unit := range d.units(q, "error", "rmse", "nll") {
		// The rows are the methods and corruptions, and whatever else varies.
		shifted.Records = tellSetupsApart(shifted.Records)
		rows := defaultRows(shifted.Records, Query{Tables: DefaultTables + ",/severity"})
		if !mentioned(rows)["corruption"] {
			rows += ",/corruption"
		}
		tables, err := Build(shifted, Query{Filter: q.Filter, Rows: rows, Cols: "/severity", Metrics: []string{unit}})
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			f := newFigure(unit+"-shift", strings.Replace(t.Title, " by severity", "", 1)+" under corruption", "severity", unit, "Mean over corruptions and runs.")
			f.x.whole = true
			merged := t.meanOver("corruption")
			merged.series(f, merged.looks())
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// meanOver averages the rows that differ only in the label of this head. The spread over seeds is
// lost.
func (t Table) meanOver(head string) Table {
	drop := slices.Index(t.RowHeads, head)
	var rows []Row
	at := map[string]int{}
	for _, r := range t.Rows {
		labels := slices.Delete(slices.Clone(r.Labels), drop, drop+1)
		key := strings.Join(labels, "\x00")
		if _, ok := at[key]; !ok {
			at[key] = len(rows)
			rows = append(rows, Row{Labels: labels, Cells: make([]Cell, len(t.Columns))})
		}
		for j, c := range r.Cells {
			if c.N > 0 {
				m := &rows[at[key]].Cells[j].Summary
				m.Mean = (m.Mean*float64(m.N) + c.Mean) / float64(m.N+1)
				m.N++
			}
		}
	}
	for i := range rows {
		for j := range rows[i].Cells {
			rows[i].Cells[j].SD = 0
		}
	}
	t.RowHeads = slices.Delete(slices.Clone(t.RowHeads), drop, drop+1)
	t.Rows = rows
	return t
}

// jobGroup is the jobs that share a figure: one data set, model and backend.
type jobGroup struct {
	title string
	heads []string // method, and the keys of what else varies
	rows  []*jobRow

	byValues map[string]*jobRow
}

// jobRow is the jobs of one configuration, which differ in the seed and split, in order of
// appearance.
type jobRow struct {
	label  string   // the values that are not empty
	values []string // of the heads
	jobs   []results.JobResult

	byReplicate map[results.Replicate]int // of jobs
}

// grouped parts the jobs into figures and, in each, into rows: by the method and what else varies
// between jobs. A job that is there already, as in a copy of its run directory, counts once. It is
// an error if another of the same configuration and seed has other values.
func (d Data) grouped(q Query) ([]*jobGroup, error) {
	keep, err := newFilter(q.Filter)
	if err != nil {
		return nil, err
	}
	var jobs []results.JobResult
	var firsts []results.Record
	for _, j := range d.Jobs {
		if len(j.Records) == 0 {
			continue
		}
		first := j.Records[0]
		first.Sweep = slices.DeleteFunc(slices.Clone(first.Sweep), func(p results.Pair) bool {
			return slices.ContainsFunc(j.Records, func(r results.Record) bool { return !slices.Contains(r.Sweep, p) })
		})
		if ok, err := keep(&first); err != nil {
			return nil, err
		} else if ok {
			jobs, firsts = append(jobs, j), append(firsts, first)
		}
	}
	heads := []string{"method"}
	for key := range strings.SplitSeq(defaultRows(firsts, Query{Tables: DefaultTables}), ",") {
		if key != "/method" {
			heads = append(heads, strings.TrimPrefix(key, "/"))
		}
	}
	var groups []*jobGroup
	for i, j := range jobs {
		r := firsts[i]
		name := strings.Join([]string{strings.ToUpper(r.Data), r.Model, r.Backend}, " · ")
		at := slices.IndexFunc(groups, func(g *jobGroup) bool { return g.title == name })
		if at < 0 {
			groups = append(groups, &jobGroup{title: name, heads: heads, byValues: map[string]*jobRow{}})
			at = len(groups) - 1
		}
		var values []string
		for _, head := range heads {
			values = append(values, nameValue(&r, head))
		}
		if err := groups[at].row(values).add(j, d.Set.Units); err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		g.labelRows()
	}
	return groups, nil
}

// row is the row of these values, which is made where there is none.
func (g *jobGroup) row(values []string) *jobRow {
	key := strings.Join(values, "\x00")
	r := g.byValues[key]
	if r == nil {
		r = &jobRow{values: values, byReplicate: map[results.Replicate]int{}}
		g.byValues[key] = r
		g.rows = append(g.rows, r)
	}
	return r
}

// add adds a job, unless it is there already.
func (r *jobRow) add(j results.JobResult, units results.Units) error {
	replicate := j.Records[0].Replicate()
	if i, ok := r.byReplicate[replicate]; ok {
		if twice := differingValue(&r.jobs[i], &j, units); twice != nil {
			return twice
		}
		return nil
	}
	r.byReplicate[replicate] = len(r.jobs)
	r.jobs = append(r.jobs, j)
	return nil
}

// differingValue finds a metric in which two jobs of one configuration and seed differ, nil if
// there is none. Timings always do.
func differingValue(a, b *results.JobResult, units results.Units) *twiceError {
	type place struct{ name, unit string }
	others := map[place]sample{}
	for i := range b.Records {
		r := &b.Records[i]
		for _, v := range r.Values {
			others[place{r.Name(), v.Unit}] = sample{v.Value, r}
		}
	}
	for i := range a.Records {
		r := &a.Records[i]
		for _, v := range r.Values {
			other, ok := others[place{r.Name(), v.Unit}]
			if ok && !units[v.Unit].Timing && math.Float64bits(v.Value) != math.Float64bits(other.value) {
				return &twiceError{unit: v.Unit, a: sample{v.Value, r}, b: other}
			}
		}
	}
	return nil
}

// labelRows gives each row its label: its values, as in a table's row. Rows whose values read the
// same, such as a method "x" with a rate of 1 and a method "x 1", have the keys in their labels
// too.
func (g *jobGroup) labelRows() {
	count := map[string]int{}
	for _, r := range g.rows {
		r.label = strings.Join(slices.DeleteFunc(slices.Clone(r.values), func(v string) bool { return v == "" }), " ")
		count[r.label]++
	}
	for _, r := range g.rows {
		if count[r.label] < 2 {
			continue
		}
		r.label = strconv.Quote(r.values[0])
		for i, v := range r.values[1:] {
			if v != "" {
				r.label += " " + g.heads[1+i] + "=" + strconv.Quote(v)
			}
		}
	}
}

// perGroup draws one figure for each group, with one series for each row; series returns no points
// to leave one out.
func (d Data) perGroup(q Query, newFigure func(*jobGroup) *Figure, marks bool, series func([]results.JobResult) points) ([]*Figure, error) {
	groups, err := d.grouped(q)
	if err != nil {
		return nil, err
	}
	var figures []*Figure
	for _, g := range groups {
		f := newFigure(g)
		drawn := false
		for i, r := range g.rows {
			ps := series(r.jobs)
			drawn = drawn || len(ps) > 0
			f.line(look{method: i}, r.label, ps, marks)
		}
		if drawn {
			figures = append(figures, f)
		}
	}
	return figures, nil
}

func drawTraining(d Data, q Query) ([]*Figure, error) {
	var figures []*Figure
	for _, column := range []string{"test-nll", "test-error", "test-rmse", "validation-nll", "validation-error", "validation-rmse", "loss"} {
		shortest, longest := math.Inf(1), 0.0
		drawn, err := d.perGroup(q, func(g *jobGroup) *Figure {
			return newFigure(column+"-training", g.title+" · "+column+" in training", "epoch", column, "Mean over runs at each epoch.")
		}, false, func(jobs []results.JobResult) points {
			ps := meanCurve(jobs, "epoch", column)
			if len(ps) > 0 {
				end := ps[len(ps)-1].x
				shortest, longest = min(shortest, end), max(longest, end)
			}
			return ps
		})
		if err != nil {
			return nil, err
		}
		for _, f := range drawn {
			f.x.whole = true
			// A chain of thousands of short epochs beside ten of training, a loss with its KL
			// beside one without.
			if x := &f.plot.X; longest > 20*shortest && x.Min >= smallestDrawn {
				f.x.base = 10
			}
			if y := &f.plot.Y; y.Min >= smallestDrawn && y.Max > 50*y.Min {
				f.y.base = 10
			}
		}
		figures = append(figures, drawn...)
	}
	return figures, nil
}

// meanCurve averages a column over the jobs at each value of x.
func meanCurve(jobs []results.JobResult, x, column string) points {
	sums := map[float64]*point{} // spread counts
	for _, j := range jobs {
		xs, ys := j.Curve.Column(x), j.Curve.Column(column)
		if xs == nil {
			xs = j.Curve.Column("step")
		}
		for i := range min(len(xs), len(ys)) {
			if math.IsNaN(ys[i]) || math.IsInf(ys[i], 0) || math.IsNaN(xs[i]) {
				continue
			}
			if sums[xs[i]] == nil {
				sums[xs[i]] = &point{x: xs[i]}
			}
			sums[xs[i]].y += ys[i]
			sums[xs[i]].spread++
		}
	}
	var ps points
	for _, p := range sums {
		ps = append(ps, point{x: p.x, y: p.y / p.spread})
	}
	slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	return ps
}

func drawReliability(d Data, q Query) ([]*Figure, error) {
	figures, err := d.perGroup(q, func(g *jobGroup) *Figure {
		return newFigure("reliability", g.title+" · reliability", "confidence", "accuracy",
			"Mean confidence and accuracy of each bin at the largest K, all runs together; bins of fewer than 10 predictions are left out. On the diagonal confidence is right.")
	}, true, func(jobs []results.JobResult) points {
		var bins []results.Bin // sums
		for _, j := range jobs {
			r, ok := largest(j.Details.Reliability, func(r results.Reliability) int { return r.Samples })
			if !ok || bins != nil && len(bins) != len(r.Bins) {
				continue
			}
			if bins == nil {
				bins = make([]results.Bin, len(r.Bins))
			}
			for i, b := range r.Bins {
				bins[i].Count += b.Count
				bins[i].Confidence += b.Confidence * float64(b.Count)
				bins[i].Accuracy += b.Accuracy * float64(b.Count)
			}
		}
		var ps points
		for _, b := range bins {
			if n := float64(b.Count); b.Count >= 10 {
				ps = append(ps, point{x: b.Confidence / n, y: b.Accuracy / n})
			}
		}
		return ps
	})
	for _, f := range figures {
		f.diagonal("calibrated")
	}
	return figures, err
}

func drawRiskCoverage(d Data, q Query) ([]*Figure, error) {
	return d.perGroup(q, func(g *jobGroup) *Figure {
		f := newFigure("risk-coverage", g.title+" · risk and coverage", "coverage (most confident first)", "error rate", "At the largest K, mean over runs.")
		f.y.zero = true
		return f
	}, false, func(jobs []results.JobResult) points {
		sums := map[float64]*point{}
		for _, j := range jobs {
			r, ok := largest(j.Details.RiskCover, func(r results.RiskCover) int { return r.Samples })
			if !ok {
				continue
			}
			for i, c := range r.Coverage {
				if sums[c] == nil {
					sums[c] = &point{x: c}
				}
				sums[c].y += r.Risk[i]
				sums[c].spread++
			}
		}
		var ps points
		for _, p := range sums {
			ps = append(ps, point{x: p.x, y: p.y / p.spread})
		}
		slices.SortFunc(ps, func(a, b point) int { return cmp.Compare(a.x, b.x) })
		return ps
	})
}

func largest[T any](all []T, samples func(T) int) (T, bool) {
	var none T
	if len(all) == 0 {
		return none, false
	}
	return slices.MaxFunc(all, func(a, b T) int { return cmp.Compare(samples(a), samples(b)) }), true
}

// drawCoverage is the reliability diagram of predictions of numbers.
func drawCoverage(d Data, q Query) ([]*Figure, error) {
	figures, err := d.perGroup(q, func(g *jobGroup) *Figure {
		return newFigure("coverage", g.title+" · coverage of central intervals", "level of the interval", "share of targets inside",
			"At the largest K, all runs together. On the diagonal the predictive is calibrated; below it, it is too narrow.")
	}, true, func(jobs []results.JobResult) points {
		var levels, inside []float64
		targets := 0.0
		for _, j := range jobs {
			c, ok := largest(j.Details.Coverage, func(c results.Coverage) int { return c.Samples })
			if !ok || levels != nil && !slices.Equal(levels, c.Levels) {
				continue
			}
			if levels == nil {
				levels, inside = c.Levels, make([]float64, len(c.Levels))
			}
			for i, share := range c.Shares {
				inside[i] += share * float64(c.Targets)
			}
			targets += float64(c.Targets)
		}
		var ps points
		for i, level := range levels {
			ps = append(ps, point{x: level, y: inside[i] / targets})
		}
		return ps
	})
	for _, f := range figures {
		f.diagonal("calibrated")
	}
	return figures, err
}

// diagonal compares shares with what they should be, both from 0 to 1.
func (f *Figure) diagonal(label string) {
	f.reference = &series{label: label, points: points{{x: 0, y: 0}, {x: 1, y: 1}}}
	x, y := &f.plot.X, &f.plot.Y
	x.Min, x.Max, y.Min, y.Max = min(0, x.Min), max(1, x.Max), min(0, y.Min), max(1, y.Max)
}

// drawResiduals draws the standardised residuals of predictions of numbers.
func drawResiduals(d Data, q Query) ([]*Figure, error) {
	figures, err := d.perData(q, "residual", func(g *jobGroup, data string) *Figure {
		return newFigure("residuals-"+data, g.title+" · residuals on "+data, "(target − mean) / standard deviation", "share of targets",
			"At the largest K, all runs together; the outermost bins hold what lies beyond them. Narrower than N(0, 1): the predictive is too wide.")
	})
	for _, f := range figures {
		if f.empty() {
			continue
		}
		f.reference = &series{label: "N(0, 1)", points: normalShares(f.series[0].points)}
		for _, p := range f.reference.points {
			f.plot.Y.Max = max(f.plot.Y.Max, p.y)
		}
	}
	return figures, err
}

// normalShares are the shares that N(0, 1) has of the bins of a histogram, drawn as it is.
func normalShares(histogram points) points {
	var ps points
	for i := 0; i+1 < len(histogram); i += 2 {
		lo, hi := histogram[i].x, histogram[i+1].x
		below, above := distuv.UnitNormal.CDF(lo), distuv.UnitNormal.CDF(hi)
		if i == 0 {
			below = 0
		}
		if i+2 == len(histogram) {
			above = 1
		}
		ps = append(ps, point{x: lo, y: above - below}, point{x: hi, y: above - below})
	}
	return ps
}

func drawEntropy(d Data, q Query) ([]*Figure, error) {
	return d.perData(q, "entropy", func(g *jobGroup, data string) *Figure {
		return newFigure("entropy-"+data, g.title+" · entropy on "+data, "predictive entropy, nats", "share of inputs", "At the largest K, all runs together.")
	})
}

// perData draws one figure for each group and each set of inputs that there are histograms of a
// quantity on.
func (d Data) perData(q Query, quantity string, newFigure func(g *jobGroup, data string) *Figure) ([]*Figure, error) {
	groups, err := d.grouped(q)
	if err != nil {
		return nil, err
	}
	var figures []*Figure
	for _, g := range groups {
		var sets []string
		for _, r := range g.rows {
			for _, j := range r.jobs {
				for _, h := range j.Details.Histograms {
					if h.Quantity == quantity && !slices.Contains(sets, h.Data) {
						sets = append(sets, h.Data)
					}
				}
			}
		}
		for _, data := range sets {
			f := newFigure(g, data)
			f.y.zero = true
			for i, r := range g.rows {
				f.line(look{method: i}, r.label, shares(r.jobs, quantity, data), false)
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// shares is the histogram of a quantity on a set of inputs, all jobs together, as a line of two
// points for each bin.
func shares(jobs []results.JobResult, quantity, data string) points {
	var edges []float64
	var counts []int
	total := 0
	for _, j := range jobs {
		of := slices.DeleteFunc(slices.Clone(j.Details.Histograms), func(h results.Histogram) bool { return h.Quantity != quantity || h.Data != data })
		h, ok := largest(of, func(h results.Histogram) int { return h.Samples })
		if !ok || edges != nil && !slices.Equal(edges, h.Edges) {
			continue
		}
		if edges == nil {
			edges, counts = h.Edges, make([]int, len(h.Counts))
		}
		for i, n := range h.Counts {
			counts[i] += n
			total += n
		}
	}
	var ps points
	for i, n := range counts {
		share := float64(n) / float64(max(1, total))
		ps = append(ps, point{x: edges[i], y: share}, point{x: edges[i+1], y: share})
	}
	return ps
}

func drawSparsity(d Data, q Query) ([]*Figure, error) {
	figures, err := d.perGroup(q, func(g *jobGroup) *Figure {
		f := newFigure("sparsity-training", g.title+" · sparsity in training", "epoch", "pruned share of weights", "Mean over runs; biases are not counted.")
		f.y.zero, f.x.whole = true, true
		return f
	}, false, func(jobs []results.JobResult) points { return meanCurve(jobs, "epoch", "sparsity") })
	if err != nil {
		return nil, err
	}
	layers, err := sparsityByLayer(d, q)
	return append(figures, layers...), err
}

// sparsityByLayer draws the tables of sparsity by layer as bars, which takes no more than a results
// file.
func sparsityByLayer(d Data, q Query) ([]*Figure, error) {
	tables, err := buildLayers(d.Set, q)
	if err != nil {
		return nil, err
	}
	methods, err := d.methods(q)
	if err != nil {
		return nil, err
	}
	var figures []*Figure
	for _, t := range tables {
		f := newFigure("sparsity-layers", strings.Replace(t.Title, "sparsity by method", "sparsity by layer", 1), "", "pruned share of weights",
			"Mean over "+t.Over+"; biases are not counted.")
		f.y.zero = true
		rows, columns := t.Rows[:min(len(t.Rows), mostGroups)], t.Columns[:min(len(t.Columns), mostBars)]
		f.left = len(t.Rows)*len(t.Columns) - len(rows)*len(columns)
		var layers []string
		for _, r := range rows {
			layers = append(layers, shortLabel(r.Label()))
		}
		width := vg.Points(min(30, 150/float64(len(rows)*len(columns))))
		f.plot.Y.Min, f.plot.Y.Max = 0, 1
		for j, col := range columns {
			values := make(plotter.Values, len(rows))
			for i, r := range rows {
				if c := r.Cells[j]; c.N > 0 && f.y.bears(c.Mean) {
					values[i] = c.Mean
				}
				f.plot.Y.Min, f.plot.Y.Max = min(f.plot.Y.Min, values[i]), max(f.plot.Y.Max, values[i])
			}
			bars, err := plotter.NewBarChart(values, width)
			if err != nil {
				return nil, err
			}
			bars.Color, bars.LineStyle.Width = look{method: max(0, slices.Index(methods, col.Head))}.colour(), 0
			bars.Offset = width * vg.Length(float64(j)-float64(len(columns)-1)/2)
			f.plot.Add(bars)
			f.legend = append(f.legend, legendEntry{shortLabel(col.Head), []plot.Thumbnailer{bars}})
		}
		f.plot.NominalX(layers...)
		f.plot.X.Min, f.plot.X.Max, f.x.named = -0.5, float64(len(layers))-0.5, true
		figures = append(figures, f)
	}
	return figures, nil
}

// methods are the methods in the order of the headline table, which is that of their colours.
func (d Data) methods(q Query) ([]string, error) {
	tables, err := tabulate(d.Set, Query{Filter: q.Filter, Metrics: []string{"all"}})
	if err != nil {
		return nil, err
	}
	var methods []string
	for _, t := range tables {
		for _, name := range t.methods() {
			if !slices.Contains(methods, name) {
				methods = append(methods, name)
			}
		}
	}
	return methods, nil
}

package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"bayesbench/backends/rng"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/results/score"
	"bayesbench/results/stats"
)

// PointTable compares trained networks with those of the baseline on the same test points. Where a
// [Table] asks whether another training would give the same answer, this asks whether another test
// set would, for the networks at hand: one seed is enough.
type PointTable struct {
	Title    string     `json:"title"`
	Baseline string     `json:"baseline"`
	Alpha    float64    `json:"alpha"`
	Rows     []PointRow `json:"rows"`
	Notes    []string   `json:"notes,omitempty"`
}

// PointRow is one method at the seeds that it and the baseline have.
type PointRow struct {
	Method  string          `json:"method"`
	Mark    string          `json:"mark,omitempty"` // as that of a [Row]
	Against string          `json:"against"`
	Seeds   int             `json:"seeds"`
	Points  int             `json:"points"`
	Error   PointDifference `json:"error"` // primary
	NLL     PointDifference `json:"nll"`   // exploratory
}

// PointDifference is the mean over test points of the loss, averaged over seeds, less the
// baseline's.
type PointDifference struct {
	Delta    float64 `json:"delta"`
	Lo       float64 `json:"lo"` // bootstrap interval over test points
	Hi       float64 `json:"hi"`
	P        float64 `json:"p"`
	Adjusted float64 `json:"p_holm"` // by Holm's correction over the rows
	Test     string  `json:"test"`
	Verdict  Verdict `json:"verdict"`
}

const pointConfidence = 0.95

// BuildPoints tests the runs' methods against the baseline by the predictions that their jobs saved
// (eval.save_predictions): those of a job's first predictor at the largest K. With one seed the
// errors are compared by McNemar's exact test, everything else by the paired bootstrap over test
// points.
func BuildPoints(d Data, q Query) ([]PointTable, error) {
	q, err := q.atLevel()
	if err != nil {
		return nil, err
	}
	groups, err := d.grouped(q)
	if err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("no finished jobs match: the test over points reads what jobs saved, so give a run directory with its jobs")
	}
	var tables []PointTable
	for _, g := range groups {
		t, err := g.points(q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.title, err)
		}
		tables = append(tables, *t)
	}
	return tables, nil
}

// lossesOf are the losses of one method by replicate.
type lossesOf map[results.Replicate]*score.Points

func (g *jobGroup) points(q Query) (*PointTable, error) {
	var labels []string
	var values [][]string
	losses := map[string]lossesOf{}
	from := newProvenance()
	without := 0
	var first *score.Points
	for _, r := range g.rows {
		for i := range r.jobs {
			j := &r.jobs[i]
			p, err := pointsOf(j)
			if errors.Is(err, fs.ErrNotExist) {
				without++
				continue
			}
			if err != nil {
				return nil, err
			}
			if first == nil {
				first = p
			} else if !slices.Equal(first.Labels, p.Labels) {
				return nil, fmt.Errorf("job %s was tested on other labels than the jobs before it", j.ID)
			}
			p.Labels = first.Labels // once
			if losses[r.label] == nil {
				losses[r.label] = lossesOf{}
				labels, values = append(labels, r.label), append(values, r.values)
			}
			losses[r.label][j.Records[0].Replicate()] = p
			from.add(r.label, "error", []sample{{record: &j.Records[0]}})
		}
	}
	if len(labels) == 0 && g.pointless() {
		return nil, fmt.Errorf("the test over points takes predictions of classes, and these jobs predict numbers: compare methods over splits and seeds, by a table with -baseline")
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("no job saved its predictions; set eval.save_predictions = true in the suite and run it again")
	}
	p, err := newPartners(g.heads, values, q.Baseline)
	if err != nil {
		return nil, err
	}
	t := &PointTable{Title: g.title, Baseline: q.Baseline, Alpha: q.Alpha}
	for i, label := range labels {
		if p.isBase(i) {
			continue
		}
		base := labels[p.of(i)]
		row, ok, err := comparePoints(losses[label], losses[base])
		if err != nil {
			return nil, err
		}
		if !ok {
			t.Notes = append(t.Notes, fmt.Sprintf("%s is left out: it shares no seed with %s.", label, base))
			continue
		}
		row.Method, row.Against, row.Mark = label, base, from.mark(label)
		t.Rows = append(t.Rows, row)
	}
	t.correct()
	t.Notes = append(t.Notes, p.notes()...)
	if without > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%s without saved predictions left out (eval.save_predictions).", plural(without, "job")))
	}
	t.Notes = append(t.Notes, from.notes()...)
	return t, nil
}

// pointless says whether the group's jobs have predictions of a kind that is not compared over
// points.
func (g *jobGroup) pointless() bool {
	return slices.ContainsFunc(g.rows[0].jobs[0].Records, func(r results.Record) bool {
		kind := metrics.KindOf(func(unit string) bool { _, has := r.Value(unit); return has })
		return kind != metrics.KindNone && !kind.Pointwise()
	})
}

// pointsOf reads the predictions that the job saved. The error wraps fs.ErrNotExist where it saved
// none.
func pointsOf(j *results.JobResult) (*score.Points, error) {
	predictions, err := j.File("predictions.npy")
	if err != nil {
		return nil, err
	}
	labels, err := j.File("labels.npy")
	if err != nil {
		return nil, err
	}
	return score.ReadPoints(score.Files{Predictions: predictions, Labels: labels, Form: metrics.Probabilities})
}

// comparePoints compares the losses at the seeds that both have; ok is false if there are none.
func comparePoints(ours, theirs lossesOf) (row PointRow, ok bool, err error) {
	var seeds []results.Replicate
	for _, key := range slices.SortedFunc(maps.Keys(ours), results.Replicate.Compare) {
		if theirs[key] != nil {
			seeds = append(seeds, key)
		}
	}
	if len(seeds) == 0 {
		return row, false, nil
	}
	mean := func(of lossesOf, loss func(*score.Points) []float64) []float64 {
		sum := make([]float64, len(loss(of[seeds[0]])))
		for _, seed := range seeds {
			for n, l := range loss(of[seed]) {
				sum[n] += l / float64(len(seeds))
			}
		}
		return sum
	}
	row.Seeds = len(seeds)
	for _, part := range []struct {
		to   *PointDifference
		loss func(*score.Points) []float64
	}{
		{&row.Error, func(p *score.Points) []float64 { return p.Error }},
		{&row.NLL, func(p *score.Points) []float64 { return p.NLL }},
	} {
		a, b := mean(ours, part.loss), mean(theirs, part.loss)
		row.Points = len(a)
		test, interval, err := stats.PairedBootstrap(a, b, pointConfidence, stats.Replicates, rng.Key{})
		if err != nil {
			return row, false, err
		}
		if part.to == &row.Error && len(seeds) == 1 {
			if test, err = stats.McNemar(isZero(a), isZero(b)); err != nil {
				return row, false, err
			}
		}
		*part.to = PointDifference{Delta: interval.Center, Lo: interval.Lo, Hi: interval.Hi, P: test.P, Test: test.Name}
	}
	return row, true, nil
}

func isZero(losses []float64) []bool {
	zero := make([]bool, len(losses))
	for i, l := range losses {
		zero[i] = l == 0
	}
	return zero
}

// correct corrects each of the two metrics over the rows and gives the verdicts.
func (t *PointTable) correct() {
	for _, pick := range []func(*PointRow) *PointDifference{
		func(r *PointRow) *PointDifference { return &r.Error }, func(r *PointRow) *PointDifference { return &r.NLL }} {
		ps := make([]float64, len(t.Rows))
		for i := range t.Rows {
			ps[i] = pick(&t.Rows[i]).P
		}
		for i, adjusted := range stats.Holm(ps) {
			d := pick(&t.Rows[i])
			d.Adjusted, d.Verdict = adjusted, Undecided
			switch {
			case adjusted > t.Alpha:
			case d.Delta < 0:
				d.Verdict = IsBetter
			default:
				d.Verdict = IsWorse
			}
		}
	}
}

func (d PointDifference) text() string {
	sign := map[Verdict]string{IsBetter: "*", IsWorse: "†"}[d.Verdict]
	return fmt.Sprintf("%s [%s, %s]%s", signed(d.Delta), signed(d.Lo), signed(d.Hi), sign)
}

func (t *PointTable) legend() []string {
	return append([]string{
		fmt.Sprintf("Difference from %s in the mean over test points and seeds, with its %g %% interval by %d bootstrap replicates over test points. "+
			"* better, † worse at p < %g, by McNemar's exact test for errors of one seed and the paired bootstrap otherwise, Holm's correction over rows. Primary metric: error; nll is exploratory.",
			t.Baseline, 100*pointConfidence, stats.Replicates, t.Alpha),
		"This speaks of the networks that were trained and their first predictor at its largest K, not of training again: that takes seeds.",
	}, t.Notes...)
}

// WritePoints writes the tables as text, markdown or json.
func WritePoints(w io.Writer, tables []PointTable, format string, style Style) error {
	var out strings.Builder
	switch format {
	case "json":
		enc := json.NewEncoder(&out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(struct {
			Tables []PointTable `json:"tables"`
		}{tables}); err != nil {
			return err
		}
	case "text", "markdown":
		name := strings.Clone
		if format == "markdown" {
			name = markdownName
		}
		for i := range tables {
			t := &tables[i]
			if i > 0 {
				out.WriteByte('\n')
			}
			p := table.NewWriter()
			p.SetStyle(table.StyleLight)
			p.Style().Options = table.Options{SeparateHeader: true}
			p.Style().Format.Header = text.FormatDefault
			p.SuppressTrailingSpaces()
			var configs []table.ColumnConfig
			for column := 2; column <= 7; column++ {
				configs = append(configs, table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight})
			}
			p.SetColumnConfigs(configs)
			p.AppendHeader(table.Row{"method", "seeds", "points", "error ↓", "p", "nll ↓", "p"})
			for _, r := range t.Rows {
				p.AppendRow(table.Row{name(strings.TrimSpace(r.Method + " " + r.Mark)), r.Seeds, r.Points, r.Error.text(), pText(r.Error.Adjusted), r.NLL.text(), pText(r.NLL.Adjusted)})
			}
			if format == "text" {
				fmt.Fprintf(&out, "%s\n%s\n", t.Title, p.Render())
				for _, line := range t.legend() {
					out.WriteString(wrap(line, style.Width) + "\n")
				}
				continue
			}
			fmt.Fprintf(&out, "### %s\n\n%s\n", markdown(t.Title), p.RenderMarkdown())
			for _, line := range t.legend() {
				out.WriteString("\n" + markdown(line) + "\n")
			}
		}
	default:
		return fmt.Errorf("-format %s: want text, markdown or json", format)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

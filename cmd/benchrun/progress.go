package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/internal/cli"
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// bars shows how a run goes on: one line that changes on a terminal, elsewhere a
// line now and then.
type bars struct {
	w       io.Writer
	columns func() int // of the terminal, nil where there is none
	suite   forecast
	what    string    // what is counted now
	said    time.Time // when the last line was written
	drawn   int       // columns of the line that stands on the terminal
	from    int64     // where the counting began, above 0 in a job that was resumed
	began   time.Time // and when
	jobs    string    // "3/12"
}

// lineEvery is how often a log is told, where there is no terminal, and drawEvery
// how often a terminal's line changes.
const (
	lineEvery = 10 * time.Second
	drawEvery = 100 * time.Millisecond
)

func newBars(w io.Writer) *bars {
	b := &bars{w: w, said: time.Now()}
	if _, ok := cli.Terminal(w); ok {
		b.columns = func() int { n, _ := cli.Terminal(w); return n }
	}
	return b
}

func (b *bars) Begin(j *bench.Job, n, of int) {
	b.jobs, b.what, b.said = fmt.Sprintf("%d/%d", n, of), "", time.Now()
	b.suite.begin(j)
	if b.columns == nil {
		fmt.Fprintf(b.w, "[%s] %s\n", b.jobs, j.Title())
	}
}

func (b *bars) Train(j *bench.Job, step, of int, rate float64) {
	b.suite.reached(j.TrainFLOPs * float64(step) / float64(of))
	b.show("train", j, int64(step), int64(of), fmt.Sprintf("%.0f samples/s", rate), rate)
}

func (b *bars) Predict(j *bench.Job, predictor string, k, of int) {
	b.suite.reached(j.TrainFLOPs + (j.FLOPs-j.TrainFLOPs)*float64(k)/float64(of))
	b.show("predict "+predictor, j, int64(k), int64(of), fmt.Sprintf("sample %d of %d", k, of), 0)
}

func (b *bars) Note(j *bench.Job, text string) {
	b.clear()
	fmt.Fprintf(b.w, "[%s] %s: %s\n", b.jobs, j.Title(), cli.Plain(text))
}

func (b *bars) End(j *bench.Job, o bench.Outcome) {
	b.clear()
	b.suite.end(o.Failed == nil)
	if o.Failed != nil {
		fmt.Fprintf(b.w, "[%s] %s: FAILED: %s\n", b.jobs, j.Title(), cli.Plain(o.Failed.Error()))
		return
	}
	// The last predictive line of the first predictor is the job's headline.
	headline := ""
	for _, r := range o.Records {
		if text := headlineOf(&r); text != "" && (headline == "" || r.Sweep[len(r.Sweep)-1].Value == firstPredictor(o)) {
			headline = text
		}
	}
	fmt.Fprintf(b.w, "[%s] %s: %s, %s\n", b.jobs, j.Title(), headline, o.Elapsed.Round(100*time.Millisecond))
}

// headlineOf is the two first metrics of a record's kind of prediction, "" without them.
func headlineOf(r *results.Record) string {
	kind := metrics.KindOf(func(unit string) bool { _, has := r.Value(unit); return has })
	if kind == metrics.KindNone {
		return ""
	}
	var parts []string
	for _, unit := range kind.Headline()[:2] {
		v, has := r.Value(unit)
		switch {
		case !has:
			return ""
		case unit == "error":
			parts = append(parts, fmt.Sprintf("error %.2f %%", 100*v))
		case unit == "nll":
			parts = append(parts, fmt.Sprintf("NLL %.4f", v))
		default:
			parts = append(parts, fmt.Sprintf("%s %.4g", strings.ToUpper(unit), v))
		}
	}
	return fmt.Sprintf("%s at K=%d", strings.Join(parts, ", "), r.Samples)
}

func firstPredictor(o bench.Outcome) string {
	for _, r := range o.Records {
		for _, p := range r.Sweep {
			if p.Key == "predict" {
				return p.Value
			}
		}
	}
	return ""
}

// fetch shows downloads and decoding.
func (b *bars) fetch(what string, done, total int64) { b.show(what, nil, done, total, "", 0) }

// show says how far the job is, or where j is nil something before the first.
// The rate is in samples a second, 0 if there is none, and stands in the detail.
func (b *bars) show(what string, j *bench.Job, done, total int64, detail string, rate float64) {
	title := what
	if j != nil {
		title = j.Title() + " " + what
	}
	if b.what != title {
		b.what, b.from, b.began = title, done, time.Now()
		if b.columns != nil {
			b.said = time.Time{} // at once
		}
	}
	every := lineEvery
	if b.columns != nil {
		every = drawEvery
	}
	if time.Since(b.said) < every {
		return
	}
	b.said = time.Now()
	l := line{jobs: b.jobs, title: title, done: done, total: total, detail: detail, rate: rate}
	if done > b.from && total > done {
		l.job = remaining(time.Since(b.began), done-b.from, total-done)
	}
	if j != nil {
		l.suite = b.suite.left()
	}
	if b.columns == nil {
		l.title = what // the job's stands above
		fmt.Fprintln(b.w, l.log())
		return
	}
	columns := b.columns()
	if columns <= 0 { // the terminal does not say
		columns = 80
	}
	text := l.fit(columns - 1) // a full line wraps on some terminals
	width := runewidth.StringWidth(text)
	fmt.Fprintf(b.w, "\r%s%s", text, strings.Repeat(" ", max(b.drawn-width, 0)))
	b.drawn = width
}

// clear takes the line off the terminal.
func (b *bars) clear() {
	if b.drawn > 0 {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", b.drawn))
		b.drawn, b.what = 0, ""
	}
}

// remaining is how long so many steps will take, at the speed of those done in
// the time elapsed.
func remaining(elapsed time.Duration, done, left int64) time.Duration {
	return atMost(float64(elapsed) / float64(done) * float64(left))
}

// atMost is a duration of so many nanoseconds, and of a thousand days where it
// would be longer.
func atMost(nanoseconds float64) time.Duration {
	return time.Duration(min(nanoseconds, float64(1000*24*time.Hour)))
}

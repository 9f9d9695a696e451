package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"bayesbench/internal/bench"
	"bayesbench/internal/cli"
)

// bars shows how a run goes on: a bar on a terminal, elsewhere a line now and
// then.
type bars struct {
	w        io.Writer
	terminal bool
	bar      *progressbar.ProgressBar
	what     string    // what is counted now
	said     time.Time // when the last line was written off a terminal
	from     int64     // where the counting began, above 0 in a job that was resumed
	began    time.Time // and when
	jobs     string    // "3/12"
}

// lineEvery is how often a log is told, where there is no terminal.
const lineEvery = 10 * time.Second

func newBars(w io.Writer) *bars {
	b := &bars{w: w, said: time.Now()}
	_, b.terminal = cli.Terminal(w)
	return b
}

func (b *bars) Begin(j *bench.Job, n, of int) {
	b.jobs, b.what, b.said = fmt.Sprintf("%d/%d", n, of), "", time.Now()
	if !b.terminal {
		fmt.Fprintf(b.w, "[%s] %s\n", b.jobs, j.Title())
	}
}

func (b *bars) Train(j *bench.Job, step, of int, rate float64) {
	b.show("train", j, int64(step), int64(of), fmt.Sprintf("%.0f samples/s", rate))
}

func (b *bars) Predict(j *bench.Job, predictor string, k, of int) {
	b.show("predict "+predictor, j, int64(k), int64(of), fmt.Sprintf("sample %d of %d", k, of))
}

func (b *bars) Note(j *bench.Job, text string) {
	b.clear()
	fmt.Fprintf(b.w, "[%s] %s: %s\n", b.jobs, j.Title(), cli.Plain(text))
}

func (b *bars) End(j *bench.Job, o bench.Outcome) {
	b.clear()
	if o.Failed != nil {
		fmt.Fprintf(b.w, "[%s] %s: FAILED: %s\n", b.jobs, j.Title(), cli.Plain(o.Failed.Error()))
		return
	}
	// The last predictive line of the first predictor is the job's headline.
	headline := ""
	for _, r := range o.Records {
		e, ok1 := r.Value("error")
		nll, ok2 := r.Value("nll")
		if ok1 && ok2 && (headline == "" || r.Sweep[len(r.Sweep)-1].Value == firstPredictor(o)) {
			headline = fmt.Sprintf("error %.2f %%, NLL %.4f at K=%d", 100*e, nll, r.Samples)
		}
	}
	fmt.Fprintf(b.w, "[%s] %s: %s, %s\n", b.jobs, j.Title(), headline, o.Elapsed.Round(100*time.Millisecond))
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
func (b *bars) fetch(what string, done, total int64) { b.show(what, nil, done, total, "") }

// show moves the bar, or makes a new one where something else is counted now.
func (b *bars) show(what string, j *bench.Job, done, total int64, rate string) {
	jobs := ""
	if b.jobs != "" { // not of what precedes the first
		jobs = "[" + b.jobs + "] "
	}
	title := what
	if j != nil {
		title = j.Title() + " " + what
	}
	another := b.what != title
	if another {
		b.what, b.from, b.began = title, done, time.Now()
	}
	if !b.terminal {
		if time.Since(b.said) >= lineEvery {
			b.said = time.Now()
			eta := ""
			if done > b.from && total > done && j != nil {
				eta = fmt.Sprintf(", %s left", remaining(time.Since(b.began), done-b.from, total-done).Round(time.Second))
			}
			fmt.Fprintf(b.w, "%s%s %d/%d %s%s\n", jobs, what, done, total, rate, eta)
		}
		return
	}
	if b.bar == nil || another {
		b.clear()
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	b.bar.Describe(fmt.Sprintf("%s%s %s", jobs, title, rate))
	b.bar.Set64(done)
}

// remaining is how long so many steps will take, at the speed of those done in
// the time elapsed.
func remaining(elapsed time.Duration, done, left int64) time.Duration {
	return time.Duration(float64(elapsed) / float64(done) * float64(left))
}

func (b *bars) clear() {
	if b.bar != nil {
		b.bar.Clear()
		b.bar = nil
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-runewidth"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/suites"
)

// screen is what stands in the lines of a terminal of so many columns after it
// was sent the text; a line that is too long goes on in the next.
func screen(text string, columns int) []string {
	lines := [][]rune{{}}
	at := 0
	for _, r := range text {
		switch {
		case r == '\r':
			at = 0
			continue
		case r == '\n':
			lines, at = append(lines, []rune{}), 0
			continue
		}
		n := runewidth.RuneWidth(r)
		if n == 0 { // joins the one before
			continue
		}
		if at+n > columns {
			lines, at = append(lines, []rune{}), 0
		}
		last := &lines[len(lines)-1]
		for len(*last) < at+n {
			*last = append(*last, ' ')
		}
		(*last)[at] = r
		if n == 2 {
			(*last)[at+1] = 0
		}
		at += n
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimRight(strings.ReplaceAll(string(l), "\x00", ""), " ")
	}
	return out
}

func labelled(label string, seed uint32) *bench.Job {
	j := &bench.Job{Config: suites.Config{Model: suites.Model{Name: "lenet-300-100"}, Backend: "gonum", Seed: seed, Data: suites.Data{Name: "mnist"}}, FLOPs: 4e9, TrainFLOPs: 3e9}
	s, err := suites.Parse(bench.Words(), "x", []byte("name = 'x'\nmodel = 'm'\n[data]\nname = 'd'\n[[method]]\nname = 'ffg'\nlabel = '"+label+"'\n"), nil)
	if err != nil {
		panic(err)
	}
	j.Config.Method = s.Jobs[0].Method
	return j
}

// Whatever the label and the terminal's width, what goes on stands on one line,
// with the rate and both times.
func TestProgressFitsTheTerminal(t *testing.T) {
	for _, label := range []string{
		"ffg", "ensemble(fully-factorised-gaussian-with-swept-keys train.lr=0.001 method.prior_sigma=0.1)",
		"学習率の異なる変分推論手法のラベルはとても長いのでここで切られる", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301",
	} {
		for _, columns := range []int{20, 40, 41, 57, 80, 120, 200} {
			t.Run(fmt.Sprintf("%d %.20s", columns, label), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var out strings.Builder
					b := newBars(&out)
					b.columns = func() int { return columns }
					jobs := []*bench.Job{labelled(label, 7), labelled(label, 8)}
					b.suite.expect(jobs, func(string) bool { return false })
					b.Begin(jobs[0], 1, 2)
					for step := range 50 {
						b.Train(jobs[0], step+1, 100, 20123)
						time.Sleep(2 * time.Second)
						if lines := screen(out.String(), columns); len(lines) != 1 {
							t.Fatalf("step %d: %d lines:\n%s", step, len(lines), strings.Join(lines, "\n"))
						}
					}
					line := screen(out.String(), columns)[0]
					// 49 steps, 1.47e9 FLOPs, took 98 s; 50 steps and 6.5e9 FLOPs are left.
					for _, want := range []string{"[1/2]", "50", "1m40s", "7m13s"} {
						if columns >= 40 && !strings.Contains(line, want) {
							t.Errorf("%q lacks %q", line, want)
						}
					}
					if columns >= 40 && !strings.Contains(line, "20123 samples/s") && !strings.Contains(line, "20.1k/s") {
						t.Errorf("%q lacks the rate", line)
					}
					if columns >= 80 && (!strings.HasPrefix(line, "[1/2] mnist ") || !strings.Contains(line, "seed 7 train ")) {
						t.Errorf("%q does not begin and end with the title", line)
					}
					for k := range 4 {
						b.Predict(jobs[0], "sample", k+1, 4)
						time.Sleep(time.Second)
					}
					if lines := screen(out.String(), columns); len(lines) != 1 {
						t.Fatalf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
					}
					b.End(jobs[0], bench.Outcome{})
					if lines := screen(out.String(), 10_000); len(lines) != 2 || strings.Contains(lines[0], "predict") || lines[1] != "" {
						t.Errorf("after the job: %q", lines)
					}
				})
			})
		}
	}
}

// The suite's time goes by what this process did: neither what was done before
// it nor what another process finishes makes it look faster.
func TestForecast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := []*bench.Job{{ID: "done", FLOPs: 1e9}, {ID: "a", FLOPs: 100}, {ID: "b", FLOPs: 100}, {ID: "c", FLOPs: 300}}
		var f forecast
		f.expect(jobs, func(id string) bool { return id == "done" })
		if got := f.left(); got != 0 {
			t.Errorf("before anything: %s", got)
		}
		f.begin(jobs[1])
		f.reached(60) // by the process before
		time.Sleep(10 * time.Second)
		f.reached(80)
		if got, want := f.left(), 210*time.Second; got != want { // 420 at 2 a second
			t.Errorf("in the first job: %s, want %s", got, want)
		}
		f.reached(70) // a second predictor begins
		f.reached(75)
		if got, want := f.left(), 210*time.Second; got != want {
			t.Errorf("a report of less: %s, want %s", got, want)
		}
		time.Sleep(10 * time.Second)
		f.end(true)
		f.begin(jobs[2])
		f.begin(jobs[3])                                         // another process has finished b
		if got, want := f.left(), 150*time.Second; got != want { // 300 at 40 in 20 seconds
			t.Errorf("in the third job: %s, want %s", got, want)
		}
		f.end(false)
		if got := f.left(); got != 0 {
			t.Errorf("at the end: %s", got)
		}
	})
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1s", 59 * time.Second: "59s", 130 * time.Second: "2m10s", 59 * time.Minute: "59m", 65 * time.Minute: "1h05m",
		50 * time.Hour: "2d02h", atMost(1e300): ">999d", remaining(time.Hour, 1, 1<<62): ">999d",
	} {
		if got := brief(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
)

// The time left is reckoned from the steps of this process and of what is done
// now: neither what a resumed job had done before nor its training, when it
// predicts, counts.
func TestTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		b, j := newBars(&out), &bench.Job{}
		b.Begin(j, 1, 1)
		b.Train(j, 24_000, 120_000, 1000)
		time.Sleep(20 * time.Second)
		b.Train(j, 24_200, 120_000, 1000)
		time.Sleep(time.Hour)
		b.Predict(j, "mean", 1, 5)
		time.Sleep(10 * time.Second)
		b.Predict(j, "mean", 3, 5)
		lines := strings.Split(out.String(), "\n")
		for i, want := range map[int]string{
			1: "[1/1] train 24200/120000 1000 samples/s, 2h39m40s left",
			2: "[1/1] predict mean 1/5 sample 1 of 5",
			3: "[1/1] predict mean 3/5 sample 3 of 5, 10s left",
		} {
			if i >= len(lines) || lines[i] != want {
				t.Errorf("line %d of %q: want %q", i, lines, want)
			}
		}
	})
}

// A job's headline follows from its kind of prediction.
func TestHeadline(t *testing.T) {
	for want, values := range map[string][]results.Value{
		"error 1.98 %, NLL 0.0642 at K=8": {{Unit: "accuracy", Value: 0.9802}, {Unit: "error", Value: 0.0198}, {Unit: "nll", Value: 0.06421}},
		"RMSE 2.904, NLL 2.4020 at K=8":   {{Unit: "rmse", Value: 2.9041}, {Unit: "nll", Value: 2.402}, {Unit: "crps", Value: 1.7}},
		"RMSE 2.904, CRPS 1.7 at K=8":     {{Unit: "rmse", Value: 2.9041}, {Unit: "crps", Value: 1.7}},
		"":                                {{Unit: "nll", Value: 1}},
	} {
		if got := headlineOf(&results.Record{Samples: 8, Values: values}); got != want {
			t.Errorf("headline %q, want %q", got, want)
		}
	}
}

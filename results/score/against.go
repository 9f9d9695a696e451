package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"bayesbench/backends/rng"
	"bayesbench/results/metrics"
	"bayesbench/results/stats"
)

// Against compares the predictions with others of the same inputs, point by
// point. It speaks of these two sets of predictions and this test set, not of
// training again: that takes seeds, and benchstat-report.
type Against struct {
	Samples     int          `json:"samples"` // K of the others
	Differences []Difference `json:"differences"`
}

// Difference is the mean over test points of ours minus theirs in a loss,
// with its bootstrap interval over resampled points.
type Difference struct {
	Unit  string  `json:"unit"` // error, nll or brier_sum
	Delta float64 `json:"delta"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
	P     float64 `json:"p"`
	Test  string  `json:"test"` // McNemar's exact test for error, paired bootstrap for the others
}

// confidence is that of the intervals of [Difference].
const confidence = 0.95

// key draws the bootstrap's resamples: the same files give the same interval.
var key = rng.Key{}

// compare scores the differences of two evaluations on the same labels.
func compare(ours, theirs *metrics.Evaluation) (*Against, error) {
	a, b := pointLosses(ours), pointLosses(theirs)
	against := &Against{Samples: theirs.K}
	for i, unit := range []string{"error", "nll", "brier_sum"} {
		first, second := byDifference(a[i], b[i])
		test, interval, err := stats.PairedBootstrap(first, second, confidence, stats.Replicates, key)
		if err != nil {
			return nil, err
		}
		if unit == "error" {
			if test, err = stats.McNemar(right(ours), right(theirs)); err != nil {
				return nil, err
			}
		}
		against.Differences = append(against.Differences, Difference{unit, interval.Center, interval.Lo, interval.Hi, test.P, test.Name})
	}
	return against, nil
}

// byDifference returns the pairs of losses, the smallest a−b first, so that the
// bootstrap draws the same differences in whatever order the points came.
func byDifference(a, b []float64) (first, second []float64) {
	order := make([]int, len(a))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(a[i]-b[i], a[j]-b[j]) })
	first, second = make([]float64, len(a)), make([]float64, len(a))
	for at, i := range order {
		first[at], second[at] = a[i], b[i]
	}
	return first, second
}

func right(e *metrics.Evaluation) []bool {
	right := make([]bool, e.N)
	for n, y := range e.Labels {
		right[n] = e.Predicted[n] == y
	}
	return right
}

// pointLosses are the error, the NLL and the Brier score of each point; their
// means are the metrics of those names.
func pointLosses(e *metrics.Evaluation) [3][]float64 {
	var losses [3][]float64
	for i := range losses {
		losses[i] = make([]float64, e.N)
	}
	for n, y := range e.Labels {
		if e.Predicted[n] != y {
			losses[0][n] = 1
		}
		losses[1][n] = -e.LogLikelihood(n)
		for c := range e.C {
			d := e.P[n*e.C+c]
			if c == y {
				d--
			}
			losses[2][n] += d * d
		}
	}
	return losses
}

// lines are the comparison for people.
func (a *Against) lines() []string {
	lines := []string{fmt.Sprintf("Against the other predictions (%d posterior samples), ours minus theirs on the same test points:", a.Samples)}
	for _, d := range a.Differences {
		lines = append(lines, fmt.Sprintf("  %-9s  %s  [%s, %s]  p = %.3g, %s", d.Unit, signed(d.Delta), signed(d.Lo), signed(d.Hi), d.P, d.Test))
	}
	return append(lines, fmt.Sprintf("Intervals hold %g %% of %d bootstrap replicates over test points; another training would differ by more.", 100*confidence, stats.Replicates))
}

func signed(v float64) string {
	if math.Abs(v) < 5e-8 {
		return "0"
	}
	return fmt.Sprintf("%+.4g", v)
}

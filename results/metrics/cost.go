package metrics

import (
	"fmt"
	"math"
	"slices"
)

func init() {
	register(Cost,
		Metric{Unit: "train-samples/s", Better: Higher, Short: "training examples a second, warm-up left out"},
		Metric{Unit: "predict-samples/s", Better: Higher, Short: "K × examples a second of prediction; a pass counts as its median batch times their number"},
		Metric{Unit: "predict-sec/example", Better: Lower, Short: "time to predict one example with K samples"},
		Metric{Unit: "predict-relative", Better: None, Short: "predict-sec/example over that of the first sample alone"},
		Metric{Unit: "time_to_accuracy-sec", Better: Lower, Short: "time from the first touch of data until the target accuracy"},
		Metric{Unit: "peak-B", Better: Lower, Short: "peak memory of the process"},
		Metric{Unit: "energy-J/example", Better: Lower, Short: "energy per training example by the machine's counters; absent where unreadable"},
		Metric{Unit: "ess_bulk/s", Better: Higher, Short: "ess_bulk a second of training, burn-in included"},
	)
}

// MLPerfTime aggregates times to a target as MLPerf Training does: the fastest
// and the slowest run are dropped and the others averaged. A run that missed
// the target is +Inf and counts as slowest; a second one makes the result
// invalid. Vision tasks take 5 runs, language and reinforcement learning 10.
func MLPerfTime(seconds []float64) (float64, error) {
	if len(seconds) < 3 {
		return 0, fmt.Errorf("metrics: time to accuracy needs at least 3 runs, got %d", len(seconds))
	}
	sorted := slices.Sorted(slices.Values(seconds))
	kept := sorted[1 : len(sorted)-1]
	if math.IsInf(kept[len(kept)-1], 1) {
		return 0, fmt.Errorf("metrics: more than one of %d runs missed the target", len(seconds))
	}
	return average(kept), nil
}

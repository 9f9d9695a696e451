package metrics

import "bayesbench/results"

func init() {
	register(Cost,
		Metric{Unit: "train-samples/s", Better: results.Higher, Short: "training examples a second, warm-up left out"},
		Metric{Unit: "predict-samples/s", Better: results.Higher, Short: "K × examples a second of prediction; a pass counts as its median batch times their number"},
		Metric{Unit: "predict-sec/example", Better: results.Lower, Short: "time to predict one example with K samples"},
		Metric{Unit: "predict-relative", Better: results.Neither, Short: "predict-sec/example over that of the first sample alone"},
		Metric{Unit: "time_to_accuracy-sec", Better: results.Lower, Short: "time from the first touch of data until the target accuracy"},
		Metric{Unit: "peak-B", Better: results.Lower, Short: "peak memory of the process"},
		Metric{Unit: "program-sec", Better: results.Lower, Short: "wall time of another program, from its start to its end, training and prediction, over all resumes"},
		Metric{Unit: "program-cpu-sec", Better: results.Lower, Short: "processor time of another program and of the processes that it waited for, over all resumes"},
		Metric{Unit: "energy-J/example", Better: results.Lower, Short: "energy per training example by the machine's counters; absent where unreadable"},
		Metric{Unit: "ess_bulk/s", Better: results.Higher, Short: "ess_bulk a second of training, burn-in included"},
	)
}

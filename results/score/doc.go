// Package score scores predictions made anywhere: numpy arrays of
// probabilities, log-probabilities or logits and their labels, by the metrics
// of bayesbench/results/metrics. The arrays are streamed, one posterior sample
// after another, in memory that depends on inputs and classes but not on the
// number of samples. [Score] reads and computes, [Result] prints itself as
// text, JSON or Go benchmark lines. npy.go holds the reader of the .npy format.
package score

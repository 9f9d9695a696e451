// Package score scores predictions made anywhere by the metrics of
// bayesbench/results/metrics: numpy arrays of probabilities, log-probabilities or
// logits and their labels ([Score]), or of means and variances, or draws, of numbers
// and their targets ([ScoreNumbers]). The arrays are streamed, one posterior sample
// after another, in memory that depends on inputs and classes but, draws of numbers
// aside, not on the number of samples. [Result] and [NumberResult] print themselves as
// text, JSON or Go benchmark lines. stack.go reads their arrays, sample by sample.
package score

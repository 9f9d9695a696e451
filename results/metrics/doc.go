// Package metrics turns a stream of log-probability matrices, one [N,C] matrix
// per posterior sample, into every number the tables show. A [Predictive] takes
// the stream and keeps O(N·C) sums however many samples come; its Evaluate
// gives an [Evaluation] at the present number K of samples; Score computes the
// registered metrics of a [Family] from one or two evaluations. [List] names
// all of them with unit, direction and convention. One file holds one family of
// metrics and registers it, so a new metric is one new file and its test.
//
// Conventions that hold throughout: the predictive is the mean of the members'
// probabilities (not of their logits); argmax ties go to the lowest class;
// logarithms are natural; a probability inside a logarithm is floored at 1e-12
// where it is that of the label; means are over all N inputs in float64. A
// metric that is not defined on its input (mutual information of one sample)
// is NaN and left out of the scores.
//
// No score depends on the order of the inputs, of the samples, or on how the
// stream is cut. What sorts inputs takes the expectation over the orders of
// those that tie, and ranks by logarithms, which keep what probabilities next
// to 0 and 1 lose.
package metrics

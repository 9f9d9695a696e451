// Package metrics turns a stream of predictions, one matrix per posterior
// sample, into every number the tables show. There are three kinds of prediction
// ([Kind]): [Predictive] takes log-probabilities of classes [N,C], [Gaussian]
// means and variances of numbers [N,D], [Samples] draws of numbers [N,D]. The
// first two keep sums however many samples come; Evaluate gives an evaluation at
// the present number K of samples; Score computes the registered metrics of a
// [Family] from one or two evaluations. [List] names all of them with unit,
// direction and convention. One file holds one family of metrics and registers
// it, so a new metric is one new file and its test.
//
// What kinds share has one unit: rmse, nll, crps, picp95 and others are those of
// the predictive itself, whatever it is, and a unit that ends in -gaussian is
// that of the Gaussian with the predictive's mean and variance. Numbers are in
// the unit of the targets, never standardised.
//
// Conventions of classes: the predictive is the mean of the members'
// probabilities (not of their logits); argmax ties go to the lowest class;
// a probability inside a logarithm is floored at 1e-12 where it is that of the
// label. Of all kinds: logarithms are natural; means are over all N inputs in float64. A
// metric that is not defined on its input (mutual information of one sample)
// is NaN and left out of the scores.
//
// No score depends on the order of the inputs, of the samples, or on how the
// stream is cut. What sorts inputs takes the expectation over the orders of
// those that tie, and ranks by logarithms, which keep what probabilities next
// to 0 and 1 lose.
package metrics

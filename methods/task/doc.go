// Package task says what is learnt: what an example is, and by [Likelihood] what is said of it. A
// likelihood is the distribution p(y | f) of the target y given the outputs f of a network's last
// layer. It is the only place that knows what the outputs mean: that they are the logits of a
// softmax, or a mean and a log variance. Networks, methods and backends do not.
//
// Each likelihood stands in a file of its own and registers itself there.
// docs/adding-a-likelihood.md says what a new one must bring.
package task

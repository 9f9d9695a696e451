// Package nn holds the networks and the layers they are made of. A [Model] is
// written once, against [Layers]; a method supplies its own layers (a point
// estimate, dropout, a Gaussian or a sparse posterior over the weights) and so
// turns every model into its own kind of Bayesian network.
package nn

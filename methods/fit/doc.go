// Package fit builds the programs that most methods share: the objective of a
// network under a method's layers, a stage that minimises it, the predictors.
// A method that trains by gradients says which layers, which penalty or KL and
// which optimiser; the rest is here.
package fit

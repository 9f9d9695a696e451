// Package optim builds the update of a step program: optimisers, and the
// schedules of learning rates and KL weights. An optimiser reads gradients and
// writes the next value of each parameter and of its own slots into an
// nn.Scope; each stands in a file of its own with its equation and source.
package optim

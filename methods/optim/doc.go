// Package optim builds the update of a step program. An optimiser reads gradients
// and writes the next value of each parameter and of its own slots into an
// nn.Scope; each stands in a file of its own with its equation and source.
package optim

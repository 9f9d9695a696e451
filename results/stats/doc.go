// Package stats answers whether a difference between two results is real. Two
// sources of error are kept apart: that of training, seen over seeds (paired.go
// on differences paired by seed, unpaired.go where seeds do not match), and
// that of the finite test set, seen over test points (points.go). multiple.go
// corrects for many comparisons, equivalence.go compares with published
// numbers, aggregate.go sums up over data sets, summary.go says what a ±
// means. Where data are too few for a test to ever reach the level asked for,
// the result carries a warning in place of a verdict. All resampling draws from
// a key of bayesbench/backends/rng and is the same on every machine.
package stats

// Package methodtest holds methods to what all of them must satisfy. [Check]
// does it for one method under given keys, on a tiny problem and any backend;
// the package's own test does it for every registered one, and trains each on
// every backend to see by [Same] that they agree. [Fit] trains on examples in
// order, for the tests of methods against known answers. It runs plans by
// methods/exec, as benchmarks do.
package methodtest

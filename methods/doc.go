// Package methods is what an approximate posterior is to bayesbench: a
// [Method] turns a model into a [Plan], plain data that says which state to
// keep, which step programs to run for how long under which schedules, and
// which program draws one posterior sample's prediction. A method owns no
// loop, no clock and no data set: methods/exec runs plans, and nothing else does.
// Each method lives in a package below this one and registers itself under a name.
// The networks and layers stand in methods/nn, and methods/methodtest holds
// every registered method to what all of them must satisfy.
package methods

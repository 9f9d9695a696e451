// Package exec runs plans. It is the only place that knows how a [methods.Plan]
// becomes buffers and steps: the state of a plan from a seed or from stored
// values ([State]), its programs bound to that state ([Program]), the steps of a
// stage ([Stage]), and the draws of the posterior predictive ([Stream]).
//
// Package exec owns no data set, no clock and no file. A caller gives batches by
// a [Feed], and keeps what it wants of the values that come back. The harness,
// the tests of methods, and the comparison with other libraries all train and
// predict through it.
package exec

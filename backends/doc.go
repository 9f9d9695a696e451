// Package backends is what a harness needs of a compute library: compile an
// [ir.Program] and run it on buffers that stay where the backend keeps them.
// Each backend lives in a package below this one and registers itself under a
// name; importing it is all that is needed to have it. What an op computes is
// defined by backends/ref, and backends/backendtest holds every backend to it.
package backends

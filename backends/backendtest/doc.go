// Package backendtest holds every backend to the definitions of backends/ref.
// A backend's tests are three calls:
//
//	func TestConformance(t *testing.T)      { backendtest.Run(t, open) }
//	func FuzzConformance(f *testing.F)      { backendtest.Fuzz(f, open) }
//	func BenchmarkConformance(b *testing.B) { backendtest.Bench(b, open) }
//
// [Cases] are single programs with arguments, each with the tolerance within
// which float32 must agree and the reason for it. [RandomProgram] makes more of
// them from a seed. Trajectories train small networks for forty steps. Contract
// checks hold the rules of the Backend interface itself. A backend that lacks
// an op fails; nothing is skipped.
//
// Read run.go for what is asked of every case, and the file named after a class
// of ops (elementwise.go, shape.go, …) to add one.
package backendtest

// Package ref is the definition of what every op of package ir computes, as a
// slow interpreter in float64: [Eval] for tests that need more digits than
// float32 has, and the backend "ref" that other backends are compared with.
// It never rounds to float32 within a program; the backend rounds at Read.
// Where a result would follow from a rounding (a comparison, Sign or Floor of
// values that differ in the last bit), backends may differ from it.
//
// Read elementwise.go, shape.go, contract.go, noise.go and composite.go for
// the ops, eval.go for the loop over a program.
package ref

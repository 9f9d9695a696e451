// Command gen writes the assembly of package kernel with avo. It is a module
// of its own so that the program does not depend on avo:
//
//	cd backends/gonum/kernel/gen && go run . -out ../asm_amd64.s -stubs ../asm_amd64.go -pkg kernel
//
// main.go lists what is generated; vec.go holds the loop over a slice that the
// elementwise kernels share; each other file holds the kernels it is named for.
package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("amd64,!noasm")
	laneMaskData()
	gemm()
	dots()
	transposes()
	elementwises(avx2)
	elementwises(avx512)
	reductions()
	laneData()
	noises()
	pools()
	winograds(avx2)
	winograds(avx512)
	copies()
	prefetch()
	Generate()
}

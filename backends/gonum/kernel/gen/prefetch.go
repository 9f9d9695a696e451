package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// prefetch writes prefetch(x []float32): every cache line of x is asked for.
func prefetch() {
	TEXT("prefetchLines", NOSPLIT, "func(x []float32)")
	Pragma("noescape")
	x := Load(Param("x").Base(), GP64())
	n := Load(Param("x").Len(), GP64())
	SUBQ(U32(16), n)
	JL(LabelRef("done"))
	Label("loop")
	PREFETCHT1(Mem{Base: x})
	ADDQ(U32(64), x)
	SUBQ(U32(16), n)
	JGE(LabelRef("loop"))
	Label("done")
	RET()
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gemm writes the register tiles of the matrix product, one function for each
// height up to the largest and each width in vectors.
func gemm() {
	for h := 1; h <= 6; h++ {
		for w := 1; w <= 2; w++ {
			gemmTile(avx2, h, w)
		}
	}
	for h := 1; h <= 14; h++ {
		for w := 1; w <= 2; w++ {
			gemmTile(avx512, h, w)
		}
	}
}

// gemmTile writes the tile of h rows and w vectors. Every accumulator is one
// chain of fused multiply-adds in the order of k, so that the bits of a result
// depend neither on the shape of its tile nor on its place in it.
func gemmTile(i isa, h, w int) {
	TEXT(fmt.Sprintf("tile%s_%dx%d", i.name, h, w*i.lanes), NOSPLIT, "func(k int, a, b, c *float32, ldc, cols, accumulate int)")
	Pragma("noescape")
	k := Load(Param("k"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	SHLQ(Imm(2), ldc)

	acc := make([][]reg.VecVirtual, h)
	row := GP64()
	MOVQ(c, row)
	for r := range acc {
		PREFETCHT0(Mem{Base: row})
		if w*i.lanes > 16 {
			PREFETCHT0(Mem{Base: row, Disp: 64})
		}
		if r+1 < h {
			ADDQ(ldc, row)
		}
		for range w {
			v := i.vec()
			i.zero(v)
			acc[r] = append(acc[r], v)
		}
	}
	bv := make([]reg.VecVirtual, w)
	for j := range bv {
		bv[j] = i.vec()
	}
	av := []reg.VecVirtual{i.vec(), i.vec()}
	step := func(n int) {
		for j := range bv {
			VMOVUPS(Mem{Base: b, Disp: (n*w + j) * i.lanes * 4}, bv[j])
		}
		for r := range acc {
			VBROADCASTSS(Mem{Base: a, Disp: (n*h + r) * 4}, av[r%2])
			for j := range bv {
				VFMADD231PS(av[r%2], bv[j], acc[r][j])
			}
		}
	}
	advance := func(n int) {
		ADDQ(U32(n*h*4), a)
		ADDQ(U32(n*w*i.lanes*4), b)
	}
	const unroll = 4
	SUBQ(U32(unroll), k)
	JL(LabelRef("rest"))
	Label("loop")
	for n := range unroll {
		step(n)
	}
	advance(unroll)
	SUBQ(U32(unroll), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(unroll), k)
	JZ(LabelRef("store"))
	Label("one")
	step(0)
	advance(1)
	DECQ(k)
	JNZ(LabelRef("one"))

	Label("store")
	cols := Load(Param("cols"), GP64())
	accumulate := Load(Param("accumulate"), GP64())
	CMPQ(cols, U32(w*i.lanes))
	JNE(LabelRef("partial"))
	TESTQ(accumulate, accumulate)
	JZ(LabelRef("set"))
	eachRow := func(f func(r, j int, at Mem)) {
		for r := range acc {
			for j := range bv {
				f(r, j, Mem{Base: c, Disp: j * i.lanes * 4})
			}
			if r+1 < h {
				ADDQ(ldc, c)
			}
		}
		VZEROUPPER()
		RET()
	}
	eachRow(func(r, j int, at Mem) {
		VADDPS(at, acc[r][j], acc[r][j])
		VMOVUPS(acc[r][j], at)
	})
	Label("set")
	eachRow(func(r, j int, at Mem) { VMOVUPS(acc[r][j], at) })

	Label("partial")
	masks := make([]mask, w)
	for j := range masks {
		masks[j] = i.maskOf(cols, w, j, bv[j])
	}
	TESTQ(accumulate, accumulate)
	JZ(LabelRef("setpartial"))
	eachRow(func(r, j int, at Mem) {
		masks[j].load(at, av[0])
		VADDPS(av[0], acc[r][j], acc[r][j])
		masks[j].store(acc[r][j], at)
	})
	Label("setpartial")
	eachRow(func(r, j int, at Mem) { masks[j].store(acc[r][j], at) })
}

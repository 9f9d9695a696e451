package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gemm writes the register tiles of matrix products and convolutions, one
// function for each height up to the largest and each width.
func gemm() {
	for h := 1; h <= 6; h++ {
		gemmTile(avx2, h, 1)
		gemmTile(avx2, h, 2)
	}
	for h := 1; h <= 14; h++ {
		gemmTile(avx512half, h, 1)
		gemmTile(avx512, h, 1)
		gemmTile(avx512, h, 2)
	}
}

// gemmTile writes the tile of h rows and w vectors:
//
//	c[r·ldc+j] (+)= Σ a[r + …]·b[j + …]   for r < h, j < cols ≤ w·lanes
//
// over segments of k terms each; a term is astep floats of a and bstep of b
// after the one before, and a segment askip and bskip further. Every
// accumulator is one chain of fused multiply-adds in that order, so that the
// bits of a result depend neither on the shape of its tile nor on its place in
// it.
func gemmTile(i isa, h, w int) {
	TEXT(fmt.Sprintf("tile%s_%dx%d", i.name, h, w*i.lanes), NOSPLIT,
		"func(k, segments int, a, b, c []float32, astep, bstep, askip, bskip, ldc, cols, accumulate int)")
	Pragma("noescape")
	steps := Load(Param("k"), GP64())
	segments := Load(Param("segments"), GP64())
	a := Load(Param("a").Base(), GP64())
	b := Load(Param("b").Base(), GP64())
	c := Load(Param("c").Base(), GP64())
	floats := func(name string) reg.Register {
		r := Load(Param(name), GP64())
		SHLQ(Imm(2), r)
		return r
	}
	astep, bstep, askip, bskip, ldc := floats("astep"), floats("bstep"), floats("askip"), floats("bskip"), floats("ldc")

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
	step := func() {
		for j := range bv {
			VMOVUPS(Mem{Base: b, Disp: j * i.lanes * 4}, bv[j])
		}
		ADDQ(bstep, b)
		for r := range acc {
			VBROADCASTSS(Mem{Base: a, Disp: r * 4}, av[r%2])
			for j := range bv {
				VFMADD231PS(av[r%2], bv[j], acc[r][j])
			}
		}
		ADDQ(astep, a)
	}
	Label("segment")
	k := GP64()
	MOVQ(steps, k)
	SUBQ(U32(2), k)
	JL(LabelRef("rest"))
	Label("loop")
	step()
	step()
	SUBQ(U32(2), k)
	JGE(LabelRef("loop"))
	Label("rest")
	TESTQ(U32(1), k)
	JZ(LabelRef("next"))
	step()
	Label("next")
	ADDQ(askip, a)
	ADDQ(bskip, b)
	DECQ(segments)
	JNZ(LabelRef("segment"))

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

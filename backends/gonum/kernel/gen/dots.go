package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dots writes the products of a few rows with a few others, one function for
// each number of the second, three to five, and of the first, up to what the
// registers hold beside the second and one of the first.
func dots() {
	for _, d := range []struct {
		isa
		registers int
	}{{avx2, 16}, {avx512, 32}} {
		for taps := 3; taps <= 5; taps++ {
			for rows := 1; rows <= min(8, (d.registers-1-taps)/taps); rows++ {
				dotsTile(d.isa, rows, taps)
			}
		}
	}
}

// dotsTile writes, for r < rows, t < taps and lanes l:
//
//	sums[(r·taps+t)·lanes+l] += Σ a[r·lda+i]·b[t·ldb+i]   over i < n, i ≡ l
//
// where every sum is one chain of fused multiply-adds that is added at the end.
func dotsTile(i isa, rows, taps int) {
	TEXT(fmt.Sprintf("dots%s_%dx%d", i.name, rows, taps), NOSPLIT, "func(n int, a, b, sums []float32, lda, ldb int)")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	a := strided(Load(Param("a").Base(), GP64()), Load(Param("lda"), GP64()), rows)
	b := strided(Load(Param("b").Base(), GP64()), Load(Param("ldb"), GP64()), taps)
	sums := Load(Param("sums").Base(), GP64())
	acc := make([][]reg.VecVirtual, rows)
	for r := range acc {
		for range taps {
			v := i.vec()
			i.zero(v)
			acc[r] = append(acc[r], v)
		}
	}
	bv := make([]reg.VecVirtual, taps)
	for t := range bv {
		bv[t] = i.vec()
	}
	av := i.vec()
	multiply := func(loadB, loadA func(at Mem, v reg.VecVirtual)) {
		for t := range bv {
			loadB(b.row(t), bv[t])
		}
		for r := range acc {
			loadA(a.row(r), av)
			for t := range bv {
				VFMADD231PS(av, bv[t], acc[r][t])
			}
		}
	}
	whole := func(at Mem, v reg.VecVirtual) { VMOVUPS(at, v) }

	SUBQ(U32(i.lanes), n)
	JL(LabelRef("rest"))
	Label("loop")
	multiply(whole, whole)
	a.advance(4 * i.lanes)
	b.advance(4 * i.lanes)
	SUBQ(U32(i.lanes), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(i.lanes), n)
	JZ(LabelRef("add"))
	there := i.maskOf(n, 1, 0, av)
	if i.evex {
		multiply(there.load, there.load)
	} else {
		// There is one register for the mask and for a row of a.
		first := true
		multiply(there.load, func(at Mem, v reg.VecVirtual) {
			if !first {
				i.maskOf(n, 1, 0, v)
			}
			first = false
			VMASKMOVPS(at, v, v)
		})
	}
	Label("add")
	for r := range acc {
		for t, v := range acc[r] {
			at := Mem{Base: sums, Disp: 4 * i.lanes * (r*taps + t)}
			VADDPS(at, v, v)
			VMOVUPS(v, at)
		}
	}
	VZEROUPPER()
	RET()
}

// rowsAt addresses up to eight rows that lie a stride apart.
type rowsAt struct {
	first, fifth, stride, triple reg.Register
}

// strided takes the stride in floats.
func strided(base, stride reg.Register, rows int) rowsAt {
	m := rowsAt{first: base, stride: stride}
	SHLQ(Imm(2), stride)
	if rows > 3 {
		m.triple = GP64()
		LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, m.triple)
	}
	if rows > 4 {
		m.fifth = GP64()
		LEAQ(Mem{Base: base, Index: stride, Scale: 4}, m.fifth)
	}
	return m
}

func (m rowsAt) row(r int) Mem {
	at := Mem{Base: m.first}
	if r >= 4 {
		at.Base = m.fifth
	}
	switch r % 4 {
	case 1:
		at.Index, at.Scale = m.stride, 1
	case 2:
		at.Index, at.Scale = m.stride, 2
	case 3:
		at.Index, at.Scale = m.triple, 1
	}
	return at
}

func (m rowsAt) advance(bytes int) {
	ADDQ(U32(bytes), m.first)
	if m.fifth != nil {
		ADDQ(U32(bytes), m.fifth)
	}
}

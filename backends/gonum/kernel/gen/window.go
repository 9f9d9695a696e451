package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pools writes the 2×2 maximum over neighbouring pairs of two rows, and its
// gradient, four windows at a time in interleaved order.
func pools() {
	pairs := GLOBL("pairs", RODATA|NOPTR)
	for n := range 8 {
		DATA(n*4, U32(uint32(n/2)))
	}
	odd := GLOBL("oddLanes", RODATA|NOPTR)
	for n := range 8 {
		DATA(n*4, U32(uint32(-(n % 2))))
	}
	i := avx2

	// either is the maximum, NaN if either is.
	either := func(a, b Op) vec {
		return i.or(i.max(a, b), i.compare(unordered, a, b).v)
	}
	swap := func(v vec) vec {
		s := YMM()
		VPERMILPS(Imm(0xb1), v, s)
		return s
	}

	TEXT("maxPairsAVX2", NOSPLIT, "func(dst, a, b []float32)")
	Doc("maxPairsAVX2 sets dst[i] to the maximum of elements 2i and 2i+1 of a and b.")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	a := Load(Param("a").Base(), GP64())
	b := Load(Param("b").Base(), GP64())
	SUBQ(U32(8), n)
	JL(LabelRef("rest"))
	Label("loop")
	{
		var m [2]vec
		for j := range m {
			x, y := YMM(), YMM()
			VMOVUPS(Mem{Base: a, Disp: 32 * j}, x)
			VMOVUPS(Mem{Base: b, Disp: 32 * j}, y)
			m[j] = either(x, y)
		}
		even, uneven := YMM(), YMM()
		VSHUFPS(Imm(0x88), m[1], m[0], even)
		VSHUFPS(Imm(0xdd), m[1], m[0], uneven)
		v := either(even, uneven)
		VPERMPD(Imm(0xd8), v, v)
		VMOVUPS(v, Mem{Base: dst})
	}
	ADDQ(U32(64), a)
	ADDQ(U32(64), b)
	ADDQ(U32(32), dst)
	SUBQ(U32(8), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(8), n)
	JZ(LabelRef("done"))
	Label("one")
	{
		x, y := XMM(), XMM()
		VMOVSD(Mem{Base: a}, x)
		VMOVSD(Mem{Base: b}, y)
		m := i.vec()
		either2 := func(p, q reg.Register) {
			u := XMM()
			VCMPPS(Imm(unordered), q, p, u)
			VMAXPS(q, p, m.AsX())
			VORPS(u, m.AsX(), m.AsX())
		}
		either2(x, y)
		s := XMM()
		VMOVSHDUP(m.AsX(), s)
		either2(m.AsX(), s)
		VMOVSS(m.AsX(), Mem{Base: dst})
	}
	ADDQ(U32(8), a)
	ADDQ(U32(8), b)
	ADDQ(U32(4), dst)
	DECQ(n)
	JNZ(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()

	TEXT("maxPairsGradAVX2", NOSPLIT, "func(da, db, a, b, g []float32)")
	Doc("maxPairsGradAVX2 gives g[i] to the first maximum among elements 2i and 2i+1 of a, then of b, and 0 to the others.")
	Pragma("noescape")
	da := Load(Param("da").Base(), GP64())
	db := Load(Param("db").Base(), GP64())
	a = Load(Param("a").Base(), GP64())
	b = Load(Param("b").Base(), GP64())
	g := Load(Param("g").Base(), GP64())
	n = Load(Param("g").Len(), GP64())
	index := i.put(pairs)
	step := func(load func(base reg.Register) vec, gv vec, store func(v vec, base reg.Register)) {
		x, y := load(a), load(b)
		m := i.max(x, y)
		m = i.max(m, swap(m))
		isX, isY := i.compare(equal, x, m).v, i.compare(equal, y, m).v
		first := func(is vec) vec {
			even, v := YMM(), YMM()
			VMOVSLDUP(is, even)
			VANDPS(odd, even, even)
			VANDNPS(is, even, v)
			return v
		}
		anyX := i.or(isX, swap(isX))
		inY := YMM()
		VANDNPS(first(isY), anyX, inY)
		store(i.and(first(isX), gv), da)
		store(i.and(inY, gv), db)
	}
	advance := func(bytes int) {
		for _, p := range []reg.Register{a, b, da, db} {
			ADDQ(U32(2*bytes), p)
		}
		ADDQ(U32(bytes), g)
	}
	SUBQ(U32(4), n)
	JL(LabelRef("rest"))
	Label("loop")
	gv := YMM()
	VMOVUPS(Mem{Base: g}, gv.AsX())
	VPERMPS(gv, index, gv)
	step(func(base reg.Register) vec {
		v := YMM()
		VMOVUPS(Mem{Base: base}, v)
		return v
	}, gv, func(v vec, base reg.Register) { VMOVUPS(v, Mem{Base: base}) })
	advance(16)
	SUBQ(U32(4), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(4), n)
	JZ(LabelRef("done"))
	mg := i.maskOf(n, 1, 0, i.vec())
	VMASKMOVPS(Mem{Base: g}, mg.v, gv)
	VPERMPS(gv, index, gv)
	ADDQ(n, n)
	mx := i.maskOf(n, 1, 0, i.vec())
	step(func(base reg.Register) vec {
		v := YMM()
		mx.load(Mem{Base: base}, v)
		return v
	}, gv, func(v vec, base reg.Register) { mx.store(v, Mem{Base: base}) })
	Label("done")
	VZEROUPPER()
	RET()
}

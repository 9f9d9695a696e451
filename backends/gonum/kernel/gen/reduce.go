package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// reductions are written for AVX2 only: they run at the speed of loads.
func reductions() {
	i := avx2
	reduction("sum", []string{"x"}, func(in []Mem, acc vec) { VADDPS(in[0], acc, acc) },
		func(in []vec, m, acc vec) { VADDPS(in[0], acc, acc) })
	reduction("dot", []string{"a", "b"}, func(in []Mem, acc vec) {
		a := i.vec()
		VMOVUPS(in[0], a)
		VFMADD231PS(in[1], a, acc)
	}, func(in []vec, m, acc vec) { VFMADD231PS(in[1], in[0], acc) })
	reduction("sumExp", []string{"x"}, func(in []Mem, acc vec) {
		x := i.vec()
		VMOVUPS(in[0], x)
		VADDPS(i.exp(x), acc, acc)
	}, func(in []vec, m, acc vec) { VADDPS(i.and(i.exp(in[0]), m), acc, acc) })
	maxOf()
}

// reduction writes name(in… []float32) float32 with 32 lanes in four
// registers, joined as joinLanes in reduce.go does. tail gets masked vectors
// and the mask.
func reduction(name string, in []string, body func(in []Mem, acc vec), tail func(in []vec, m, acc vec)) {
	i := avx2
	args := in[0]
	for _, p := range in[1:] {
		args += ", " + p
	}
	TEXT(name+i.name, NOSPLIT, "func("+args+" []float32) float32")
	Pragma("noescape")
	n := Load(Param(in[0]).Len(), GP64())
	base := make([]reg.Register, len(in))
	for j, p := range in {
		base[j] = Load(Param(p).Base(), GP64())
	}
	acc := make([]vec, 4)
	for j := range acc {
		acc[j] = i.vec()
		i.zero(acc[j])
	}
	at := func(v int) []Mem {
		m := make([]Mem, len(in))
		for j := range m {
			m[j] = Mem{Base: base[j], Disp: 32 * v}
		}
		return m
	}
	advance := func(bytes int) {
		for _, b := range base {
			ADDQ(U32(bytes), b)
		}
	}
	SUBQ(U32(32), n)
	JL(LabelRef("rest"))
	Label("loop")
	for j := range acc {
		body(at(j), acc[j])
	}
	advance(128)
	SUBQ(U32(32), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(32), n)
	masked := func(acc []vec) {
		for j := range acc {
			m := i.maskOf(n, 2, j, i.vec())
			x := make([]vec, len(in))
			for k := range x {
				x[k] = i.vec()
				m.load(at(j)[k], x[k])
			}
			tail(x, m.v, acc[j])
		}
	}
	CMPQ(n, U32(16))
	JL(LabelRef("short"))
	body(at(0), acc[0])
	body(at(1), acc[1])
	advance(64)
	SUBQ(U32(16), n)
	masked(acc[2:])
	JMP(LabelRef("join"))
	Label("short")
	masked(acc[:2])
	Label("join")
	VADDPS(acc[2], acc[0], acc[0])
	VADDPS(acc[3], acc[1], acc[1])
	VADDPS(acc[1], acc[0], acc[0])
	fold(acc[0], func(b Op, a, dst vec) { VADDPS(asX(b), asX(a), asX(dst)) })
	VZEROUPPER()
	Store(acc[0].AsX(), ReturnIndex(0))
	RET()
}

func asX(o Op) Op { return o.(reg.Vec).AsX() }

// fold joins the eight lanes of v, the upper half to the lower, into lane 0.
func fold(v vec, f func(b Op, a, dst vec)) {
	t := YMM()
	VEXTRACTF128(Imm(1), v, t.AsX())
	f(t, v, v)
	VPERMILPD(Imm(1), v.AsX(), t.AsX())
	f(t, v, v)
	VMOVSHDUP(v.AsX(), t.AsX())
	f(t, v, v)
}

// maxOf keeps the maximum and, apart, whether a NaN was met.
func maxOf() {
	i := avx2
	TEXT("maxOf"+i.name, NOSPLIT, "func(x []float32) float32")
	Pragma("noescape")
	x := Load(Param("x").Base(), GP64())
	n := Load(Param("x").Len(), GP64())
	low := i.put(bits(0xff800000))
	acc := []vec{i.put(bits(0xff800000)), i.put(bits(0xff800000))}
	nan := i.vec()
	i.zero(nan)
	take := func(v, acc vec) {
		VMAXPS(v, acc, acc)
		VORPS(i.compare(unordered, v, v).v, nan, nan)
	}
	SUBQ(U32(16), n)
	JL(LabelRef("rest"))
	Label("loop")
	for j := range acc {
		v := i.vec()
		VMOVUPS(Mem{Base: x, Disp: 32 * j}, v)
		take(v, acc[j])
	}
	ADDQ(U32(64), x)
	SUBQ(U32(16), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(16), n)
	for j := range acc {
		m := i.maskOf(n, 2, j, i.vec())
		v := i.vec()
		m.load(Mem{Base: x, Disp: 32 * j}, v)
		take(i.pick(choice{v: m.v}, v, low), acc[j])
	}
	VMAXPS(acc[1], acc[0], acc[0])
	fold(acc[0], func(b Op, a, dst vec) { VMAXPS(asX(b), asX(a), asX(dst)) })
	met := GP32()
	VMOVMSKPS(nan, met)
	TESTL(met, met)
	JZ(LabelRef("done"))
	VMOVUPS(bits(0x7fc00000), acc[0])
	Label("done")
	VZEROUPPER()
	Store(acc[0].AsX(), ReturnIndex(0))
	RET()
}

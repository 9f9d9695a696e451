package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// noises writes uniform and normal noise, 32 elements at a time: two groups of
// eight counters. Both sets use 256-bit vectors; AVX-512 brings the rotate.
func noises() {
	for _, name := range []string{"AVX2", "AVX512"} {
		rotate := name == "AVX512"
		noise("uniform"+name, rotate, func(w0, w1 vec) (vec, vec) {
			i := avx2
			unit := func(w vec) vec { return i.mul(i.toFloat(i.shr(w, 8)), f32(1./(1<<24))) }
			return unit(w0), unit(w1)
		})
		noise("normal"+name, rotate, func(w0, w1 vec) (vec, vec) {
			i := avx2
			u1 := i.mul(i.toFloat(i.addInt(i.shr(w0, 8), bits(1))), f32(1./(1<<24)))
			r := i.sqrt(i.mul(i.logCore(u1, nil, nil), f32(-2)))
			u2 := i.mul(i.toFloat(i.shr(w1, 8)), f32(1./(1<<24)))
			sin, cos := i.sincos2pi(u2)
			return i.mul(cos, r), i.mul(sin, r)
		})
	}
}

// noise writes name(dst, k0, k1, c0, c1): for each eight counters from c0 on,
// the two vectors that finish makes of the two words.
func noise(name string, rotate bool, finish func(w0, w1 vec) (vec, vec)) {
	i := avx2
	TEXT(name, NOSPLIT, "func(dst []float32, k0, k1, c0, c1 uint32)")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	k := []reg.Register{Load(Param("k0"), GP32()), Load(Param("k1"), GP32()), GP32()}
	MOVL(k[0], k[2].(reg.GPVirtual))
	XORL(k[1], k[2])
	XORL(U32(0x1BD11BDA), k[2])

	// The keys that are added to x0 and x1 before round 4·j, and the first
	// counters, wait in memory.
	local := AllocLocal(32 * 13)
	slot := func(s int) Mem { m := local; m.Disp += 32 * s; return m }
	spread := func(r reg.Register, s int) {
		x, y := XMM(), YMM()
		VMOVD(r, x)
		VPBROADCASTD(x, y)
		VMOVDQU(y, slot(s))
	}
	for j := range 6 {
		if j > 0 {
			spread(k[j%3], 2*j-1)
			t := GP32()
			MOVL(k[(j+1)%3], t)
			ADDL(U32(j), t)
			spread(t, 2*j)
		}
	}
	c1 := Load(Param("c1"), GP32())
	ADDL(k[1], c1)
	spread(c1, 0)
	c0 := Load(Param("c0"), GP32())
	ADDL(k[0], c0)
	counter := func() vec {
		x, y := XMM(), YMM()
		VMOVD(c0, x)
		VPBROADCASTD(x, y)
		ADDL(U32(8), c0)
		return i.addInt(y, lane)
	}

	rotations := [2][4]uint64{{13, 15, 26, 6}, {17, 29, 16, 24}}
	write := func(v vec, at Mem, _ int) { VMOVUPS(v, at) }
	blocks := func(count int) {
		x0, x1 := make([]vec, count), make([]vec, count)
		for b := range count {
			x0[b] = counter()
			x1[b] = i.put(slot(0))
		}
		for j := range 5 {
			for _, by := range rotations[j%2] {
				for b := range count {
					VPADDD(x1[b], x0[b], x0[b])
					if rotate {
						VPROLD(Imm(by), x1[b], x1[b])
					} else {
						t := i.shl(x1[b], by)
						VPSRLD(Imm(32-by), x1[b], x1[b])
						VPOR(t, x1[b], x1[b])
					}
					VPXOR(x0[b], x1[b], x1[b])
				}
			}
			for b := range count {
				VPADDD(slot(2*j+1), x0[b], x0[b])
				VPADDD(slot(2*j+2), x1[b], x1[b])
			}
		}
		for b := range count {
			first, second := finish(x0[b], x1[b])
			write(first, Mem{Base: dst, Disp: 64 * b}, 0)
			write(second, Mem{Base: dst, Disp: 64*b + 32}, 1)
		}
		ADDQ(U32(64*count), dst)
	}
	const group = 4
	SUBQ(U32(16*group), n)
	JL(LabelRef("rest"))
	Label("loop")
	blocks(group)
	SUBQ(U32(16*group), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(16*(group-1)), n)
	JL(LabelRef("tail"))
	Label("one")
	blocks(1)
	SUBQ(U32(16), n)
	JGE(LabelRef("one"))
	Label("tail")
	ADDQ(U32(16), n)
	JZ(LabelRef("done"))
	write = func(v vec, at Mem, half int) { i.maskOf(n, 2, half, i.vec()).store(v, at) }
	blocks(1)
	Label("done")
	VZEROUPPER()
	RET()
}

// lane is 0, 1, …, 7.
var lane Mem

func laneData() {
	lane = GLOBL("lane", RODATA|NOPTR)
	for n := range 8 {
		DATA(n*4, U32(n))
	}
}

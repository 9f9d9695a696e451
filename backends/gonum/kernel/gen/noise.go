package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// noises writes uniform and normal noise, four vectors of counters at a time.
func noises() {
	for _, i := range []isa{avx2, avx512} {
		noise(i, "uniform", func(w0, w1 vec) (vec, vec) {
			unit := func(w vec) vec { return i.mul(i.toFloat(i.shr(w, 8)), f32(1./(1<<24))) }
			return unit(w0), unit(w1)
		})
		noise(i, "normal", func(w0, w1 vec) (vec, vec) {
			u1 := i.mul(i.toFloat(i.addInt(i.shr(w0, 8), bits(1))), f32(1./(1<<24)))
			r := i.sqrt(i.mul(i.logCore(u1, nil, nil), f32(-2)))
			u2 := i.mul(i.toFloat(i.shr(w1, 8)), f32(1./(1<<24)))
			sin, cos := i.sincos2pi(u2)
			return i.mul(cos, r), i.mul(sin, r)
		})
	}
}

// noise writes name+isa(dst, k0, k1, c0, c1): for each counter from c0 on, what
// finish makes of its two words. Eight counters are a block of 16 elements: the
// first of each, then the second of each.
func noise(i isa, name string, finish func(w0, w1 vec) (vec, vec)) {
	TEXT(name+i.name, NOSPLIT, "func(dst []float32, k0, k1, c0, c1 uint32)")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	k := []reg.Register{Load(Param("k0"), GP32()), Load(Param("k1"), GP32()), GP32()}
	MOVL(k[0], k[2].(reg.GPVirtual))
	XORL(k[1], k[2])
	XORL(U32(0x1BD11BDA), k[2])

	// The keys that are added to x0 and x1 before round 4·j, and the first
	// counters, wait in memory.
	size := 4 * i.lanes
	if i.evex {
		size = 4 // an instruction repeats it
	}
	local := AllocLocal(size * 12)
	slot := func(s int) Mem { m := local; m.Disp += size * s; return m }
	spread := func(r reg.Register) vec {
		x, v := XMM(), i.vec()
		VMOVD(r, x)
		VPBROADCASTD(x, v)
		return v
	}
	put := func(r reg.Register, s int) {
		if i.evex {
			MOVL(r, slot(s))
		} else {
			VMOVDQU(spread(r), slot(s))
		}
	}
	addKey := func(s int, x vec) {
		if i.evex {
			VPADDD_BCST(slot(s), x, x)
		} else {
			VPADDD(slot(s), x, x)
		}
	}
	for j := range 6 {
		if j > 0 {
			put(k[j%3], 2*j-1)
			t := GP32()
			MOVL(k[(j+1)%3], t)
			ADDL(U32(j), t)
			put(t, 2*j)
		}
	}
	c1 := Load(Param("c1"), GP32())
	ADDL(k[1], c1)
	put(c1, 0)
	c0 := Load(Param("c0"), GP32())
	ADDL(k[0], c0)
	counters := func() (x0, x1 vec) {
		x0 = i.addInt(spread(c0), lane)
		ADDL(U32(i.lanes), c0)
		x1 = i.vec()
		if i.evex {
			VPBROADCASTD(slot(0), x1)
		} else {
			VMOVUPS(slot(0), x1)
		}
		return x0, x1
	}

	rotations := [2][4]uint64{{13, 15, 26, 6}, {17, 29, 16, 24}}
	write := func(v vec, at Mem, _ int) { VMOVUPS(v, at) }
	elements := 2 * i.lanes // of a vector of counters
	blocks := func(count int) {
		x0, x1 := make([]vec, count), make([]vec, count)
		for b := range count {
			x0[b], x1[b] = counters()
		}
		for j := range 5 {
			for _, by := range rotations[j%2] {
				for b := range count {
					VPADDD(x1[b], x0[b], x0[b])
					if i.evex {
						VPROLD(Imm(by), x1[b], x1[b])
					} else {
						t := i.shl(x1[b], by)
						VPSRLD(Imm(32-by), x1[b], x1[b])
						VPOR(t, x1[b], x1[b])
					}
					i.xorInt(x0[b], x1[b])
				}
			}
			for b := range count {
				addKey(2*j+1, x0[b])
				addKey(2*j+2, x1[b])
			}
		}
		for b := range count {
			first, second := finish(x0[b], x1[b])
			if i.lanes == 16 {
				low, high := i.vec(), i.vec()
				VSHUFF64X2(Imm(0x44), second, first, low)
				VSHUFF64X2(Imm(0xEE), second, first, high)
				first, second = low, high
			}
			write(first, Mem{Base: dst, Disp: 4 * elements * b}, 0)
			write(second, Mem{Base: dst, Disp: 4*elements*b + 2*elements}, 1)
		}
		ADDQ(U32(4*elements*count), dst)
	}
	const group = 4
	SUBQ(U32(elements*group), n)
	JL(LabelRef("rest"))
	Label("loop")
	blocks(group)
	SUBQ(U32(elements*group), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(elements*(group-1)), n)
	JL(LabelRef("tail"))
	Label("one")
	blocks(1)
	SUBQ(U32(elements), n)
	JGE(LabelRef("one"))
	Label("tail")
	ADDQ(U32(elements), n)
	JZ(LabelRef("done"))
	write = func(v vec, at Mem, half int) { i.maskOf(n, 2, half, i.vec()).store(v, at) }
	blocks(1)
	Label("done")
	VZEROUPPER()
	RET()
}

// lane is 0, 1, …, 15.
var lane Mem

func laneData() {
	lane = GLOBL("lane", RODATA|NOPTR)
	for n := range 16 {
		DATA(n*4, U32(n))
	}
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set: the width of its vectors and how it masks.
type isa struct {
	name  string
	lanes int
	vec   func() reg.VecVirtual
}

var (
	avx2   = isa{"AVX2", 8, YMM}
	avx512 = isa{"AVX512", 16, ZMM}
)

func (i isa) zero(v reg.VecVirtual) {
	if i.lanes == 16 {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

// laneMask is 16 words of ones followed by 16 of zeros: loaded from 4·(16−n)
// bytes on, it masks the first n lanes.
var laneMask Mem

func laneMaskData() {
	laneMask = GLOBL("laneMask", RODATA|NOPTR)
	for n := range 32 {
		v := uint32(0)
		if n < 16 {
			v = 0xffffffff
		}
		DATA(n*4, U32(v))
	}
}

// mask loads and stores the first lanes of a vector only.
type mask struct {
	k reg.OpmaskVirtual // AVX-512
	v reg.VecVirtual    // AVX2
}

// maskOf makes the mask of vector j of w that hold n elements, 0 ≤ n ≤ w·lanes.
// AVX2 keeps it in v.
func (i isa) maskOf(n reg.Register, w, j int, v reg.VecVirtual) mask {
	if i.lanes == 16 {
		bits, k := GP64(), K()
		MOVQ(I64(-1), bits)
		BZHIQ(n, bits, bits)
		if j > 0 {
			SHRQ(Imm(uint64(16*j)), bits)
		}
		KMOVW(bits.As32(), k)
		return mask{k: k}
	}
	at, table := GP64(), GP64()
	LEAQ(laneMask, table)
	MOVQ(U32(16), at)
	SUBQ(n, at)
	VMOVUPS(Mem{Base: table, Index: at, Scale: 4, Disp: 32 * j}, v)
	return mask{v: v}
}

func (m mask) load(at Mem, v reg.VecVirtual) {
	if m.v != nil {
		VMASKMOVPS(at, m.v, v)
	} else {
		VMOVUPS_Z(at, m.k, v)
	}
}

func (m mask) store(v reg.VecVirtual, at Mem) {
	if m.v != nil {
		VMASKMOVPS(v, m.v, at)
	} else {
		VMOVUPS(v, m.k, at)
	}
}

package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set: the width of its vectors and how it masks.
type isa struct {
	name  string
	lanes int
	vec   func() reg.VecVirtual
	evex  bool // comparisons and masks are in mask registers
}

var (
	avx2       = isa{"AVX2", 8, YMM, false}
	avx512     = isa{"AVX512", 16, ZMM, true}
	avx512half = isa{"AVX512", 8, YMM, true} // half-width vectors, for tiles
)

func (i isa) zero(v reg.VecVirtual) {
	if i.evex {
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
	if i.evex {
		bits, k := GP64(), K()
		MOVQ(I64(-1), bits)
		BZHIQ(n, bits, bits)
		if j > 0 {
			SHRQ(Imm(uint64(i.lanes*j)), bits)
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

// constants holds the constants made so far, each repeated to fill a vector.
var constants = map[uint32]Mem{}

// bits is the memory operand whose every lane is b.
func bits(b uint32) Mem {
	if m, ok := constants[b]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("lanes_%08x", b), RODATA|NOPTR)
	for lane := range 16 {
		DATA(4*lane, U32(b))
	}
	constants[b] = m
	return m
}

// f32 is the memory operand whose every lane is v.
func f32(v float64) Mem { return bits(math.Float32bits(float32(v))) }

// put loads a constant into a register.
func (i isa) put(m Mem) reg.VecVirtual {
	v := i.vec()
	VMOVUPS(m, v)
	return v
}

// op2 returns a new register for a two-operand instruction f(b, a, dst), which
// computes a∘b.
func (i isa) op2(f func(ops ...Op), a, b Op) reg.VecVirtual {
	v := i.vec()
	f(b, a, v)
	return v
}

// Arithmetic on vectors. The first operand is a register, the second may be a
// constant.
func (i isa) add(a, b Op) reg.VecVirtual { return i.op2(VADDPS, a, b) }
func (i isa) sub(a, b Op) reg.VecVirtual { return i.op2(VSUBPS, a, b) }
func (i isa) mul(a, b Op) reg.VecVirtual { return i.op2(VMULPS, a, b) }
func (i isa) div(a, b Op) reg.VecVirtual { return i.op2(VDIVPS, a, b) }
func (i isa) and(a, b Op) reg.VecVirtual { return i.op2(VANDPS, a, b) }
func (i isa) or(a, b Op) reg.VecVirtual  { return i.op2(VORPS, a, b) }
func (i isa) xor(a, b Op) reg.VecVirtual { return i.op2(VXORPS, a, b) }

// min and max give b where either operand is NaN.
func (i isa) min(a, b Op) reg.VecVirtual { return i.op2(VMINPS, a, b) }
func (i isa) max(a, b Op) reg.VecVirtual { return i.op2(VMAXPS, a, b) }

func (i isa) sqrt(a Op) reg.VecVirtual {
	v := i.vec()
	VSQRTPS(a, v)
	return v
}

// round rounds to an integer: mode 0 to nearest, 1 down.
func (i isa) round(mode uint64, a Op) reg.VecVirtual {
	v := i.vec()
	if i.evex {
		VRNDSCALEPS(Imm(mode), a, v)
	} else {
		VROUNDPS(Imm(mode), a, v)
	}
	return v
}

// toInt rounds to int32, toFloat converts from it.
func (i isa) toInt(a Op) reg.VecVirtual {
	v := i.vec()
	VCVTPS2DQ(a, v)
	return v
}

func (i isa) toFloat(a Op) reg.VecVirtual {
	v := i.vec()
	VCVTDQ2PS(a, v)
	return v
}

// Integer arithmetic.
func (i isa) addInt(a, b Op) reg.VecVirtual { return i.op2(VPADDD, a, b) }
func (i isa) subInt(a, b Op) reg.VecVirtual { return i.op2(VPSUBD, a, b) }

// xorInt is b ^= a.
func (i isa) xorInt(a, b Op) {
	if i.evex {
		VPXORD(a, b, b)
	} else {
		VPXOR(a, b, b)
	}
}

func (i isa) shl(a Op, n uint64) reg.VecVirtual {
	v := i.vec()
	VPSLLD(Imm(n), a, v)
	return v
}

func (i isa) shr(a Op, n uint64) reg.VecVirtual {
	v := i.vec()
	VPSRLD(Imm(n), a, v)
	return v
}

// sar shifts right and keeps the sign.
func (i isa) sar(a Op, n uint64) reg.VecVirtual {
	v := i.vec()
	VPSRAD(Imm(n), a, v)
	return v
}

// fma computes a·b + c into a's place: c and b may be constants, not both.
func fma(a, b, c Op) {
	if _, constant := c.(Mem); constant {
		VFMADD213PS(c, b, a)
	} else {
		VFMADD132PS(b, c, a)
	}
}

// poly evaluates the polynomial with the coefficients given, highest first.
func (i isa) poly(x reg.VecVirtual, coefficients ...float64) reg.VecVirtual {
	p := i.put(f32(coefficients[0]))
	for _, c := range coefficients[1:] {
		fma(p, x, f32(c))
	}
	return p
}

// Comparison predicates.
const (
	equal     = 0
	less      = 1
	lessEqual = 2
	unordered = 3
	notEqual  = 4
	notLess   = 5
	greater   = 14
)

// choice is the result of a comparison.
type choice struct {
	k reg.OpmaskVirtual
	v reg.VecVirtual
}

func (i isa) compare(predicate uint64, a, b Op) choice {
	if i.evex {
		k := K()
		VCMPPS(Imm(predicate), b, a, k)
		return choice{k: k}
	}
	v := YMM()
	VCMPPS(Imm(predicate), b, a, v)
	return choice{v: v}
}

// pick gives yes where c holds, else no. yes may be a constant.
func (i isa) pick(c choice, yes Op, no reg.VecVirtual) reg.VecVirtual {
	v := i.vec()
	if i.evex {
		VBLENDMPS(yes, no, c.k, v)
	} else {
		VBLENDVPS(c.v, yes, no, v)
	}
	return v
}

// keep gives yes where c holds, else zero.
func (i isa) keep(c choice, yes Op) reg.VecVirtual {
	v := i.vec()
	if i.evex {
		VMOVUPS_Z(yes, c.k, v)
	} else {
		VANDPS(yes, c.v, v)
	}
	return v
}

// odd chooses where the integer q is odd.
func (i isa) odd(q vec) choice {
	if i.evex {
		k := K()
		VPTESTMD(bits(1), q, k)
		return choice{k: k}
	}
	return choice{v: i.shl(q, 31)}
}

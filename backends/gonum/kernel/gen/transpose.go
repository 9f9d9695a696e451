package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transposes writes the transposition of a few rows, 8 columns at a time:
// dst[j·ldd+i] = x[i·ldx+j] for i < rows ≤ 8 and j < cols, a positive multiple
// of 8. The AVX2 form stores 8 floats a column whatever rows is, in the order
// of the columns; the caller sees to it that what is too much is room that is
// written later. The AVX-512 form stores exactly rows.
func transposes() {
	for _, i := range []isa{avx2, avx512} {
		transpose8(i)
	}
	transpose16()
}

func transpose8(set isa) {
	TEXT("transpose8"+set.name, NOSPLIT, "func(dst *float32, ldd int, x *float32, ldx, rows, cols int)")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	ldd := Load(Param("ldd"), GP64())
	x := Load(Param("x"), GP64())
	ldx := Load(Param("ldx"), GP64())
	rows := Load(Param("rows"), GP64())
	cols := Load(Param("cols"), GP64())
	SHLQ(Imm(2), ldd)
	SHLQ(Imm(2), ldx)

	in := make([]reg.VecVirtual, 8)
	for i := range in {
		in[i] = YMM()
	}
	row := GP64()
	pass := func(again string, store func(v reg.VecVirtual, at Mem)) {
		u, v := make([]reg.VecVirtual, 8), make([]reg.VecVirtual, 8)
		for i := range u {
			u[i], v[i] = YMM(), YMM()
		}
		// Pairs of rows interleaved, then fours: v[c] holds column c of each
		// 128-bit half of rows 0-3, v[c+4] of rows 4-7.
		for i := 0; i < 8; i += 2 {
			VUNPCKLPS(in[i+1], in[i], u[i])
			VUNPCKHPS(in[i+1], in[i], u[i+1])
		}
		for half := 0; half < 8; half += 4 {
			VSHUFPS(Imm(0x44), u[half+2], u[half], v[half])
			VSHUFPS(Imm(0xee), u[half+2], u[half], v[half+1])
			VSHUFPS(Imm(0x44), u[half+3], u[half+1], v[half+2])
			VSHUFPS(Imm(0xee), u[half+3], u[half+1], v[half+3])
		}
		for c := range 8 {
			t := YMM()
			if c < 4 {
				VPERM2F128(Imm(0x20), v[c+4], v[c], t)
			} else {
				VPERM2F128(Imm(0x31), v[c], v[c-4], t)
			}
			store(t, Mem{Base: dst})
			ADDQ(ldd, dst)
		}
		ADDQ(Imm(32), x)
		SUBQ(Imm(8), cols)
		JG(LabelRef(again))
		VZEROUPPER()
		RET()
	}
	whole := func(v reg.VecVirtual, at Mem) { VMOVUPS(v, at) }
	CMPQ(rows, Imm(8))
	JL(LabelRef("few"))
	Label("full")
	MOVQ(x, row)
	for i := range in {
		VMOVUPS(Mem{Base: row}, in[i])
		if i < 7 {
			ADDQ(ldx, row)
		}
	}
	pass("full", whole)

	Label("few")
	var k reg.OpmaskVirtual
	if set.evex {
		k = set.maskOf(rows, 1, 0, nil).k
	}
	Label("again")
	MOVQ(x, row)
	for i := range in {
		VMOVUPS(Mem{Base: row}, in[i])
		if i < 7 {
			// Rows that are not there repeat the last.
			next := GP64()
			LEAQ(Mem{Base: row, Index: ldx, Scale: 1}, next)
			CMPQ(rows, U32(i+1))
			CMOVQGT(next, row)
		}
	}
	if set.evex {
		pass("again", func(v reg.VecVirtual, at Mem) { VMOVUPS(v, k, at) })
	} else {
		pass("again", whole)
	}
}

// copies writes the copying of rows of at most cols floats between matrices
// of different strides: AVX2 whole vectors of 8, AVX-512 up to 32 floats.
func copies() {
	TEXT("copyRowsAVX2", NOSPLIT, "func(dst *float32, ldd int, x *float32, ldx, rows, cols int)")
	Pragma("noescape")
	rows, cols, dst, ldd, x, ldx := copyArgs()
	Label("row")
	for _, width := range []int{16, 8} {
		label := map[int]string{16: "eight", 8: "next"}[width]
		CMPQ(cols, U32(width))
		JNE(LabelRef(label))
		for j := 0; j < width; j += 8 {
			v := YMM()
			VMOVUPS(Mem{Base: x, Disp: 4 * j}, v)
			VMOVUPS(v, Mem{Base: dst, Disp: 4 * j})
		}
		Label(label)
	}
	ADDQ(ldx, x)
	ADDQ(ldd, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()

	TEXT("copyRowsAVX512", NOSPLIT, "func(dst *float32, ldd int, x *float32, ldx, rows, cols int)")
	Pragma("noescape")
	rows, cols, dst, ldd, x, ldx = copyArgs()
	masks := []mask{avx512.maskOf(cols, 2, 0, nil), avx512.maskOf(cols, 2, 1, nil)}
	CMPQ(cols, U32(16))
	JLE(LabelRef("narrow"))
	pass := func(label string, masks []mask) {
		Label(label)
		for j, m := range masks {
			v := ZMM()
			m.load(Mem{Base: x, Disp: 64 * j}, v)
			m.store(v, Mem{Base: dst, Disp: 64 * j})
		}
		ADDQ(ldx, x)
		ADDQ(ldd, dst)
		DECQ(rows)
		JNZ(LabelRef(label))
		VZEROUPPER()
		RET()
	}
	pass("wide", masks)
	pass("narrow", masks[:1])
}

func copyArgs() (rows, cols, dst, ldd, x, ldx reg.Register) {
	dst = Load(Param("dst"), GP64())
	ldd = Load(Param("ldd"), GP64())
	x = Load(Param("x"), GP64())
	ldx = Load(Param("ldx"), GP64())
	rows = Load(Param("rows"), GP64())
	cols = Load(Param("cols"), GP64())
	SHLQ(Imm(2), ldd)
	SHLQ(Imm(2), ldx)
	return rows, cols, dst, ldd, x, ldx
}

// transpose16 writes the transposition of up to 16 rows and any number of
// columns, 16 at a time, so that whole cache lines are read and written.
func transpose16() {
	TEXT("transpose16AVX512", NOSPLIT, "func(dst *float32, ldd int, x *float32, ldx, rows, cols int)")
	Pragma("noescape")
	rows, cols, dst, ldd, x, ldx := copyArgs()
	keep := avx512.maskOf(rows, 1, 0, nil)
	last := GP64()
	LEAQ(Mem{Base: rows, Disp: -1}, last)
	row := GP64()
	pass := func(load func(at Mem, v vec), store func(v vec, at Mem)) {
		in := make([]vec, 16)
		MOVQ(x, row)
		for i := range in {
			in[i] = ZMM()
			load(Mem{Base: row}, in[i])
			if i < 15 {
				// Rows that are not there repeat the last.
				next := GP64()
				LEAQ(Mem{Base: row, Index: ldx, Scale: 1}, next)
				CMPQ(last, U32(i))
				CMOVQGT(next, row)
			}
		}
		// Twos and fours: u[4q+c] holds, in 128-bit lane l, column 4l+c of
		// rows 4q to 4q+3.
		u := make([]vec, 16)
		for q := 0; q < 16; q += 4 {
			var t [4]vec
			for j := 0; j < 4; j += 2 {
				t[j], t[j+1] = ZMM(), ZMM()
				VUNPCKLPS(in[q+j+1], in[q+j], t[j])
				VUNPCKHPS(in[q+j+1], in[q+j], t[j+1])
			}
			for j := range 4 {
				u[q+j] = ZMM()
			}
			VUNPCKLPD(t[2], t[0], u[q])
			VUNPCKHPD(t[2], t[0], u[q+1])
			VUNPCKLPD(t[3], t[1], u[q+2])
			VUNPCKHPD(t[3], t[1], u[q+3])
		}
		// Lanes: column 4l+c gathers lane l of u[c], u[4+c], u[8+c], u[12+c].
		out := make([]vec, 16)
		for c := range 4 {
			for odd, order := range []uint64{0x88, 0xdd} {
				top, bottom := ZMM(), ZMM()
				VSHUFF32X4(Imm(order), u[4+c], u[c], top)
				VSHUFF32X4(Imm(order), u[12+c], u[8+c], bottom)
				low, high := ZMM(), ZMM()
				VSHUFF32X4(Imm(0x88), bottom, top, low)
				VSHUFF32X4(Imm(0xdd), bottom, top, high)
				out[4*odd+c], out[8+4*odd+c] = low, high
			}
		}
		for c := range out {
			store(out[c], Mem{Base: dst})
			ADDQ(ldd, dst)
		}
	}
	write := func(v vec, at Mem) { keep.store(v, at) }
	SUBQ(U32(16), cols)
	JL(LabelRef("rest"))
	Label("loop")
	pass(func(at Mem, v vec) { VMOVUPS(at, v) }, write)
	ADDQ(U32(64), x)
	SUBQ(U32(16), cols)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(16), cols)
	JZ(LabelRef("done"))
	there := avx512.maskOf(cols, 1, 0, nil)
	pass(there.load, func(v vec, at Mem) {
		write(v, at)
		DECQ(cols)
		JZ(LabelRef("done"))
	})
	Label("done")
	VZEROUPPER()
	RET()
}

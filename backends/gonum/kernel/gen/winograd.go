package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// winograds writes the transforms of Winograd's F(4×4, 3×3) and F(2×2, 5×5),
// which winograd.go of the kernel package defines: Y = T·X·Tᵀ at each of n
// places.
func winograds(i isa) {
	const (
		a, b   = 0.75, 1.5
		a2, b2 = a * a, b * b
		na, nb = 2 * a2 * (a2 - b2), 2 * b2 * (b2 - a2)
	)
	// ahead returns c + k·x, behind c − k·x.
	ahead := func(c, x vec, k Op) vec {
		v := i.vec()
		VMOVAPS(c, v)
		VFMADD231PS(k, x, v)
		return v
	}
	behind := func(c, x vec, k Op) vec {
		v := i.vec()
		VMOVAPS(c, v)
		VFNMADD231PS(k, x, v)
		return v
	}
	scaled := func(x vec, k Op) vec { return i.mul(x, k) }

	i.winograd("Input", 6, 6, false, []float64{a2 * b2, a2 + b2, a, b, a2, b2}, func(x []vec, k []Op) []vec {
		ea, oa := behind(x[4], x[2], k[5]), behind(x[3], x[1], k[5])
		eb, ob := behind(x[4], x[2], k[4]), behind(x[3], x[1], k[4])
		return []vec{
			ahead(behind(x[4], x[2], k[1]), x[0], k[0]),
			ahead(ea, oa, k[2]), behind(ea, oa, k[2]),
			ahead(eb, ob, k[3]), behind(eb, ob, k[3]),
			ahead(behind(x[5], x[3], k[1]), x[1], k[0]),
		}
	})
	i.winograd("Output4", 6, 4, false, []float64{a, b, a2, b2, a2 * a, b2 * b}, func(m []vec, k []Op) []vec {
		sa, da := i.add(m[1], m[2]), i.sub(m[1], m[2])
		sb, db := i.add(m[3], m[4]), i.sub(m[3], m[4])
		return []vec{
			i.add(i.add(m[0], sa), sb),
			ahead(scaled(da, k[0]), db, k[1]),
			ahead(scaled(sa, k[2]), sb, k[3]),
			ahead(ahead(m[5], da, k[4]), db, k[5]),
		}
	})
	i.winograd("Kernel3", 3, 6, false, []float64{1 / (a2 * b2), 1 / na, a / na, a2 / na, 1 / nb, b / nb, b2 / nb}, func(g []vec, k []Op) []vec {
		ea := ahead(scaled(g[0], k[1]), g[2], k[3])
		eb := ahead(scaled(g[0], k[4]), g[2], k[6])
		return []vec{
			scaled(g[0], k[0]),
			ahead(ea, g[1], k[2]), behind(ea, g[1], k[2]),
			ahead(eb, g[1], k[5]), behind(eb, g[1], k[5]),
			g[2],
		}
	})
	i.winograd("OutputGrad4", 4, 6, false, []float64{a, b, a2, b2}, func(y []vec, k []Op) []vec {
		ea, oa := ahead(y[0], y[2], k[2]), ahead(y[1], y[3], k[2])
		eb, ob := ahead(y[0], y[2], k[3]), ahead(y[1], y[3], k[3])
		return []vec{
			y[0],
			ahead(ea, oa, k[0]), behind(ea, oa, k[0]),
			ahead(eb, ob, k[1]), behind(eb, ob, k[1]),
			y[3],
		}
	})
	i.winograd("KernelGrad3", 6, 3, false, []float64{1 / (a2 * b2), 1 / na, a / na, a2 / na, 1 / nb, b / nb, b2 / nb}, func(u []vec, k []Op) []vec {
		sa, da := i.add(u[1], u[2]), i.sub(u[1], u[2])
		sb, db := i.add(u[3], u[4]), i.sub(u[3], u[4])
		return []vec{
			ahead(ahead(scaled(u[0], k[0]), sa, k[1]), sb, k[4]),
			ahead(scaled(da, k[2]), db, k[5]),
			ahead(ahead(u[5], sa, k[3]), sb, k[6]),
		}
	})
	i.winograd("InputGrad", 6, 6, true, []float64{a2 * b2, -a2 - b2, a, b, a2, b2, a * b2, b * a2}, func(m []vec, k []Op) []vec {
		sa, da := i.add(m[1], m[2]), i.sub(m[1], m[2])
		sb, db := i.add(m[3], m[4]), i.sub(m[3], m[4])
		return []vec{
			scaled(m[0], k[0]),
			behind(behind(scaled(m[5], k[0]), da, k[6]), db, k[7]),
			behind(behind(scaled(m[0], k[1]), sa, k[5]), sb, k[4]),
			ahead(ahead(scaled(da, k[2]), db, k[3]), m[5], k[1]),
			i.add(i.add(m[0], sa), sb),
			m[5],
		}
	})
	i.winograd("Output2", 6, 2, false, []float64{a, b}, func(m []vec, k []Op) []vec {
		return []vec{
			i.add(i.add(m[0], i.add(m[1], m[2])), i.add(m[3], m[4])),
			ahead(ahead(m[5], i.sub(m[1], m[2]), k[0]), i.sub(m[3], m[4]), k[1]),
		}
	})
	i.winograd("Kernel5", 5, 6, false, []float64{1 / (a2 * b2), 1 / na, a / na, a2 / na, a * a2 / na, a2 * a2 / na,
		1 / nb, b / nb, b2 / nb, b * b2 / nb, b2 * b2 / nb}, func(g []vec, k []Op) []vec {
		ea, oa := ahead(ahead(scaled(g[0], k[1]), g[2], k[3]), g[4], k[5]), ahead(scaled(g[1], k[2]), g[3], k[4])
		eb, ob := ahead(ahead(scaled(g[0], k[6]), g[2], k[8]), g[4], k[10]), ahead(scaled(g[1], k[7]), g[3], k[9])
		return []vec{scaled(g[0], k[0]), i.add(ea, oa), i.sub(ea, oa), i.add(eb, ob), i.sub(eb, ob), g[4]}
	})
	i.winograd("OutputGrad2", 2, 6, false, []float64{a, b}, func(y []vec, k []Op) []vec {
		return []vec{
			y[0],
			ahead(y[0], y[1], k[0]), behind(y[0], y[1], k[0]),
			ahead(y[0], y[1], k[1]), behind(y[0], y[1], k[1]),
			y[1],
		}
	})
	i.winograd("KernelGrad5", 6, 5, false, []float64{1 / (a2 * b2), 1 / na, a / na, a2 / na, a * a2 / na, a2 * a2 / na,
		1 / nb, b / nb, b2 / nb, b * b2 / nb, b2 * b2 / nb}, func(u []vec, k []Op) []vec {
		sa, da := i.add(u[1], u[2]), i.sub(u[1], u[2])
		sb, db := i.add(u[3], u[4]), i.sub(u[3], u[4])
		return []vec{
			ahead(ahead(scaled(u[0], k[0]), sa, k[1]), sb, k[6]),
			ahead(scaled(da, k[2]), db, k[7]),
			ahead(scaled(sa, k[3]), sb, k[8]),
			ahead(scaled(da, k[4]), db, k[9]),
			ahead(ahead(u[5], sa, k[5]), sb, k[10]),
		}
	})
}

// winograd writes the transform of p×p matrices to q×q whose one-dimensional
// form is f: columns first, by way of the stack, then rows. Element j of row i
// of matrix v lies at from[i·p+j]+v, to[i·q+j]+v. With add, results are added to
// what is there.
func (i isa) winograd(name string, p, q int, add bool, constants []float64, f func(x []vec, k []Op) []vec) {
	TEXT("winograd"+name+i.name, 0, "func(dst, src []float32, to, from []int, n int)")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	src := Load(Param("src").Base(), GP64())
	to := Load(Param("to").Base(), GP64())
	from := Load(Param("from").Base(), GP64())
	n := Load(Param("n"), GP64())
	bytes := 4 * i.lanes
	local := AllocLocal(q*p*bytes + 64)
	middle, at := GP64(), GP64()
	LEAQ(local.Offset(63), middle)
	ANDQ(I32(-64), middle)
	k := make([]Op, len(constants))
	for j, v := range constants {
		k[j] = f32(v)
		if i.evex {
			k[j] = i.put(f32(v))
		}
	}
	pass := func(load func(at Mem, v vec), store func(v vec, at Mem)) {
		for c := range p {
			x := make([]vec, p)
			for r := range x {
				x[r] = i.vec()
				MOVQ(Mem{Base: from, Disp: 8 * (r*p + c)}, at)
				load(Mem{Base: src, Index: at, Scale: 4}, x[r])
			}
			for r, y := range f(x, k) {
				VMOVAPS(y, Mem{Base: middle, Disp: (r*p + c) * bytes})
			}
		}
		for r := range q {
			x := make([]vec, p)
			for c := range x {
				x[c] = i.vec()
				VMOVAPS(Mem{Base: middle, Disp: (r*p + c) * bytes}, x[c])
			}
			for c, y := range f(x, k) {
				MOVQ(Mem{Base: to, Disp: 8 * (r*q + c)}, at)
				if to := (Mem{Base: dst, Index: at, Scale: 4}); add {
					before := i.vec()
					load(to, before)
					store(i.add(y, before), to)
				} else {
					store(y, to)
				}
			}
		}
	}
	SUBQ(U32(i.lanes), n)
	JL(LabelRef("rest"))
	Label("loop")
	pass(func(at Mem, v vec) { VMOVUPS(at, v) }, func(v vec, at Mem) { VMOVUPS(v, at) })
	ADDQ(U32(bytes), src)
	ADDQ(U32(bytes), dst)
	SUBQ(U32(i.lanes), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U32(i.lanes), n)
	JZ(LabelRef("done"))
	if i.evex {
		m := i.maskOf(n, 1, 0, nil)
		pass(m.load, m.store)
	} else {
		// The mask would not stay in a register with all else.
		pass(func(at Mem, v vec) { i.maskOf(n, 1, 0, v).load(at, v) },
			func(v vec, at Mem) { i.maskOf(n, 1, 0, i.vec()).store(v, at) })
	}
	Label("done")
	VZEROUPPER()
	RET()
}

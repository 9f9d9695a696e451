package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// elementwise writes name+isa(dst, in… []float32, s float32): dst[k] =
// body(in[k]…, s…) with as many numbers s, t as scalars says. unroll vectors are
// in flight at once.
func elementwise(i isa, name string, in []string, scalars int, unroll int, body func(in, s []vec) vec) {
	signature := "func(dst, " + strings.Join(in, ", ") + " []float32"
	names := []string{"s", "t"}[:scalars]
	if scalars > 0 {
		signature += ", " + strings.Join(names, ", ") + " float32"
	}
	TEXT(name+i.name, NOSPLIT, signature+")")
	Pragma("noescape")
	dst := Load(Param("dst").Base(), GP64())
	n := Load(Param("dst").Len(), GP64())
	at := make([]Mem, len(in))
	for j, p := range in {
		at[j] = Mem{Base: Load(Param(p).Base(), GP64())}
	}
	s := make([]vec, scalars)
	for j := range s {
		s[j] = i.vec()
		VBROADCASTSS(NewParamAddr(names[j], 24*(1+len(in))+4*j), s[j])
	}
	index := GP64()
	XORQ(index, index)
	from := func(m Mem, v int) Mem {
		m.Index, m.Scale, m.Disp = index, 4, v*i.lanes*4
		return m
	}
	pass := func(label, next string, count int) {
		if count == 0 {
			return
		}
		SUBQ(U32(count*i.lanes), n)
		JL(LabelRef(next))
		Label(label)
		for v := range count {
			args := make([]vec, len(in))
			for j := range args {
				args[j] = i.vec()
				VMOVUPS(from(at[j], v), args[j])
			}
			VMOVUPS(body(args, s), from(Mem{Base: dst}, v))
		}
		ADDQ(U32(count*i.lanes), index)
		SUBQ(U32(count*i.lanes), n)
		JGE(LabelRef(label))
		Label(next)
		ADDQ(U32(count*i.lanes), n)
	}
	pass("many", "fewer", unroll)
	if unroll > 1 {
		pass("one", "tail", 1)
	}
	TESTQ(n, n)
	JZ(LabelRef("done"))
	m := i.maskOf(n, 1, 0, i.vec())
	args := make([]vec, len(in))
	for j := range args {
		args[j] = i.vec()
		m.load(from(at[j], 0), args[j])
	}
	m.store(body(args, s), from(Mem{Base: dst}, 0))
	Label("done")
	VZEROUPPER()
	RET()
}

// adam writes the step of that optimiser: from the weights w, the moments m and v
// and the gradient g the new ones, with k as in package kernel.
func adam(i isa) {
	TEXT("adam"+i.name, NOSPLIT, "func(w1, m1, v1, w, m, v, g []float32, k *[6]float32)")
	Pragma("noescape")
	n := Load(Param("w1").Len(), GP64())
	at := map[string]Mem{}
	for _, name := range []string{"w1", "m1", "v1", "w", "m", "v", "g"} {
		at[name] = Mem{Base: Load(Param(name).Base(), GP64())}
	}
	k := Mem{Base: Load(Param("k"), GP64())}
	s := make([]vec, 6)
	for j := range s {
		s[j] = i.vec()
		k.Disp = 4 * j
		VBROADCASTSS(k, s[j])
	}
	index := GP64()
	XORQ(index, index)
	step := func(v int, load func(at Mem, v vec), store func(v vec, at Mem)) {
		place := func(name string) Mem {
			m := at[name]
			m.Index, m.Scale, m.Disp = index, 4, v*i.lanes*4
			return m
		}
		get := func(name string) vec {
			x := i.vec()
			load(place(name), x)
			return x
		}
		g, m1, v1 := get("g"), get("m"), get("v")
		fma(m1, s[0], i.mul(g, s[1]))
		fma(v1, s[2], i.mul(i.mul(g, g), s[3]))
		// Moments of weights that get no gradient any more end as numbers with
		// which the CPU takes more than twice as long.
		normal := func(x vec) vec { return i.keep(i.compare(notLess, i.abs(x), f32(0x1p-126)), x) }
		m1, v1 = normal(m1), normal(v1)
		store(m1, place("m1"))
		store(v1, place("v1"))
		q := i.div(m1, i.add(i.sqrt(v1), s[5]))
		fma(q, s[4], get("w"))
		store(q, place("w1"))
	}
	pass := func(label, next string, count int) {
		SUBQ(U32(count*i.lanes), n)
		JL(LabelRef(next))
		Label(label)
		for v := range count {
			step(v, func(at Mem, v vec) { VMOVUPS(at, v) }, func(v vec, at Mem) { VMOVUPS(v, at) })
		}
		ADDQ(U32(count*i.lanes), index)
		SUBQ(U32(count*i.lanes), n)
		JGE(LabelRef(label))
		Label(next)
		ADDQ(U32(count*i.lanes), n)
	}
	pass("many", "fewer", 2)
	pass("one", "tail", 1)
	TESTQ(n, n)
	JZ(LabelRef("done"))
	rest := i.maskOf(n, 1, 0, i.vec())
	step(0, rest.load, rest.store)
	Label("done")
	VZEROUPPER()
	RET()
}

func elementwises(i isa) {
	adam(i)
	unary := func(name string, unroll int, f func(x vec) vec) {
		elementwise(i, name, []string{"x"}, 0, unroll, func(in, _ []vec) vec { return f(in[0]) })
	}
	unary("neg", 4, i.neg)
	unary("abs", 4, i.abs)
	unary("sqrt", 2, func(x vec) vec { return i.sqrt(x) })
	unary("exp", 2, i.exp)
	unary("log", 2, i.log)
	unary("log1p", 2, i.log1p)
	unary("sinNear", 1, func(x vec) vec { sin, _ := i.sincos(x); return sin })
	unary("cosNear", 1, func(x vec) vec { _, cos := i.sincos(x); return cos })
	unary("tanh", 2, i.tanh)
	unary("floor", 4, func(x vec) vec { return i.round(1, x) })
	unary("sigmoid", 2, i.sigmoid)
	unary("softplus", 2, i.softplus)
	unary("square", 4, func(x vec) vec { return i.mul(x, x) })
	unary("recip", 2, func(x vec) vec { return i.div(i.put(f32(1)), x) })
	unary("relu", 4, func(x vec) vec {
		zero := i.vec()
		i.zero(zero)
		return i.max(zero, x)
	})
	unary("sign", 2, func(x vec) vec {
		zero := i.vec()
		i.zero(zero)
		up := i.keep(i.compare(greater, x, zero), f32(1))
		down := i.keep(i.compare(less, x, zero), f32(1))
		return i.sub(up, down)
	})

	binary := func(name string, commutes bool, f func(a, b vec) vec) {
		elementwise(i, name, []string{"a", "b"}, 0, 4, func(in, _ []vec) vec { return f(in[0], in[1]) })
		elementwise(i, name+"Scalar", []string{"a"}, 1, 4, func(in, s []vec) vec { return f(in[0], s[0]) })
		if !commutes {
			elementwise(i, "scalar"+strings.ToUpper(name[:1])+name[1:], []string{"b"}, 1, 4, func(in, s []vec) vec { return f(s[0], in[0]) })
		}
	}
	compare := func(name string, commutes bool, predicate uint64) {
		binary(name, commutes, func(a, b vec) vec { return i.keep(i.compare(predicate, a, b), f32(1)) })
	}
	// A NaN in a is put back where the instruction gave b.
	orNaN := func(f func(a, b Op) vec) func(a, b vec) vec {
		return func(a, b vec) vec { return i.pick(i.compare(unordered, a, a), a, f(a, b)) }
	}
	binary("add", true, func(a, b vec) vec { return i.add(a, b) })
	binary("sub", false, func(a, b vec) vec { return i.sub(a, b) })
	binary("mul", true, func(a, b vec) vec { return i.mul(a, b) })
	binary("div", false, func(a, b vec) vec { return i.div(a, b) })
	binary("max", true, orNaN(i.max))
	binary("min", true, orNaN(i.min))
	compare("less", false, less)
	compare("lessEqual", false, lessEqual)
	compare("equal", true, equal)

	elementwise(i, "fma", []string{"a", "b", "c"}, 0, 4, func(in, _ []vec) vec {
		fma(in[0], in[1], in[2])
		return in[0]
	})
	elementwise(i, "fmaScalar", []string{"a", "c"}, 1, 4, func(in, s []vec) vec {
		fma(in[0], s[0], in[1])
		return in[0]
	})
	elementwise(i, "fnma", []string{"a", "b", "c"}, 0, 4, func(in, _ []vec) vec {
		VFNMADD231PS(in[0], in[1], in[2])
		return in[2]
	})
	elementwise(i, "weighted", []string{"a", "b"}, 2, 4, func(in, s []vec) vec {
		fma(in[0], s[0], i.mul(in[1], s[1]))
		return in[0]
	})
	elementwise(i, "weightedProduct", []string{"a", "b", "c"}, 2, 2, func(in, s []vec) vec {
		fma(in[0], s[0], i.mul(i.mul(in[1], in[2]), s[1]))
		return in[0]
	})
	elementwise(i, "overRoot", []string{"a", "b"}, 1, 2, func(in, s []vec) vec {
		return i.div(in[0], i.add(i.sqrt(in[1]), s[0]))
	})
	elementwise(i, "sel", []string{"cond", "a", "b"}, 0, 2, func(in, _ []vec) vec {
		zero := i.vec()
		i.zero(zero)
		return i.pick(i.compare(notEqual, in[0], zero), in[1], in[2])
	})
}

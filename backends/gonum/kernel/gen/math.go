package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The elementary functions. Their polynomials are those of Moshier's Cephes
// library, single precision, and for exp, log and softplus minimax fits of our own;
// variants_test.go states and checks the error.

type vec = reg.VecVirtual

const signBit = 1 << 31

func (i isa) neg(x vec) vec { return i.xor(x, bits(signBit)) }
func (i isa) abs(x vec) vec { return i.and(x, bits(signBit-1)) }

// exp: x = n·ln 2 + r, exp(x) = 2ⁿ·p(r).
func (i isa) exp(x vec) vec {
	// Clamped so that n fits; a NaN passes through.
	return i.expWithin(i.min(i.put(f32(89)), i.max(i.put(f32(-104)), x)))
}

// expNegative is exp(−|x|).
func (i isa) expNegative(x vec) vec {
	return i.expWithin(i.max(i.put(f32(-104)), i.or(x, bits(signBit))))
}

func (i isa) expWithin(x vec) vec {
	n := i.round(0, i.mul(x, f32(math.Log2E)))
	r := i.vec()
	VMOVAPS(x, r)
	VFNMADD231PS(f32(0.693359375), n, r)
	VFNMADD231PS(f32(-2.12194440e-4), n, r)
	p := i.poly(r, 1.3814539416e-3, 8.3687454462e-3, 4.1668388993e-2, 1.6666521132e-1, 4.9999994040e-1, 1, 1)
	if i.evex {
		return i.op2(VSCALEFPS, p, n)
	}
	// 2ⁿ in two factors, so that neither leaves the exponent's range.
	e := i.toInt(n)
	half := i.sar(e, 1)
	rest := i.subInt(e, half)
	one := bits(math.Float32bits(1))
	p = i.mul(p, i.addInt(i.shl(half, 23), one))
	return i.mul(p, i.addInt(i.shl(rest, 23), one))
}

// logCore is log(u) + c for normal u > 0: u = 2ᵉ·(1+f), log(u) = e·ln 2 + f −
// f²/2 + f³·p(f). A nil c is none. With AVX-512 1+f is between ¾ and 1½, and all
// u have their logarithm; else it is between √½ and √2.
func (i isa) logCore(u vec, c vec, bias vec) vec {
	var ef, m vec
	if i.evex {
		m, ef = i.vec(), i.vec()
		negativeIsNaN, fromThreeQuarters := uint64(2<<2), uint64(3)
		VGETMANTPS(Imm(negativeIsNaN|fromThreeQuarters), u, m)
		below := i.vec()
		VGETEXPPS(m, below)
		VGETEXPPS(u, ef)
		ef = i.sub(ef, below)
	} else {
		e := i.sar(i.subInt(u, bits(0x3f3504f3)), 23)
		m = i.subInt(u, i.shl(e, 23))
		ef = i.toFloat(e)
		if bias != nil {
			ef = i.add(ef, bias)
		}
	}
	f := i.sub(m, f32(1))
	p := i.poly(f, -5.5712554604e-2, 1.1693729460e-1, -1.3480319083e-1, 1.4389425516e-1, -1.6607567668e-1,
		1.9991347194e-1, -2.5001096725e-1, 3.3333471417e-1)
	z := i.mul(f, f)
	y := i.mul(i.mul(p, z), f)
	// ln 2 in two parts of one sign, so that an infinite e gives no NaN.
	VFMADD231PS(f32(1.428606765330187e-6), ef, y)
	if c != nil {
		y = i.add(y, c)
	}
	VFNMADD231PS(f32(0.5), z, y)
	y = i.add(y, f)
	VFMADD231PS(f32(0.693145751953125), ef, y)
	return y
}

// logSpecial gives the logarithm its values outside the positive numbers: of
// u ≤ 0, and of x = +Inf or NaN, which it returns.
func (i isa) logSpecial(y, u, x vec) vec {
	zero := i.vec()
	i.zero(zero)
	y = i.pick(i.compare(less, u, zero), i.put(bits(0x7fc00000)), y)
	y = i.pick(i.compare(equal, u, zero), i.put(bits(0xff800000)), y)
	return i.pick(i.compare(notLess, x, bits(0x7f800000)), x, y)
}

func (i isa) log(x vec) vec {
	if i.evex {
		return i.logCore(x, nil, nil)
	}
	tiny := i.compare(less, x, bits(0x00800000))
	u := i.pick(tiny, i.mul(x, f32(1<<24)), x)
	bias := i.keep(tiny, i.put(f32(-24)))
	return i.logSpecial(i.logCore(u, nil, bias), x, x)
}

// log1pCore is log(u) with u = 1+x rounded, plus (what rounding lost)/u.
func (i isa) log1pCore(x vec) (y, u vec) {
	one := i.put(f32(1))
	u = i.add(one, x)
	b := i.sub(u, one)
	lost := i.add(i.sub(one, i.sub(u, b)), i.sub(x, b))
	return i.logCore(u, i.div(lost, u), nil), u
}

func (i isa) log1p(x vec) vec {
	y, u := i.log1pCore(x)
	return i.logSpecial(y, u, x)
}

// tanh: an odd polynomial near zero, else 1 − 2/(exp(2|x|)+1) with x's sign.
func (i isa) tanh(x vec) vec {
	a := i.abs(x)
	e := i.add(i.exp(i.add(a, a)), f32(1))
	big := i.sub(i.put(f32(1)), i.div(i.put(f32(2)), e))
	big = i.or(big, i.and(x, bits(signBit)))
	z := i.mul(x, x)
	p := i.poly(z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	p = i.mul(p, z)
	fma(p, x, x)
	return i.pick(i.compare(less, a, f32(0.625)), p, big)
}

// sigmoid: with e = exp(−|x|), 1/(1+e) or e/(1+e) by the sign of x.
func (i isa) sigmoid(x vec) vec {
	e := i.expNegative(x)
	d := i.add(e, f32(1))
	zero := i.vec()
	i.zero(zero)
	top := i.pick(i.compare(less, x, zero), e, i.put(f32(1)))
	return i.div(top, d)
}

// softplus: max(x, 0) + log1p(e), e = exp(−|x|), where log1p(e) = e + e²·p(e)
// on [0, 1].
func (i isa) softplus(x vec) vec {
	e := i.expNegative(x)
	y := i.poly(e, -3.3387746662e-3, 2.0277965814e-2, -5.7759508491e-2, 1.0684573650e-1, -1.5353299677e-1,
		1.9692462683e-1, -2.4957348406e-1, 3.3330276608e-1, -4.9999913573e-1)
	fma(y, i.mul(e, e), e)
	zero := i.vec()
	i.zero(zero)
	return i.add(y, i.max(zero, x))
}

// quadrant is sin and cos of an angle of q quarter turns and t radians more,
// |t| ≤ π/4.
func (i isa) quadrant(q, t vec) (sin, cos vec) {
	z := i.mul(t, t)
	s := i.poly(z, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
	s = i.mul(s, z)
	fma(s, t, t)
	c := i.poly(z, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2, -0.5)
	fma(c, z, f32(1))
	odd := i.odd(q)
	sin = i.pick(odd, c, s)
	cos = i.pick(odd, s, c)
	sin = i.xor(sin, i.shl(i.and(q, bits(2)), 30))
	cos = i.xor(cos, i.shl(i.and(i.addInt(q, bits(1)), bits(2)), 30))
	return sin, cos
}

// sincos2pi is sin and cos of 2πu for 0 ≤ u < 1: u = q/4 + t with |t| ≤ 1/8.
func (i isa) sincos2pi(u vec) (sin, cos vec) {
	q := i.round(0, i.mul(u, f32(4)))
	t := i.vec()
	VMOVAPS(u, t)
	VFNMADD231PS(f32(0.25), q, t)
	return i.quadrant(i.toInt(q), i.mul(t, f32(2*math.Pi)))
}

// sincos is sin and cos of |x| ≤ 2¹⁴: x = q·π/2 + t, with π/2 in three parts.
func (i isa) sincos(x vec) (sin, cos vec) {
	q := i.round(0, i.mul(x, f32(2/math.Pi)))
	t := i.vec()
	VMOVAPS(x, t)
	rest := math.Pi / 2
	for _, more := range []float64{0, 0, 6.123233995736766e-17} {
		part := float64(float32(rest + more))
		VFNMADD231PS(f32(part), q, t)
		rest = rest - part + more
	}
	return i.quadrant(i.toInt(q), t)
}

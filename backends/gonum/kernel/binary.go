package kernel

import "math"

// BinaryOp is an elementwise function of two operands.
type BinaryOp uint8

const (
	Add BinaryOp = iota
	Sub
	Mul
	Div
	Max       // NaN if either is NaN
	Min       // NaN if either is NaN
	Less      // 1 where a < b, else 0; 0 where either is NaN
	LessEqual // 1 where a ≤ b
	Equal     // 1 where a = b
	numBinary
)

var binaryNames = [numBinary]string{"add", "sub", "mul", "div", "max", "min", "less", "lessequal", "equal"}

func (op BinaryOp) String() string { return binaryNames[op] }

// Apply computes dst[i] = op(a[i], b[i]). The slices have one length.
func (op BinaryOp) Apply(dst, a, b []float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	active.binary[op](dst, a, b)
}

// ApplyScalar computes dst[i] = op(a[i], s).
func (op BinaryOp) ApplyScalar(dst, a []float32, s float32) {
	mustEqual(len(dst), len(a))
	active.binaryScalar[op](dst, a, s)
}

// ScalarApply computes dst[i] = op(s, b[i]).
func (op BinaryOp) ScalarApply(dst []float32, s float32, b []float32) {
	mustEqual(len(dst), len(b))
	active.scalarBinary[op](dst, b, s)
}

// FMA computes dst[i] = a[i]·b[i] + c[i].
func FMA(dst, a, b, c []float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	mustEqual(len(dst), len(c))
	active.fma(dst, a, b, c)
}

// FNMA computes dst[i] = c[i] − a[i]·b[i].
func FNMA(dst, a, b, c []float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	mustEqual(len(dst), len(c))
	active.fnma(dst, a, b, c)
}

// FMAScalar computes dst[i] = a[i]·s + c[i].
func FMAScalar(dst, a []float32, s float32, c []float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(c))
	active.fmaScalar(dst, a, c, s)
}

// Weighted computes dst[i] = a[i]·s + b[i]·t.
func Weighted(dst, a []float32, s float32, b []float32, t float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	active.weighted(dst, a, b, s, t)
}

// WeightedProduct computes dst[i] = a[i]·s + b[i]·c[i]·t.
func WeightedProduct(dst, a []float32, s float32, b, c []float32, t float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	mustEqual(len(dst), len(c))
	active.weightedProduct(dst, a, b, c, s, t)
}

// OverRoot computes dst[i] = a[i] / (√b[i] + s).
func OverRoot(dst, a, b []float32, s float32) {
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	active.overRoot(dst, a, b, s)
}

// Adam is the step of that optimiser, elementwise: with the gradient g,
//
//	m1 = m·k[0] + g·k[1]
//	v1 = v·k[2] + g·g·k[3]
//	w1 = w + m1/(√v1 + k[5])·k[4]
//
// Moments below 2⁻¹²⁶ are made 0. Each result may be the same slice as its operand.
func Adam(w1, m1, v1, w, m, v, g []float32, k *[6]float32) {
	for _, x := range [][]float32{m1, v1, w, m, v, g} {
		mustEqual(len(w1), len(x))
	}
	active.adam(w1, m1, v1, w, m, v, g, k)
}

// Select computes dst[i] = a[i] where cond[i] ≠ 0, else b[i].
func Select(dst, cond, a, b []float32) {
	mustEqual(len(dst), len(cond))
	mustEqual(len(dst), len(a))
	mustEqual(len(dst), len(b))
	active.sel(dst, cond, a, b)
}

func fmaGo(dst, a, b, c []float32) {
	for i := range dst {
		dst[i] = a[i]*b[i] + c[i]
	}
}

func fnmaGo(dst, a, b, c []float32) {
	for i := range dst {
		dst[i] = c[i] - a[i]*b[i]
	}
}

func fmaScalarGo(dst, a, c []float32, s float32) {
	for i := range dst {
		dst[i] = a[i]*s + c[i]
	}
}

func weightedGo(dst, a, b []float32, s, t float32) {
	for i := range dst {
		dst[i] = a[i]*s + b[i]*t
	}
}

func weightedProductGo(dst, a, b, c []float32, s, t float32) {
	for i := range dst {
		dst[i] = a[i]*s + b[i]*c[i]*t
	}
}

func overRootGo(dst, a, b []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] / (float32(math.Sqrt(float64(b[i]))) + s)
	}
}

func adamGo(w1, m1, v1, w, m, v, g []float32, k *[6]float32) {
	for i, g := range g {
		m1[i] = normalOrZero(m[i]*k[0] + g*k[1])
		v1[i] = normalOrZero(v[i]*k[2] + g*g*k[3])
		w1[i] = w[i] + m1[i]/(float32(math.Sqrt(float64(v1[i])))+k[5])*k[4]
	}
}

// normalOrZero is x, unless that is below the normal numbers.
func normalOrZero(x float32) float32 {
	if x < 0x1p-126 && x > -0x1p-126 {
		return 0
	}
	return x
}

func selGo(dst, cond, a, b []float32) {
	for i, m := range cond {
		if m != 0 {
			dst[i] = a[i]
		} else {
			dst[i] = b[i]
		}
	}
}

func mask(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// scalarGo defines each op on one pair; the slice forms come from it.
var scalarGo = [numBinary]func(a, b float32) float32{
	Add:       func(a, b float32) float32 { return a + b },
	Sub:       func(a, b float32) float32 { return a - b },
	Mul:       func(a, b float32) float32 { return a * b },
	Div:       func(a, b float32) float32 { return a / b },
	Max:       func(a, b float32) float32 { return max(a, b) },
	Min:       func(a, b float32) float32 { return min(a, b) },
	Less:      func(a, b float32) float32 { return mask(a < b) },
	LessEqual: func(a, b float32) float32 { return mask(a <= b) },
	Equal:     func(a, b float32) float32 { return mask(a == b) },
}

func binaryGo(op BinaryOp) func(dst, a, b []float32) {
	f := scalarGo[op]
	return func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = f(a[i], b[i])
		}
	}
}

func binaryScalarGo(op BinaryOp) func(dst, a []float32, s float32) {
	f := scalarGo[op]
	return func(dst, a []float32, s float32) {
		for i := range dst {
			dst[i] = f(a[i], s)
		}
	}
}

func scalarBinaryGo(op BinaryOp) func(dst, b []float32, s float32) {
	f := scalarGo[op]
	return func(dst, b []float32, s float32) {
		for i := range dst {
			dst[i] = f(s, b[i])
		}
	}
}

package kernel

import "math"

// UnaryOp is an elementwise function of one operand. Its zero value is the
// identity.
type UnaryOp uint8

const (
	Identity UnaryOp = iota
	Neg
	Abs
	Sqrt
	Exp
	Log
	Log1p // log(1+x)
	Sin
	Cos
	Tanh
	Floor
	Sign     // -1, 0 or 1; 0 for NaN
	Sigmoid  // 1/(1+exp(-x))
	Softplus // log(1+exp(x)) = max(x, 0) + log1p(exp(-|x|))
	Relu     // max(x, 0)
	Square
	Recip // 1/x
	numUnary
)

var unaryNames = [numUnary]string{
	"identity", "neg", "abs", "sqrt", "exp", "log", "log1p", "sin", "cos", "tanh",
	"floor", "sign", "sigmoid", "softplus", "relu", "square", "recip",
}

func (op UnaryOp) String() string { return unaryNames[op] }

// Apply computes dst[i] = op(x[i]). The slices have one length.
func (op UnaryOp) Apply(dst, x []float32) {
	mustEqual(len(dst), len(x))
	active.unary[op](dst, x)
}

// mustEqual panics unless an operand has the length of the result.
func mustEqual(dst, operand int) {
	if dst != operand {
		panic("kernel: operand and result differ in length")
	}
}

// each lifts a float64 function to slices.
func each(f func(float64) float64) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = float32(f(float64(v)))
		}
	}
}

var unaryGo = [numUnary]func(dst, x []float32){
	Identity: func(dst, x []float32) { copy(dst, x) },
	Neg: func(dst, x []float32) {
		for i, v := range x {
			dst[i] = -v
		}
	},
	Abs:   each(math.Abs),
	Sqrt:  each(math.Sqrt),
	Exp:   each(math.Exp),
	Log:   each(math.Log),
	Log1p: each(math.Log1p),
	Sin:   each(math.Sin),
	Cos:   each(math.Cos),
	Tanh:  each(math.Tanh),
	Floor: each(math.Floor),
	Sign: func(dst, x []float32) {
		for i, v := range x {
			switch {
			case v > 0:
				dst[i] = 1
			case v < 0:
				dst[i] = -1
			default:
				dst[i] = 0
			}
		}
	},
	Sigmoid: each(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }),
	Softplus: each(func(x float64) float64 {
		return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	}),
	Relu: func(dst, x []float32) {
		for i, v := range x {
			dst[i] = max(v, 0)
		}
	},
	Square: func(dst, x []float32) {
		for i, v := range x {
			dst[i] = v * v
		}
	},
	Recip: func(dst, x []float32) {
		for i, v := range x {
			dst[i] = 1 / v
		}
	},
}

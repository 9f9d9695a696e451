package ir

// Op names what an instruction computes. The table ops says everything about
// each op that is not mathematics; infer.go, grad.go and expand.go hold one
// entry an op each, and backends/ref is the definition of what it computes.
type Op uint8

const (
	Invalid Op = iota

	// Leaves.
	Param // an input of the program
	Const // one number at every element

	// Elementwise, one operand.
	Neg
	Abs
	Sign  // -1, 0 or 1; sign(0) = 0; sign(NaN) is not defined
	Floor // largest integer not above x
	Exp
	Log
	Log1p // log(1+x)
	Sqrt
	Sin
	Cos
	Tanh

	// Elementwise, two operands of one shape.
	Add
	Sub
	Mul
	Div
	Max // NaN if either is NaN
	Min // NaN if either is NaN

	// Comparisons give the mask 1 or 0 as f32; false where either is NaN.
	Less
	LessEqual
	Equal

	Select // a where the mask is not 0, else b: select mask a b

	// Shape.
	Broadcast // operand axis i becomes result axis Dims[i]; the others repeat
	Reshape
	Transpose // result axis i is operand axis Dims[i]
	Slice     // elements Lo[i] ≤ index < Hi[i] of each axis
	Concat    // along Axis
	Pad       // Lo[i] zeros before and Hi[i] zeros after each axis

	// Indexing by u32. An index that is out of range is the caller's fault:
	// Gather may panic, OneHot gives a row of zeros.
	Gather // gather x idx: rows x[idx[i]] of axis 0
	OneHot // onehot idx: result[i…, c] = 1 where idx[i…] = c

	// Reductions over the axes Dims, which disappear.
	ReduceSum
	ReduceMax // -Inf where nothing is reduced, NaN where any element is

	MatMul // op(A)·op(B) of matrices, op the transpose where TransA, TransB say so

	// Convolution as cross-correlation, NCHW with weights [O, C/groups, kh, kw],
	// zero padding, as torch.nn.functional.conv2d.
	Conv2D   // conv2d x w
	Conv2DDX // conv2d_dx g w: gradient of conv2d with respect to x
	Conv2DDW // conv2d_dw x g: gradient of conv2d with respect to w

	// Pooling over windows, NCHW. Average counts padding as zeros in the mean;
	// max never takes padding, is NaN where the window holds one, and the first
	// maximum in row-major window order receives the gradient.
	MaxPool     // maxpool x
	MaxPoolGrad // maxpool_grad x g
	AvgPool     // avgpool x
	AvgPoolGrad // avgpool_grad g

	// Noise of package backends/rng under a key and the site's Stream. Under u32[2]
	// element i of the result is element i of the stream. Under u32[3] the key's
	// last word is the number of the first of the result's rows, those of its
	// first axis, and the result begins at that row of the stream (NoiseStart).
	Uniform // [0, 1)
	Normal  // N(0, 1)

	// Composites: defined by their expansion in expand.go.
	Square
	Relu
	Sigmoid
	Softplus   // log(1 + exp x), without overflow
	LogSoftmax // over the last axis
	Linear     // linear x w b = x·wᵀ + b, w [out in]
	Stop       // its operand, with gradient zero

	numOps
)

// Class groups ops by how backends run them.
type Class uint8

const (
	Leaf        Class = iota
	Elementwise       // result element i depends on element i of the operands only
	Shaping           // moves elements
	Reduction
	Contraction // matrix products, convolutions, pooling
	Noise
	Composite // has an expansion; LogSoftmax, Linear and the elementwise ones
)

// attr says which fields of Attrs an op uses, and so which its text shows.
type attr uint8

const (
	hasName attr = 1 << iota
	hasValue
	hasDims
	hasLoHi
	hasAxis
	hasTrans
	hasWindow
	hasStream
)

type opInfo struct {
	name  string
	class Class
	arity int // -1: one or more
	attrs attr
	kept  bool // the type is not a function of the operands and must be given
}

var ops = [numOps]opInfo{
	Invalid: {"invalid", Leaf, 0, 0, false},
	Param:   {"param", Leaf, 0, hasName, true},
	Const:   {"const", Leaf, 0, hasValue, true},

	Neg:   {"neg", Elementwise, 1, 0, false},
	Abs:   {"abs", Elementwise, 1, 0, false},
	Sign:  {"sign", Elementwise, 1, 0, false},
	Floor: {"floor", Elementwise, 1, 0, false},
	Exp:   {"exp", Elementwise, 1, 0, false},
	Log:   {"log", Elementwise, 1, 0, false},
	Log1p: {"log1p", Elementwise, 1, 0, false},
	Sqrt:  {"sqrt", Elementwise, 1, 0, false},
	Sin:   {"sin", Elementwise, 1, 0, false},
	Cos:   {"cos", Elementwise, 1, 0, false},
	Tanh:  {"tanh", Elementwise, 1, 0, false},

	Add:       {"add", Elementwise, 2, 0, false},
	Sub:       {"sub", Elementwise, 2, 0, false},
	Mul:       {"mul", Elementwise, 2, 0, false},
	Div:       {"div", Elementwise, 2, 0, false},
	Max:       {"max", Elementwise, 2, 0, false},
	Min:       {"min", Elementwise, 2, 0, false},
	Less:      {"less", Elementwise, 2, 0, false},
	LessEqual: {"lessequal", Elementwise, 2, 0, false},
	Equal:     {"equal", Elementwise, 2, 0, false},
	Select:    {"select", Elementwise, 3, 0, false},

	Broadcast: {"broadcast", Shaping, 1, hasDims, true},
	Reshape:   {"reshape", Shaping, 1, 0, true},
	Transpose: {"transpose", Shaping, 1, hasDims, false},
	Slice:     {"slice", Shaping, 1, hasLoHi, false},
	Concat:    {"concat", Shaping, -1, hasAxis, false},
	Pad:       {"pad", Shaping, 1, hasLoHi, false},
	Gather:    {"gather", Shaping, 2, 0, false},
	OneHot:    {"onehot", Shaping, 1, 0, true},

	ReduceSum: {"reduce_sum", Reduction, 1, hasDims, false},
	ReduceMax: {"reduce_max", Reduction, 1, hasDims, false},

	MatMul:      {"matmul", Contraction, 2, hasTrans, false},
	Conv2D:      {"conv2d", Contraction, 2, hasWindow, false},
	Conv2DDX:    {"conv2d_dx", Contraction, 2, hasWindow, true},
	Conv2DDW:    {"conv2d_dw", Contraction, 2, hasWindow, true},
	MaxPool:     {"maxpool", Contraction, 1, hasWindow, false},
	MaxPoolGrad: {"maxpool_grad", Contraction, 2, hasWindow, false},
	AvgPool:     {"avgpool", Contraction, 1, hasWindow, false},
	AvgPoolGrad: {"avgpool_grad", Contraction, 1, hasWindow, true},

	Uniform: {"uniform", Noise, 1, hasStream, true},
	Normal:  {"normal", Noise, 1, hasStream, true},

	Square:     {"square", Composite, 1, 0, false},
	Relu:       {"relu", Composite, 1, 0, false},
	Sigmoid:    {"sigmoid", Composite, 1, 0, false},
	Softplus:   {"softplus", Composite, 1, 0, false},
	LogSoftmax: {"log_softmax", Composite, 1, 0, false},
	Linear:     {"linear", Composite, 3, 0, false},
	Stop:       {"stop", Composite, 1, 0, false},
}

func (o Op) String() string {
	if o < numOps {
		return ops[o].name
	}
	return "invalid"
}

// Class says how the op is run.
func (o Op) Class() Class { return ops[o].class }

// Core reports whether every backend must run the op itself; the others are
// composites, which [Expand] rewrites.
func (o Op) Core() bool { return o > Invalid && o < numOps && ops[o].class != Composite }

// Ops lists all ops in order, core first.
func Ops() []Op {
	out := make([]Op, 0, numOps-1)
	for o := Invalid + 1; o < numOps; o++ {
		out = append(out, o)
	}
	return out
}

var opByName = func() map[string]Op {
	m := make(map[string]Op, numOps)
	for _, o := range Ops() {
		m[ops[o].name] = o
	}
	return m
}()

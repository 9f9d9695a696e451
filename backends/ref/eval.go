package ref

import (
	"fmt"

	"bayesbench/backends/ir"
)

// eval computes the result of an instruction from its operands.
type eval func(in *ir.Instr, x []Value) Value

// evals holds every op but Param, which Eval takes from its arguments.
var evals = map[ir.Op]eval{
	ir.Const: func(in *ir.Instr, _ []Value) Value { return fill(in.Type, in.Value) },

	ir.Neg:   elementwise1(neg),
	ir.Abs:   elementwise1(abs),
	ir.Sign:  elementwise1(sign),
	ir.Floor: elementwise1(floor),
	ir.Exp:   elementwise1(exp),
	ir.Log:   elementwise1(log),
	ir.Log1p: elementwise1(log1p),
	ir.Sqrt:  elementwise1(sqrt),
	ir.Sin:   elementwise1(sin),
	ir.Cos:   elementwise1(cos),
	ir.Tanh:  elementwise1(tanh),

	ir.Add:       elementwise2(add),
	ir.Sub:       elementwise2(sub),
	ir.Mul:       elementwise2(mul),
	ir.Div:       elementwise2(div),
	ir.Max:       elementwise2(larger),
	ir.Min:       elementwise2(smaller),
	ir.Less:      elementwise2(less),
	ir.LessEqual: elementwise2(lessEqual),
	ir.Equal:     elementwise2(equal),
	ir.Select:    selectOp,

	ir.Broadcast: broadcast,
	ir.Reshape:   reshape,
	ir.Transpose: transpose,
	ir.Slice:     slice,
	ir.Concat:    concat,
	ir.Pad:       pad,
	ir.Gather:    gather,
	ir.OneHot:    oneHot,

	ir.ReduceSum: reduceSum,
	ir.ReduceMax: reduceMax,

	ir.MatMul:      matMul,
	ir.Conv2D:      conv2D,
	ir.Conv2DDX:    conv2DDX,
	ir.Conv2DDW:    conv2DDW,
	ir.MaxPool:     maxPool,
	ir.MaxPoolGrad: maxPoolGrad,
	ir.AvgPool:     avgPool,
	ir.AvgPoolGrad: avgPoolGrad,

	ir.Uniform: uniform,
	ir.Normal:  normal,

	ir.Square:     elementwise1(square),
	ir.Relu:       elementwise1(relu),
	ir.Sigmoid:    elementwise1(sigmoid),
	ir.Softplus:   elementwise1(softplus),
	ir.LogSoftmax: logSoftmax,
	ir.Linear:     linear,
	ir.Stop:       func(_ *ir.Instr, x []Value) Value { return x[0] },
}

// Eval runs the program on one argument for each of its parameters and returns
// its results, all in the program's order. It leaves the arguments as they
// are, and may return their memory. The error says which argument does not fit,
// or why the program is not valid.
func Eval(p *ir.Program, args ...Value) ([]Value, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("program %s: %w", p.Name, err)
	}
	params := p.Params()
	if len(args) != len(params) {
		return nil, fmt.Errorf("program %s: want %d arguments, found %d", p.Name, len(params), len(args))
	}
	values := make([]Value, len(p.Instrs))
	for i, v := range params {
		if want := p.Type(v); !want.Equal(args[i].Type) {
			return nil, fmt.Errorf("program %s: argument %d, %q: want %s, found %s",
				p.Name, i, p.Instrs[v].Name, want, args[i].Type)
		}
		if err := args[i].check(); err != nil {
			return nil, fmt.Errorf("program %s: argument %d, %q: %w", p.Name, i, p.Instrs[v].Name, err)
		}
		values[v] = args[i]
	}
	for i := range p.Instrs {
		in := &p.Instrs[i]
		if in.Op == ir.Param {
			continue
		}
		x := make([]Value, len(in.Args))
		for j, a := range in.Args {
			x[j] = values[a]
		}
		values[i] = evals[in.Op](in, x)
	}
	results := make([]Value, len(p.Results))
	for i, r := range p.Results {
		results[i] = values[r.Value]
	}
	return results, nil
}

package ir_test

import (
	"fmt"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// A program is built, differentiated, printed and run.
func Example() {
	p, err := ir.Build("squares", func(b *ir.Builder) {
		x := b.Param("x", ir.Float(3))
		loss := b.Sum(b.Square(x))
		b.Result("loss", loss)
		b.Result("dx", b.Grad(loss, x)[0])
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(ir.Clean(p))
	y, err := ref.Eval(p, ref.Float([]float64{1, -2, 3}, 3))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(y[0].F, y[1].F)
	// Output:
	// program squares
	// %0 = param "x" : f32[3]
	// %1 = square %0 : f32[3]
	// %2 = reduce_sum %1 dims=[0] : f32[]
	// %3 = const 1 : f32[]
	// %4 = broadcast %3 dims=[] : f32[3]
	// %5 = const 2 : f32[]
	// %6 = broadcast %5 dims=[] : f32[3]
	// %7 = mul %4 %6 : f32[3]
	// %8 = mul %7 %0 : f32[3]
	// return "loss" %2 "dx" %8
	// [14] [2 -4 6]
}

// An operand that does not fit is an error of the whole build.
func ExampleBuild() {
	_, err := ir.Build("p", func(b *ir.Builder) {
		b.Add(b.Param("x", ir.Float(2, 3)), b.Param("y", ir.Float(2)))
	})
	fmt.Println(err)
	// Output: program p: %2 = broadcast: axis 0 of f32[2] does not fit axis 1 of f32[2 3]
}

func ExampleParse() {
	_, err := ir.Parse(`program p
%0 = param "x" : f32[2 3]
%1 = transpose %0 dims=[1 1] : f32[3 2]
return "y" %1
`)
	fmt.Println(err)
	// Output: line 3: dims [1 1] are no permutation of the axes of f32[2 3]
}

package ir_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// layerCase is a layer's output and gradients as PyTorch computes them in
// float64; the gradients are those of Σ output·grad_output.
type layerCase struct {
	Op     string
	Attrs  map[string][]float64
	Inputs map[string]struct {
		Shape  []int
		Values []float64
	}
	Output     []float64
	GradOutput []float64 `json:"grad_output"`
	Grads      map[string][]float64
}

// layer builds a program for one case of testdata/layers.json.
type layer struct {
	*ir.Builder
	c    *layerCase
	in   map[string]ir.Value
	args []ref.Value
}

// input declares the named input of the case; later calls give it again.
func (l *layer) input(name string) ir.Value {
	if v, ok := l.in[name]; ok {
		return v
	}
	x := l.c.Inputs[name]
	l.in[name] = l.param(name, ref.Float(x.Values, x.Shape...))
	return l.in[name]
}

func (l *layer) param(name string, v ref.Value) ir.Value {
	l.args = append(l.args, v)
	return l.Param(name, v.Type)
}

// attr is a list of numbers as a parameter.
func (l *layer) attr(name string, shape ...int) ir.Value {
	return l.param(name, ref.Float(l.c.Attrs[name], shape...))
}

func (l *layer) number(name string) float64 { return l.c.Attrs[name][0] }

func (l *layer) pair(name string) [2]int {
	n := int(l.number(name))
	return [2]int{n, n}
}

// channels repeats a vector along all axes but the second.
func (l *layer) channels(v ir.Value, shape []int) ir.Value { return l.Broadcast(v, shape, 1) }

// normalise is (x − mean)/√(variance + eps)·g + b, by channel.
func (l *layer) normalise(mean, variance ir.Value) ir.Value {
	x := l.input("x")
	s := l.Shape(x)
	scale := l.Div(l.input("g"), l.Sqrt(l.AddConst(variance, l.number("eps"))))
	centred := l.Sub(x, l.channels(mean, s))
	return l.Add(l.Mul(centred, l.channels(scale, s)), l.channels(l.input("b"), s))
}

// reparameterised is m + √v·noise, the local reparameterisation with the mean
// and variance of a linear layer's output.
func (l *layer) reparameterised(mean, variance ir.Value) ir.Value {
	y := l.Linear(l.input("x"), mean, l.input("b"))
	v := l.AddConst(l.MatMul(l.Square(l.input("x")), variance, false, true), l.number("var_eps"))
	return l.Add(y, l.Mul(l.Sqrt(v), l.attr("eps_noise", l.Shape(y)...)))
}

var layers = map[string]func(l *layer) ir.Value{
	"conv2d": func(l *layer) ir.Value {
		y := l.Conv2D(l.input("x"), l.input("w"), l.pair("stride"), l.pair("padding"), 1)
		return l.Add(y, l.channels(l.input("b"), l.Shape(y)))
	},
	"maxpool2d": func(l *layer) ir.Value {
		return l.MaxPool(l.input("x"), l.pair("kernel"), l.pair("stride"), l.pair("padding"))
	},
	"avgpool2d": func(l *layer) ir.Value {
		return l.AvgPool(l.input("x"), l.pair("kernel"), l.pair("stride"), l.pair("padding"))
	},
	"batchnorm_train": func(l *layer) ir.Value {
		x := l.input("x")
		mean := l.Mean(x, 0, 2, 3)
		variance := l.Mean(l.Square(l.Sub(x, l.channels(mean, l.Shape(x)))), 0, 2, 3)
		n := float64(l.Type(x).Size() / l.Type(mean).Size())
		momentum := l.number("momentum")
		track := func(name string, old, batch ir.Value) {
			l.Result(name, l.Add(l.MulConst(old, 1-momentum), l.MulConst(batch, momentum)))
		}
		track("running_mean1", l.attr("running_mean0", l.Shape(mean)...), mean)
		track("running_var1", l.attr("running_var0", l.Shape(mean)...), l.MulConst(variance, n/(n-1)))
		return l.normalise(mean, variance)
	},
	"batchnorm_eval": func(l *layer) ir.Value {
		n := l.Shape(l.input("x"))[1]
		return l.normalise(l.attr("running_mean", n), l.attr("running_var", n))
	},
	"linear": func(l *layer) ir.Value { return l.Linear(l.input("x"), l.input("w"), l.input("b")) },
	"cross_entropy_mean": func(l *layer) ir.Value {
		x := l.input("x")
		labels := ref.Zeros(ir.Uint(l.Shape(x)[0]))
		for i, c := range l.c.Attrs["labels"] {
			labels.U[i] = uint32(c)
		}
		hot := l.OneHot(l.param("labels", labels), l.Shape(x)[1])
		return l.Reshape(l.Neg(l.Mean(l.Sum(l.Mul(l.LogSoftmax(x), hot), 1))), 1)
	},
	"svd_linear_lrt": func(l *layer) ir.Value {
		return l.reparameterised(l.input("theta"), l.Exp(l.input("log_sigma2")))
	},
	"ffg_linear_lrt": func(l *layer) ir.Value {
		return l.reparameterised(l.input("mu"), l.Exp(l.MulConst(l.input("log_sigma"), 2)))
	},
	"ffg_linear_weight_sample": func(l *layer) ir.Value {
		mu := l.input("mu")
		w := l.Add(mu, l.Mul(l.Softplus(l.input("rho")), l.attr("eps_noise", l.Shape(mu)...)))
		return l.Linear(l.input("x"), w, l.input("b"))
	},
}

func TestLayersAgreeWithPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/layers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []layerCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		tested[c.Op] = true
		t.Run(fmt.Sprintf("%s/%d", c.Op, i), func(t *testing.T) { c.check(t) })
	}
	for op := range layers {
		if !tested[op] {
			t.Errorf("%s: no case in testdata", op)
		}
	}
}

func (c *layerCase) check(t *testing.T) {
	build := layers[c.Op]
	if build == nil {
		t.Fatalf("no layer %s", c.Op)
	}
	l := &layer{c: c, in: map[string]ir.Value{}}
	p, err := ir.Build(c.Op, func(b *ir.Builder) {
		l.Builder = b
		y := build(l)
		b.Result("output", y)
		g := l.param("grad_output", ref.Float(c.GradOutput, b.Shape(y)...))
		var names []string
		var wrt []ir.Value
		for name := range c.Grads {
			names, wrt = append(names, name), append(wrt, l.input(name))
		}
		for i, d := range b.Grad(b.Sum(b.Mul(y, g)), wrt...) {
			b.Result("d"+names[i], d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float64{"output": c.Output}
	for name, g := range c.Grads {
		want["d"+name] = g
	}
	for _, name := range []string{"running_mean1", "running_var1"} {
		if v := c.Attrs[name]; v != nil {
			want[name] = v
		}
	}
	found := eval(t, p, l.args)
	if len(found) != len(want) {
		t.Fatalf("%d results for %d expected arrays", len(found), len(want))
	}
	for r, v := range found {
		name := p.Results[r].Name
		if len(want[name]) != len(v.F) {
			t.Fatalf("%s: found %d elements, want %d", name, len(v.F), len(want[name]))
		}
		// The file holds 12 digits.
		for i, w := range want[name] {
			if !(math.Abs(v.F[i]-w) <= 1e-11*(1+math.Abs(w))) {
				t.Errorf("%s[%d]: found %v, want %v", name, i, v.F[i], w)
			}
		}
	}
}

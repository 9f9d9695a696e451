package gonum

import (
	"fmt"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

// step is a training step for tests and benchmarks: a network under one of the
// posteriors, its gradient and Adam, as the methods write them.
type step struct {
	b    *ir.Builder
	kind string // "deterministic", "dropout", "ffg", "sparsevd"
	// sampled draws the weights rather than the outputs, one sample for a batch,
	// as prediction does.
	sampled bool
	key     ir.Value
	names   []string
	state   []ir.Value
	kl      []ir.Value
	sites   uint32
}

func (s *step) weight(name string, shape ...int) ir.Value {
	w := s.b.Param(name, ir.Float(shape...))
	s.names, s.state = append(s.names, name), append(s.state, w)
	return w
}

func (s *step) noise(shape []int) ir.Value {
	s.sites++
	return s.b.Normal(s.key, s.sites, shape...)
}

func (s *step) variational(name string, shape ...int) (mean, variance ir.Value) {
	b := s.b
	mean = s.weight(name+".mu", shape...)
	if s.kind == "ffg" {
		ls := s.weight(name+".logsigma", shape...)
		variance = b.Exp(b.MulConst(ls, 2))
		k := b.Sub(b.MulConst(b.AddConst(b.Add(variance, b.Square(mean)), -1), 0.5), ls)
		s.kl = append(s.kl, b.Sum(k))
		return mean, variance
	}
	ls2 := s.weight(name+".logsigma2", shape...)
	variance = b.Exp(ls2)
	la := b.Clamp(b.Sub(ls2, b.MulConst(b.Log(b.AddConst(b.Abs(mean), 1e-8)), 2)), -10, 10)
	k := b.MulConst(b.Sigmoid(b.AddConst(b.MulConst(la, 1.48695), 1.8732)), 0.63576)
	k = b.Sub(k, b.MulConst(b.Softplus(b.Neg(la)), 0.5))
	s.kl = append(s.kl, b.Neg(b.Sum(b.AddConst(k, -0.63576))))
	return mean, variance
}

func (s *step) linear(name string, x ir.Value, out int) ir.Value {
	b := s.b
	in := b.Shape(x)[1]
	bias := s.weight(name+".b", out)
	if s.kind == "deterministic" || s.kind == "dropout" {
		return b.Linear(x, s.weight(name+".w", out, in), bias)
	}
	mean, variance := s.variational(name, out, in)
	if s.sampled {
		return b.Linear(x, b.Add(mean, b.Mul(b.Sqrt(variance), s.noise(b.Shape(mean)))), bias)
	}
	m := b.Linear(x, mean, bias)
	v := b.MatMul(b.Square(x), variance, false, true)
	return b.Add(m, b.Mul(b.Sqrt(b.AddConst(v, 1e-8)), s.noise(b.Shape(m))))
}

func (s *step) conv(name string, x ir.Value, out, k, pad int) ir.Value {
	b := s.b
	in := b.Shape(x)[1]
	bias := s.weight(name+".b", out)
	add := func(y ir.Value) ir.Value { return b.Add(y, b.Broadcast(bias, b.Shape(y), 1)) }
	one, p := [2]int{1, 1}, [2]int{pad, pad}
	if s.kind == "deterministic" || s.kind == "dropout" {
		return add(b.Conv2D(x, s.weight(name+".w", out, in, k, k), one, p, 1))
	}
	mean, variance := s.variational(name, out, in, k, k)
	if s.sampled {
		return add(b.Conv2D(x, b.Add(mean, b.Mul(b.Sqrt(variance), s.noise(b.Shape(mean)))), one, p, 1))
	}
	m := add(b.Conv2D(x, mean, one, p, 1))
	v := b.Conv2D(b.Square(x), variance, one, p, 1)
	return b.Add(m, b.Mul(b.Sqrt(b.AddConst(v, 1e-8)), s.noise(b.Shape(m))))
}

func (s *step) dropout(x ir.Value) ir.Value {
	if s.kind != "dropout" {
		return x
	}
	s.sites++
	b := s.b
	keep := b.LessEqual(b.Const(0.5), b.Uniform(s.key, s.sites, b.Shape(x)...))
	return b.Mul(x, b.MulConst(keep, 2))
}

// batchNorm normalises channels by the batch's moments.
func (s *step) batchNorm(name string, x ir.Value) ir.Value {
	b := s.b
	shape := b.Shape(x)
	dims := []int{0}
	if len(shape) == 4 {
		dims = []int{0, 2, 3}
	}
	wide := func(v ir.Value) ir.Value { return b.Broadcast(v, shape, 1) }
	gain, bias := s.weight(name+".gain", shape[1]), s.weight(name+".bias", shape[1])
	centred := b.Sub(x, wide(b.Mean(x, dims...)))
	variance := b.Mean(b.Square(centred), dims...)
	scale := b.Div(gain, b.Sqrt(b.AddConst(variance, 1e-5)))
	return b.Add(b.Mul(centred, wide(scale)), wide(bias))
}

func lenet300(s *step, x ir.Value) ir.Value {
	b := s.b
	h := s.dropout(b.Relu(s.linear("fc1", x, 300)))
	h = s.dropout(b.Relu(s.linear("fc2", h, 100)))
	return s.linear("fc3", h, 10)
}

func lenet5(s *step, x ir.Value) ir.Value {
	b := s.b
	two, no := [2]int{2, 2}, [2]int{}
	h := b.MaxPool(b.Relu(s.conv("conv1", x, 20, 5, 0)), two, two, no)
	h = b.MaxPool(b.Relu(s.conv("conv2", h, 50, 5, 0)), two, two, no)
	h = s.dropout(b.Relu(s.linear("fc1", b.Flatten(h), 500)))
	return s.linear("fc2", h, 10)
}

func vgg(s *step, x ir.Value) ir.Value {
	b := s.b
	two, no := [2]int{2, 2}, [2]int{}
	h := x
	for i, width := range []int{16, 16, 0, 32, 32, 0, 64, 64, 64, 0, 128, 128, 128, 0, 128, 128, 128, 0} {
		if width == 0 {
			h = b.MaxPool(h, two, two, no)
			continue
		}
		name := fmt.Sprint("conv", i)
		h = b.Relu(s.batchNorm(name, s.conv(name, h, width, 3, 1)))
	}
	h = b.Relu(s.batchNorm("fc1", s.linear("fc1", b.Flatten(h), 128)))
	return s.linear("fc2", h, 10)
}

// newStep writes the step: parameters x, y, key, rate, eps, the state and Adam's
// moments of it; results loss, and the new state and moments.
func newStep(kind string, net func(*step, ir.Value) ir.Value, shape ...int) *ir.Program {
	p, err := ir.Build(kind, func(b *ir.Builder) {
		s := &step{b: b, kind: kind}
		x := b.Param("x", ir.Float(shape...))
		y := b.Param("y", ir.Float(shape[0], 10))
		s.key = b.Param("key", ir.Uint(2))
		rate, eps := b.Param("rate", ir.Float()), b.Param("eps", ir.Float())
		logits := net(s, x)
		loss := b.MulConst(b.Sum(b.Mul(b.LogSoftmax(logits), y)), -1/float64(shape[0]))
		for _, k := range s.kl {
			loss = b.Add(loss, b.MulConst(k, 1./60000))
		}
		grads := b.Grad(loss, s.state...)
		b.Result("loss", loss)
		for i, w := range s.state {
			m := b.Param(s.names[i]+".m", b.Type(w))
			v := b.Param(s.names[i]+".v", b.Type(w))
			m1 := b.Add(b.MulConst(m, 0.9), b.MulConst(grads[i], 0.1))
			v1 := b.Add(b.MulConst(v, 0.999), b.MulConst(b.Square(grads[i]), 0.001))
			b.Result(s.names[i], b.Sub(w, b.Div(b.Mul(m1, rate), b.Add(b.Sqrt(v1), eps))))
			b.Result(s.names[i]+".m", m1)
			b.Result(s.names[i]+".v", v1)
		}
	})
	if err != nil {
		panic(err)
	}
	return p
}

// newPredict writes the log-probabilities of one posterior sample for a batch.
func newPredict(kind string, net func(*step, ir.Value) ir.Value, shape ...int) *ir.Program {
	p, err := ir.Build(kind, func(b *ir.Builder) {
		s := &step{b: b, kind: kind, sampled: true}
		x := b.Param("x", ir.Float(shape...))
		s.key = b.Param("key", ir.Uint(2))
		b.Result("logp", b.LogSoftmax(net(s, x)))
	})
	if err != nil {
		panic(err)
	}
	return p
}

// arguments makes inputs for a step: a batch of normals, one-hot labels, a key,
// and weights at the scale that training starts with.
func arguments(p *ir.Program) []backends.Data {
	var out []backends.Data
	for i, v := range p.Params() {
		t, name := p.Type(v), p.Instrs[v].Name
		if t.DType == ir.U32 {
			out = append(out, backends.Data{U32: []uint32{3, 7}})
			continue
		}
		x := make([]float32, t.Size())
		switch suffix := name[max(0, len(name)-2):]; {
		case name == "y":
			for j := range x {
				if j%10 == j/10*7%10 {
					x[j] = 1
				}
			}
		case name == "rate":
			x[0] = 1e-3
		case name == "eps":
			x[0] = 1e-8
		case suffix == ".v":
			for j := range x {
				x[j] = 1e-4
			}
		case len(name) > 8 && name[len(name)-8:] == "logsigma":
			for j := range x {
				x[j] = -3
			}
		case len(name) > 8 && name[len(name)-8:] == "ogsigma2":
			for j := range x {
				x[j] = -6
			}
		case suffix == "in": // gain
			for j := range x {
				x[j] = 1
			}
		default:
			rng.Normal(x, rng.Key{uint32(i), 5}, 0)
			scale := float32(1)
			if name != "x" {
				scale = 0.1
			}
			for j := range x {
				x[j] *= scale
			}
		}
		out = append(out, backends.Data{F32: x})
	}
	return out
}

// bind allocates buffers for a program and writes its arguments.
func bind(t testing.TB, be *Backend, p *ir.Program, data []backends.Data) (args, results []backends.Buffer) {
	t.Helper()
	for i, v := range p.Params() {
		buf, err := be.Alloc(p.Type(v))
		if err == nil {
			err = buf.Write(data[i])
		}
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, buf)
	}
	for _, r := range p.Results {
		buf, err := be.Alloc(p.Type(r.Value))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, buf)
	}
	return args, results
}

// runOnce compiles and runs a program and returns the results.
func runOnce(t testing.TB, be *Backend, p *ir.Program, data []backends.Data) []backends.Data {
	t.Helper()
	e, err := be.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	args, results := bind(t, be, p, data)
	if err := e.Run(args, results); err != nil {
		t.Fatal(err)
	}
	var out []backends.Data
	for i, r := range p.Results {
		d := backends.Data{}
		if n := p.Type(r.Value).Size(); p.Type(r.Value).DType == ir.U32 {
			d.U32 = make([]uint32, n)
		} else {
			d.F32 = make([]float32, n)
		}
		if err := results[i].Read(d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

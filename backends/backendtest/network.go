package backendtest

import (
	"fmt"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// trajectory trains a small network: its program is one step. Result 0 is the
// loss; result 1+i is the new value of the parameter state[i].
type trajectory struct {
	name    string
	program *ir.Program
	state   []int
	first   []backends.Data                // arguments of the first step
	inputs  []func(step int) backends.Data // nil where the parameter is state
	tol     Tolerance
}

const steps = 40

// trajectories trains every network by every optimiser, by Adam alone under -short.
func trajectories() []trajectory {
	nets := []struct {
		name  string
		model func(n *net) ir.Value
	}{{"mlp", mlp}, {"ffg", ffg}, {"convnet", convnet}}
	optimisers := []struct {
		name   string
		update optimiser
	}{{"adam", adam}, {"momentum", momentum}}
	if testing.Short() {
		optimisers = optimisers[:1]
	}
	var out []trajectory
	for _, m := range nets {
		for _, o := range optimisers {
			out = append(out, newTrajectory(m.name+"/"+o.name, m.model, o.update))
		}
	}
	return out
}

// net builds a trajectory's program.
type net struct {
	*ir.Builder
	tr      *trajectory
	weights []weight         // what the optimiser trains
	next    map[int]ir.Value // the new value of each state parameter
}

type weight struct {
	value ir.Value
	set   func(ir.Value)
}

func newTrajectory(name string, model func(n *net) ir.Value, update optimiser) trajectory {
	tr := trajectory{name: name, tol: Tolerance{5e-5, 5e-5, "40 steps, each a few ulp apart; plain float32 is 2e-6 apart at the end"}}
	n := &net{tr: &tr, next: map[int]ir.Value{}}
	p, err := ir.Build(name, func(b *ir.Builder) {
		n.Builder = b
		loss := model(n)
		var values []ir.Value
		for _, w := range n.weights {
			values = append(values, w.value)
		}
		update(n, n.Grad(loss, values...))
		b.Result("loss", loss)
		for i := range tr.inputs {
			if tr.inputs[i] == nil {
				tr.state = append(tr.state, i)
				b.Result(fmt.Sprintf("p%d", i), n.next[i])
			}
		}
	})
	if err != nil {
		panic(err)
	}
	tr.program = p
	return tr
}

// state declares a parameter that a step renews; set gives the new value.
func (n *net) state(v []float32, shape ...int) (x ir.Value, set func(ir.Value)) {
	i := len(n.tr.inputs)
	n.tr.inputs = append(n.tr.inputs, nil)
	n.tr.first = append(n.tr.first, backends.Data{F32: v})
	return n.Param(fmt.Sprintf("p%d", i), ir.Float(shape...)), func(y ir.Value) { n.next[i] = y }
}

// weight declares a trained parameter from N(0, scale²).
func (n *net) weight(scale float64, shape ...int) ir.Value {
	v := normals(uint32(len(n.tr.inputs)), shape)
	for i := range v {
		v[i] *= float32(scale)
	}
	w, set := n.state(v, shape...)
	n.weights = append(n.weights, weight{w, set})
	return w
}

// input declares a parameter that is new at every step.
func (n *net) input(t ir.Type, at func(step int) backends.Data) ir.Value {
	i := len(n.tr.inputs)
	n.tr.inputs = append(n.tr.inputs, at)
	n.tr.first = append(n.tr.first, at(0))
	return n.Param(fmt.Sprintf("p%d", i), t)
}

const (
	batch   = 20
	classes = 5
)

// images is a batch of inputs; labels is, for each, the largest of its first
// five elements, so that there is something to learn.
func (n *net) images(shape ...int) (x, labels ir.Value) {
	shape = append([]int{batch}, shape...)
	at := func(step int) []float32 { return normals(uint32(1000+step), shape) }
	x = n.input(ir.Float(shape...), func(step int) backends.Data { return backends.Data{F32: at(step)} })
	y := n.input(ir.Uint(batch), func(step int) backends.Data {
		v, labels := at(step), make([]uint32, batch)
		for i := range labels {
			row := v[i*len(v)/batch:][:classes]
			for c := range row {
				if row[c] > row[labels[i]] {
					labels[i] = uint32(c)
				}
			}
		}
		return backends.Data{U32: labels}
	})
	return x, n.OneHot(y, classes)
}

// key is (seed, step).
func (n *net) key() ir.Value {
	return n.input(ir.Uint(2), func(step int) backends.Data { return backends.Data{U32: []uint32{42, uint32(step)}} })
}

func (n *net) crossEntropy(logits, labels ir.Value) ir.Value {
	return n.MulConst(n.Sum(n.Mul(n.LogSoftmax(logits), labels)), -1./batch)
}

// mlp is two hidden layers with dropout of a fifth.
func mlp(n *net) ir.Value {
	x, labels := n.images(16)
	key := n.key()
	h := x
	for i, width := range []int{32, 31} {
		h = n.Relu(n.Linear(h, n.weight(0.3, width, n.Shape(h)[1]), n.weight(0.1, width)))
		keep := n.LessEqual(n.Const(0.2), n.Uniform(key, uint32(i), n.Shape(h)...))
		h = n.Mul(h, n.MulConst(keep, 1/0.8))
	}
	return n.crossEntropy(n.Linear(h, n.weight(0.3, classes, 31), n.weight(0.1, classes)), labels)
}

// ffg is a layer of fully factorised Gaussian weights with local
// reparameterisation, and its KL divergence from N(0, 1).
func ffg(n *net) ir.Value {
	x, labels := n.images(16)
	key := n.key()
	h, kl := x, n.Const(0)
	for i, width := range []int{24, classes} {
		in := n.Shape(h)[1]
		mu, rho := n.weight(0.3, width, in), n.AddConst(n.weight(0.1, width, in), -5)
		mean := n.Linear(h, mu, n.weight(0.1, width))
		variance := n.MatMul(n.Square(h), n.Exp(rho), false, true)
		h = n.Add(mean, n.Mul(n.Sqrt(n.AddConst(variance, 1e-8)), n.Normal(key, uint32(i), batch, width)))
		if i == 0 {
			h = n.Softplus(h)
		}
		terms := n.Sub(n.Add(n.Exp(rho), n.Square(mu)), n.AddConst(rho, 1))
		kl = n.Add(kl, n.MulConst(n.Sum(terms), 0.5))
	}
	return n.Add(n.crossEntropy(h, labels), n.MulConst(kl, 1e-3))
}

// convnet is two convolutions, the second in groups, with batch normalisation,
// whose running mean is state that no gradient trains, and both kinds of pool.
func convnet(n *net) ir.Value {
	x, labels := n.images(1, 10, 10)
	h := n.Conv2D(x, n.weight(0.3, 4, 1, 3, 3), [2]int{1, 1}, [2]int{1, 1}, 1)
	mean := n.Mean(h, 0, 2, 3)
	centred := n.Sub(h, n.Broadcast(mean, n.Shape(h), 1))
	scale := n.Div(n.weight(1, 4), n.Sqrt(n.AddConst(n.Mean(n.Square(centred), 0, 2, 3), 1e-5)))
	h = n.Add(n.Mul(centred, n.Broadcast(scale, n.Shape(h), 1)), n.Broadcast(n.weight(0.1, 4), n.Shape(h), 1))
	running, set := n.state(make([]float32, 4), 4)
	set(n.Add(n.MulConst(running, 0.9), n.MulConst(mean, 0.1)))
	h = n.MaxPool(n.Relu(h), [2]int{2, 2}, [2]int{2, 2}, [2]int{})
	h = n.Tanh(n.Conv2D(h, n.weight(0.3, 6, 2, 3, 3), [2]int{2, 2}, [2]int{1, 1}, 2))
	h = n.AvgPool(h, [2]int{2, 2}, [2]int{1, 1}, [2]int{})
	h = n.Flatten(h)
	return n.crossEntropy(n.Linear(h, n.weight(0.3, classes, n.Shape(h)[1]), n.weight(0.1, classes)), labels)
}

// optimiser gives every weight its new value from its gradient.
type optimiser func(n *net, grads []ir.Value)

// slot is an optimiser's state for one weight, zero at first.
func (n *net) slot(w ir.Value) (x ir.Value, set func(ir.Value)) {
	return n.state(make([]float32, size(n.Shape(w))), n.Shape(w)...)
}

// momentum is SGD with momentum 0.9: v ← 0.9·v + g, w ← w − 0.02·v.
func momentum(n *net, grads []ir.Value) {
	for i, w := range n.weights {
		v, setV := n.slot(w.value)
		v = n.Add(n.MulConst(v, 0.9), grads[i])
		setV(v)
		w.set(n.Sub(w.value, n.MulConst(v, 0.02)))
	}
}

// adam is Adam (Kingma and Ba 2015) with rate 0.003 and the usual constants;
// βᵗ is state, as a scalar each. Epsilon is 1e-4, so that a gradient of
// nothing but rounding moves no weight by a whole step.
func adam(n *net, grads []ir.Value) {
	const b1, b2, rate, eps = 0.9, 0.999, 0.003, 1e-4
	p1, set1 := n.state([]float32{1})
	p2, set2 := n.state([]float32{1})
	p1, p2 = n.MulConst(p1, b1), n.MulConst(p2, b2)
	set1(p1)
	set2(p2)
	one := n.Const(1)
	for i, w := range n.weights {
		g := grads[i]
		m, setM := n.slot(w.value)
		v, setV := n.slot(w.value)
		m = n.Add(n.MulConst(m, b1), n.MulConst(g, 1-b1))
		v = n.Add(n.MulConst(v, b2), n.MulConst(n.Square(g), 1-b2))
		setM(m)
		setV(v)
		m, v = n.Div(m, n.Sub(one, p1)), n.Div(v, n.Sub(one, p2))
		w.set(n.Sub(w.value, n.Div(n.MulConst(m, rate), n.AddConst(n.Sqrt(v), eps))))
	}
}

// networkCases are single steps of the trajectories, and the pieces that a
// fusing backend sees in one program.
func networkCases() []Case {
	var out []Case
	for _, tr := range trajectories() {
		out = append(out, Case{"network/" + tr.name, tr.program, tr.first, Tolerance{2e-6, 1e-5, "one training step"}})
	}
	return out
}

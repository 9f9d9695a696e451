package nn

import (
	"fmt"

	"bayesbench/backends/ir"
)

// Point is layers whose parameters are point estimates, the ones that others
// embed: weights as Init says, biases 0, batch normalisation as PyTorch's.
type Point struct {
	*Scope
	Init Initializer
	// Penalty is −log p(w) of a weight tensor up to a constant, BiasPenalty that
	// of biases and of batch normalisation's scale and shift; nil for a flat
	// prior.
	Penalty, BiasPenalty func(w ir.Value) ir.Value
}

func (p *Point) Builder() *ir.Builder { return p.Scope.Builder }

func (p *Point) Linear(name string, x ir.Value, out int) ir.Value {
	in := p.Shape(x)[1]
	return p.Scope.Linear(x, p.weight(name, []int{out, in}), p.bias(name, out))
}

func (p *Point) Conv(name string, x ir.Value, c Conv) ir.Value {
	stride, pad, groups := c.window()
	y := p.Conv2D(x, p.weight(name, c.shape(p.channels(name, x))), stride, pad, groups)
	if c.NoBias {
		return y
	}
	return p.addBias(y, p.bias(name, c.Out))
}

// channels is how many the input of a convolution has.
func (p *Point) channels(layer string, x ir.Value) int {
	if p.Type(x).Rank() != 4 {
		p.Fail(fmt.Errorf("layer %s is a convolution and wants images, f32[examples channels height width]; found %s", layer, p.Type(x)))
	}
	return p.Shape(x)[1]
}

func (p *Point) Dropout(name string, x ir.Value, rate float64) ir.Value { return x }

func (p *Point) weight(layer string, shape []int) ir.Value {
	w := p.Learn(layer+".w", p.Initial(shape), shape...)
	if p.Penalty != nil {
		p.Prior = append(p.Prior, p.Penalty(w))
	}
	return w
}

func (p *Point) bias(layer string, out int) ir.Value {
	return p.penalised(p.Learn(layer+".b", Init{}, out))
}

func (p *Point) penalised(v ir.Value) ir.Value {
	if p.BiasPenalty != nil {
		p.Prior = append(p.Prior, p.BiasPenalty(v))
	}
	return v
}

// addBias adds a bias to the channels of a convolution.
func (p *Point) addBias(y, bias ir.Value) ir.Value {
	return p.Add(y, p.Broadcast(bias, p.Shape(y), 1))
}

// Initial is the initial distribution of weights of the shape [out in…].
func (p *Point) Initial(shape []int) Init { return p.Init.Init(fans(shape)) }

// fans counts the inputs of one output of weights [out in…], and the outputs
// of one input.
func fans(shape []int) (in, out int) {
	window := 1
	for _, n := range shape[2:] {
		window *= n
	}
	return shape[1] * window, shape[0] * window
}

// BatchNorm is γ·(x − m)/√(v + ε) + β by channel, m and v the batch's mean and
// biased variance in training and the running ones in prediction. The running
// ones move towards each batch's mean and unbiased variance. Under Share
// the running ones become the averages of the batches' since Share was 1. Ioffe and
// Szegedy, "Batch normalization", ICML 2015.
func (p *Point) BatchNorm(name string, x ir.Value, n Norm) ir.Value {
	channels := p.Shape(x)[1]
	gamma := p.penalised(p.Learn(name+".gamma", Init{A: 1}, channels))
	beta := p.penalised(p.Learn(name+".beta", Init{}, channels))
	return p.normalise(name, x, n, gamma, beta)
}

// normalise is BatchNorm with the given scale and shift.
func (p *Point) normalise(name string, x ir.Value, n Norm, gamma, beta ir.Value) ir.Value {
	n = n.withDefaults()
	shape := p.Shape(x)
	channels := shape[1]
	over, rows := []int{0}, shape[0]
	for axis := 2; axis < len(shape); axis++ {
		over = append(over, axis)
		rows *= shape[axis]
	}
	wide := func(v ir.Value) ir.Value { return p.Broadcast(v, shape, 1) }
	mean := p.Keep(name+".mean", Init{}, channels)
	variance := p.Keep(name+".var", Init{A: 1}, channels)
	if !p.Training {
		scale := p.Div(gamma, p.Sqrt(p.AddConst(variance, n.Eps)))
		return p.Add(p.Mul(p.Sub(x, wide(mean)), wide(scale)), wide(beta))
	}
	m := p.Mean(x, over...)
	centred := p.Sub(x, wide(m))
	v := p.Mean(p.Square(centred), over...)
	towards := func(slot, batch ir.Value) {
		if p.Share != ir.None {
			p.Set(slot, p.Add(slot, p.Mul(p.Sub(batch, slot), p.Share)))
			return
		}
		p.Set(slot, p.Add(p.MulConst(slot, 1-n.Momentum), p.MulConst(batch, n.Momentum)))
	}
	towards(mean, m)
	towards(variance, p.MulConst(v, float64(rows)/float64(max(rows-1, 1))))
	scale := p.Div(gamma, p.Sqrt(p.AddConst(v, n.Eps)))
	return p.Add(p.Mul(centred, wide(scale)), wide(beta))
}

// responseEps is the ε of Singh and Krishnan.
const responseEps = 1e-6

// ResponseNorm is γ·x/√(ν² + ε) + β by channel, ν² the mean of x² over the
// example's map, alike in training and prediction. Singh and Krishnan, "Filter
// response normalization layer", CVPR 2020, eq. 1 to 3; without their
// thresholded unit, in whose place Swish stands here.
func (p *Point) ResponseNorm(name string, x ir.Value) ir.Value {
	shape := p.Shape(x)
	gamma := p.penalised(p.Learn(name+".gamma", Init{A: 1}, shape[1]))
	beta := p.penalised(p.Learn(name+".beta", Init{}, shape[1]))
	size := p.Sqrt(p.AddConst(p.Mean(p.Square(x), 2, 3), responseEps))
	y := p.Div(x, p.Broadcast(size, shape, 0, 1))
	return p.Add(p.Mul(y, p.Broadcast(gamma, shape, 1)), p.Broadcast(beta, shape, 1))
}

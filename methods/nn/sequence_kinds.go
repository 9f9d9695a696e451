package nn

import (
	"fmt"

	"bayesbench/backends/ir"
)

// LayerKinds lists the layers that a list can have.
func LayerKinds() []LayerKind {
	return []LayerKind{
		{"linear [N] [nobias]", "fully connected, N outputs; the last layer of a list has no N", makeLinear},
		{"conv OUT KxK [stride S] [pad P] [groups G] [nobias]", "convolution; K, S and P as 3 or as 3x1 (height by width)", makeConv},
		{"flatten", "images become numbers in a row", plainly(func(s *sequence, x ir.Value) ir.Value { return s.b.Flatten(x) })},
		{"dropout [P]", "a place where methods of dropout drop units; P is the rate for them, where they set none", makeDropout},
		{"batchnorm", "batch normalisation", plainly(func(s *sequence, x ir.Value) ir.Value { return s.BatchNorm(s.next("bn"), x, Norm{}) })},
		{"responsenorm", "filter response normalisation of images", plainly(func(s *sequence, x ir.Value) ir.Value {
			s.images(x)
			return s.ResponseNorm(s.next("frn"), x)
		})},
		{"maxpool K [stride S] [pad P]", "the largest of each window; S is K where it is left out", makePool((*ir.Builder).MaxPool)},
		{"avgpool K [stride S] [pad P]", "the mean of each window, padding counted as 0", makePool((*ir.Builder).AvgPool)},
		{"globalavgpool", "the mean of each channel, as numbers in a row", plainly(func(s *sequence, x ir.Value) ir.Value {
			s.images(x)
			return s.b.Mean(x, 2, 3)
		})},
		{"globalmaxpool", "the largest of each channel, as numbers in a row", plainly(func(s *sequence, x ir.Value) ir.Value {
			s.images(x)
			return s.b.MaxOver(x, 2, 3)
		})},
		{"basic-block OUT [stride S]", "a residual block of two 3x3 convolutions (He et al. 2016)", makeBlock(false)},
		{"bottleneck WIDTH [stride S]", "a residual block 1x1, 3x3, 1x1 of 4·WIDTH channels (He et al. 2016)", makeBlock(true)},
		{"relu", "max(x, 0)", elementwise((*ir.Builder).Relu)},
		{"relu6", "min(max(x, 0), 6)", elementwise(func(b *ir.Builder, x ir.Value) ir.Value { return b.Clamp(x, 0, 6) })},
		{"leakyrelu [SLOPE]", "x, or SLOPE·x below 0; SLOPE is 0.01 where it is left out", func(t *layerText) step {
			slope := t.real("SLOPE", 0.01, 0, 1)
			return func(s *sequence, x ir.Value) ir.Value { return LeakyRelu(s.b, x, slope) }
		}},
		{"elu [ALPHA]", "x, or ALPHA·(exp(x) − 1) below 0; ALPHA is 1 where it is left out", func(t *layerText) step {
			alpha := t.real("ALPHA", 1, 0, 1e6)
			return func(s *sequence, x ir.Value) ir.Value { return Elu(s.b, x, alpha) }
		}},
		{"gelu", "x·Φ(x)", elementwise(Gelu)},
		{"silu", "x·sigmoid(x), also called Swish", elementwise(Silu)},
		{"mish", "x·tanh(softplus(x))", elementwise(Mish)},
		{"hardswish", "x·min(max(x + 3, 0), 6)/6", elementwise(HardSwish)},
		{"softplus", "log(1 + exp x)", elementwise((*ir.Builder).Softplus)},
		{"sigmoid", "1/(1 + exp −x)", elementwise((*ir.Builder).Sigmoid)},
		{"tanh", "tanh x", elementwise((*ir.Builder).Tanh)},
	}
}

// plainly makes a layer whose text has no values.
func plainly(f step) func(*layerText) step { return func(*layerText) step { return f } }

func elementwise(f func(*ir.Builder, ir.Value) ir.Value) func(*layerText) step {
	return plainly(func(s *sequence, x ir.Value) ir.Value { return f(s.b, x) })
}

func makeLinear(t *layerText) step {
	n, bare := t.whole("N", 0, 1, maxWidth), t.flag("nobias")
	return func(s *sequence, x ir.Value) ir.Value {
		s.numbers(x)
		out := n
		if out == 0 {
			out = s.outputs
		}
		if bare {
			return LinearNoBias(s.Layers, s.next("fc"), x, out)
		}
		return s.Linear(s.next("fc"), x, out)
	}
}

// LinearNoBias is x·wᵀ, x f32[n in]: a 1x1 convolution of images of one pixel, w [out in 1 1].
func LinearNoBias(l Layers, name string, x ir.Value, out int) ir.Value {
	b := l.Builder()
	n, in := b.Shape(x)[0], b.Shape(x)[1]
	return b.Reshape(l.Conv(name, b.Reshape(x, n, in, 1, 1), Conv{Out: out, Kernel: 1, NoBias: true}), n, out)
}

func makeConv(t *layerText) step {
	kernel, stride, pad := t.pair("KxK", [2]int{}, 1), t.pair("stride", [2]int{1, 1}, 1), t.pair("pad", [2]int{}, 0)
	c := Conv{
		Out: t.whole("OUT", 0, 1, maxWidth), Kernel: kernel[0], Stride: stride[0], Pad: pad[0],
		Groups: t.whole("groups", 1, 1, maxWidth), NoBias: t.flag("nobias"),
	}
	if wide := (Span{kernel[1], stride[1], pad[1]}); wide != (Span{c.Kernel, c.Stride, c.Pad}) {
		c.Width = wide
	}
	return func(s *sequence, x ir.Value) ir.Value {
		s.images(x)
		if in := s.b.Shape(x)[1]; in%c.Groups != 0 || c.Out%c.Groups != 0 {
			s.b.Fail(fmt.Errorf("want as many groups as divide the %d channels and the %d outputs, found %d", in, c.Out, c.Groups))
		}
		return s.Conv(s.next("conv"), x, c)
	}
}

func makeDropout(t *layerText) step {
	rate := t.real("P", 0, 0, 1)
	return func(s *sequence, x ir.Value) ir.Value { return s.Dropout(s.next("drop"), x, rate) }
}

func makePool(pool func(b *ir.Builder, x ir.Value, kernel, stride, pad [2]int) ir.Value) func(t *layerText) step {
	return func(t *layerText) step {
		kernel := t.pair("K", [2]int{}, 1)
		stride, pad := t.pair("stride", kernel, 1), t.pair("pad", [2]int{}, 0)
		return func(s *sequence, x ir.Value) ir.Value {
			s.images(x)
			return pool(s.b, x, kernel, stride, pad)
		}
	}
}

func makeBlock(bottleneck bool) func(t *layerText) step {
	return func(t *layerText) step {
		key := "OUT"
		if bottleneck {
			key = "WIDTH"
		}
		width, stride := t.whole(key, 0, 1, maxWidth), t.whole("stride", 1, 1, maxSpan)
		return func(s *sequence, x ir.Value) ir.Value {
			s.images(x)
			return resnet{bottleneck: bottleneck}.block(s.Layers, s.next("block"), x, width, stride)
		}
	}
}

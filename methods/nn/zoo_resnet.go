package nn

import (
	"fmt"

	"bayesbench/backends/ir"
)

// resnet builds the residual networks of He et al. 2016, "Deep residual
// learning for image recognition" (CVPR), with batch normalisation after each
// convolution and torchvision's geometry. The paper has no dropout; it stands
// where the wide ResNets have it, before a block's last 3x3 convolution, and
// before the outputs, where dropout of the last layer alone is put.
type resnet struct {
	stem stem
	// smooth puts filter response normalisation and Swish in place of batch
	// normalisation and ReLU: no example depends on the others of its batch, and
	// the posterior is smooth. Izmailov et al., "What are Bayesian neural network
	// posteriors really like?", ICML 2021, section 3.
	smooth     bool
	bottleneck bool // 1x1-3x3-1x1 blocks of four times the width (ResNet-50)
	blocks     []int
	widths     []int
}

// stem is how a network comes from the image to its first width.
type stem int

const (
	stem7x7 stem = iota // 7x7 stride 2, 3x3 max pooling stride 2: ImageNet
	stem3x3             // 3x3: small images
)

func (r resnet) apply(l Layers, x ir.Value, outputs int) ir.Value {
	b := l.Builder()
	switch r.stem {
	case stem7x7:
		x = r.conv(l, "stem", x, Conv{Out: r.widths[0], Kernel: 7, Stride: 2, Pad: 3})
		x = b.MaxPool(r.act(b, x), [2]int{3, 3}, [2]int{2, 2}, [2]int{1, 1})
	case stem3x3:
		x = r.act(b, r.conv(l, "stem", x, Conv{Out: r.widths[0], Kernel: 3, Pad: 1}))
	}
	for i, n := range r.blocks {
		for j := range n {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			x = r.block(l, fmt.Sprintf("layer%d_%d", i+1, j+1), x, r.widths[i], stride)
		}
	}
	return l.Linear("fc", l.Dropout("drop", b.Mean(x, 2, 3), resnetDropout), outputs)
}

// resnetDropout is the rate of every site: batch normalisation and few units a
// block bear little.
const resnetDropout = 0.1

func (r resnet) block(l Layers, name string, x ir.Value, width, stride int) ir.Value {
	b := l.Builder()
	out := width
	y := x
	if r.bottleneck {
		out = 4 * width
		y = r.act(b, r.conv(l, name+"_a", y, Conv{Out: width, Kernel: 1}))
		y = l.Dropout(name+"_drop", y, resnetDropout)
		y = r.act(b, r.conv(l, name+"_b", y, Conv{Out: width, Kernel: 3, Stride: stride, Pad: 1}))
		y = r.conv(l, name+"_c", y, Conv{Out: out, Kernel: 1})
	} else {
		y = r.act(b, r.conv(l, name+"_a", y, Conv{Out: width, Kernel: 3, Stride: stride, Pad: 1}))
		y = l.Dropout(name+"_drop", y, resnetDropout)
		y = r.conv(l, name+"_b", y, Conv{Out: out, Kernel: 3, Pad: 1})
	}
	if stride != 1 || b.Shape(x)[1] != out {
		x = r.conv(l, name+"_skip", x, Conv{Out: out, Kernel: 1, Stride: stride})
	}
	return r.act(b, b.Add(x, y))
}

// conv is a convolution without bias and its normalisation.
func (r resnet) conv(l Layers, name string, x ir.Value, c Conv) ir.Value {
	c.NoBias = true
	y := l.Conv(name, x, c)
	if r.smooth {
		return l.ResponseNorm(name+"_frn", y)
	}
	return l.BatchNorm(name+"_bn", y, Norm{})
}

// act is the nonlinearity; Swish is x·sigmoid(x).
func (r resnet) act(b *ir.Builder, x ir.Value) ir.Value {
	if r.smooth {
		return b.Mul(x, b.Sigmoid(x))
	}
	return b.Relu(x)
}

// Three stages of three basic blocks of 16, 32 and 64 channels: 0.27 million
// weights (He et al. 2016, section 4.2).
var resnet20 = Model{
	Name:        "resnet-20",
	Description: "ResNet-20 for 32x32 images (He et al. 2016)",
	Apply:       resnet{stem: stem3x3, blocks: []int{3, 3, 3}, widths: []int{16, 32, 64}}.apply,
}

var resnet20FRN = Model{
	Name:        "resnet-20-frn",
	Description: "ResNet-20 with filter response normalisation and Swish (Izmailov et al. 2021)",
	Apply:       resnet{stem: stem3x3, smooth: true, blocks: []int{3, 3, 3}, widths: []int{16, 32, 64}}.apply,
}

var resnet18 = Model{
	Name:        "resnet-18",
	Description: "ResNet-18, 7x7 stem (He et al. 2016)",
	Apply:       resnet{blocks: []int{2, 2, 2, 2}, widths: []int{64, 128, 256, 512}}.apply,
}

var resnet18Small = Model{
	Name:        "resnet-18-3x3",
	Description: "ResNet-18, 3x3 stem without pooling, for small images",
	Apply:       resnet{stem: stem3x3, blocks: []int{2, 2, 2, 2}, widths: []int{64, 128, 256, 512}}.apply,
}

var resnet50 = Model{
	Name:        "resnet-50",
	Description: "ResNet-50, 7x7 stem (He et al. 2016)",
	Apply:       resnet{bottleneck: true, blocks: []int{3, 4, 6, 3}, widths: []int{64, 128, 256, 512}}.apply,
}

// wideResNet is WRN-28-k of Zagoruyko and Komodakis, "Wide residual networks",
// BMVC 2016: pre-activation basic blocks, three stages of four of 16k, 32k and
// 64k channels. Dropout stands between a block's convolutions.
func wideResNet(k int) Model {
	return Model{
		Name:        fmt.Sprintf("wide-resnet-28-%d", k),
		Description: fmt.Sprintf("wide ResNet-28-%d for 32x32 images (Zagoruyko & Komodakis 2016)", k),
		Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
			b := l.Builder()
			x = l.Conv("stem", x, Conv{Out: 16, Kernel: 3, Pad: 1, NoBias: true})
			for i, width := range []int{16 * k, 32 * k, 64 * k} {
				for j := range 4 {
					stride := 1
					if i > 0 && j == 0 {
						stride = 2
					}
					name := fmt.Sprintf("layer%d_%d", i+1, j+1)
					h := b.Relu(l.BatchNorm(name+"_bn1", x, Norm{}))
					y := l.Conv(name+"_a", h, Conv{Out: width, Kernel: 3, Stride: stride, Pad: 1, NoBias: true})
					y = l.Dropout(name+"_drop", b.Relu(l.BatchNorm(name+"_bn2", y, Norm{})), 0.3)
					y = l.Conv(name+"_b", y, Conv{Out: width, Kernel: 3, Pad: 1, NoBias: true})
					if stride != 1 || b.Shape(x)[1] != width {
						x = l.Conv(name+"_skip", h, Conv{Out: width, Kernel: 1, Stride: stride, NoBias: true})
					}
					x = b.Add(x, y)
				}
			}
			x = b.Relu(l.BatchNorm("bn", x, Norm{}))
			return l.Linear("fc", b.Mean(x, 2, 3), outputs)
		},
	}
}

package nn

import (
	"fmt"
	"math"
	"strconv"

	"bayesbench/backends/ir"
)

// VGG-like is the CIFAR-10 network of Zagoruyko 2015 that Molchanov et al.
// 2017 scale by a width k: thirteen 3x3 convolutions in five blocks of 64k,
// 128k, 256k, 512k and 512k channels, batch normalisation before each ReLU,
// max pooling after each block, then 512k units and the outputs. Dropout
// stands between the convolutions of a block (0.3 in the first, 0.4 in the
// others) and around the fully connected layer (0.5).
func vggLike(k float64) Model {
	width := func(n int) int { return int(math.Round(float64(n) * k)) }
	return Model{
		Name:        "vgg-like-" + strconv.FormatFloat(k, 'g', -1, 64),
		Description: fmt.Sprintf("VGG-like for 32x32 images, width k = %g (Zagoruyko 2015; Molchanov et al. 2017)", k),
		Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
			b := l.Builder()
			two := [2]int{2, 2}
			for i, block := range [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}} {
				for j, n := range block {
					at := fmt.Sprintf("%d_%d", i+1, j+1)
					x = l.Conv("conv"+at, x, Conv{Out: width(n), Kernel: 3, Pad: 1})
					x = b.Relu(l.BatchNorm("bn"+at, x, Norm{}))
					if j < len(block)-1 {
						rate := 0.4
						if i == 0 {
							rate = 0.3
						}
						x = l.Dropout("drop"+at, x, rate)
					}
				}
				x = b.MaxPool(x, two, two, [2]int{})
			}
			x = l.Dropout("drop1", b.Flatten(x), 0.5)
			x = b.Relu(l.BatchNorm("bn1", l.Linear("fc1", x, width(512)), Norm{}))
			x = l.Dropout("drop2", x, 0.5)
			return l.Linear("fc2", x, outputs)
		},
	}
}

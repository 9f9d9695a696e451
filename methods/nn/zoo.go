package nn

import (
	"strconv"

	"bayesbench/backends/ir"
)

// LeNet-300-100 of LeCun et al. 1998: two hidden layers of 300 and 100 ReLU
// units, 266,200 weights on 28x28 images and 10 classes. Dropout stands after
// each hidden layer, as in Molchanov et al. 2017.
var lenet300 = Model{
	Name:        "lenet-300-100",
	Description: "fully connected 300-100, ReLU (LeCun et al. 1998)",
	Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
		return hidden(l, x, outputs, []int{300, 100}, 0.5, false)
	},
}

// Fully connected 400-400, the MNIST network of Blundell et al. 2015 and of
// Bayesian dark knowledge (Korattikara et al. 2015).
var mlp400 = Model{
	Name:        "mlp-400-400",
	Description: "fully connected 400-400, ReLU (Blundell et al. 2015)",
	Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
		return hidden(l, x, outputs, []int{400, 400}, 0.5, false)
	},
}

// Three hidden layers of 200 ReLU units with batch normalisation before the
// ReLU, dropout rate 0.1: the MNIST network of Lakshminarayanan et al. 2017.
var mlp3x200 = Model{
	Name:        "mlp-3x200-bn",
	Description: "fully connected 3x200, batch norm, ReLU (Lakshminarayanan et al. 2017)",
	Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
		return hidden(l, x, outputs, []int{200, 200, 200}, 0.1, true)
	},
}

// Three hidden layers of 512 ReLU units, the network without convolutions of
// Zhang et al. 2017, who let it learn random labels.
var mlp3x512 = Model{
	Name:        "mlp-3x512",
	Description: "fully connected 3x512, ReLU (Zhang et al. 2017)",
	Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
		return hidden(l, x, outputs, []int{512, 512, 512}, 0.5, false)
	},
}

// The networks of regression on tables of numbers (Hernández-Lobato and Adams, "Probabilistic
// backpropagation", ICML 2015, section 5; Gal and Ghahramani 2016): one hidden layer of 50 ReLU
// units, of 100 for the larger sets, and two layers of 50 (the second table of Gal's code). The
// dropout rate is the middle of Gal's grid.
var (
	mlp50 = Model{
		Name:        "mlp-50",
		Description: "fully connected 50, ReLU, for tables of numbers (Hernández-Lobato & Adams 2015)",
		Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
			return hidden(l, x, outputs, []int{50}, 0.05, false)
		},
	}
	mlp100 = Model{
		Name:        "mlp-100",
		Description: "fully connected 100, ReLU, for larger tables of numbers (Hernández-Lobato & Adams 2015)",
		Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
			return hidden(l, x, outputs, []int{100}, 0.05, false)
		},
	}
	mlp2x50 = Model{
		Name:        "mlp-2x50",
		Description: "fully connected 2x50, ReLU, for tables of numbers (Gal & Ghahramani 2016)",
		Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
			return hidden(l, x, outputs, []int{50, 50}, 0.05, false)
		},
	}
)

// One linear layer, whose posterior is log-concave: the model to check
// samplers on.
var softmaxRegression = Model{
	Name:        "softmax-regression",
	Description: "one linear layer (log-concave posterior, for checking samplers)",
	Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
		return l.Linear("fc1", l.Builder().Flatten(x), outputs)
	},
}

// hidden stacks fc1, fc2, … with ReLU and dropout after each but the last.
func hidden(l Layers, x ir.Value, outputs int, widths []int, rate float64, norm bool) ir.Value {
	b := l.Builder()
	x = b.Flatten(x)
	for i, width := range widths {
		n := strconv.Itoa(i + 1)
		x = l.Linear("fc"+n, x, width)
		if norm {
			x = l.BatchNorm("bn"+n, x)
		}
		x = l.Dropout("drop"+n, b.Relu(x), rate)
	}
	return l.Linear("fc"+strconv.Itoa(len(widths)+1), x, outputs)
}

// LeNet-5 in the variant of the Caffe example: 430,500 weights on 28x28 images
// and 10 classes; ReLU after the convolutions too, dropout before the two
// fully connected layers.
var lenet5 = Model{
	Name:        "lenet-5-caffe",
	Description: "conv 20-50 5x5 with 2x2 max pooling, fully connected 500, ReLU (Caffe's LeNet-5)",
	Apply: func(l Layers, x ir.Value, outputs int) ir.Value {
		b := l.Builder()
		two := [2]int{2, 2}
		x = l.Conv("conv1", x, Conv{Out: 20, Kernel: 5})
		x = b.MaxPool(b.Relu(x), two, two, [2]int{})
		x = l.Conv("conv2", x, Conv{Out: 50, Kernel: 5})
		x = b.MaxPool(b.Relu(x), two, two, [2]int{})
		x = l.Dropout("drop1", b.Flatten(x), 0.5)
		x = b.Relu(l.Linear("fc1", x, 500))
		x = l.Dropout("drop2", x, 0.5)
		return l.Linear("fc2", x, outputs)
	},
}

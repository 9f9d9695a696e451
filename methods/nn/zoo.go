package nn

import "fmt"

// listed is a network of the program's own that is a list of layers.
func listed(name, description string, layers ...string) Model {
	m, err := Sequence(name, layers)
	if err != nil {
		panic(fmt.Sprintf("nn: %s: %v", name, err))
	}
	m.Description = description
	return m
}

// LeNet-300-100 of LeCun et al. 1998: two hidden layers of 300 and 100 ReLU
// units, 266,200 weights on 28x28 images and 10 classes. Dropout stands after
// each hidden layer, as in Molchanov et al. 2017.
var lenet300 = listed("lenet-300-100", "fully connected 300-100, ReLU (LeCun et al. 1998)",
	"flatten", "linear 300", "relu", "dropout 0.5", "linear 100", "relu", "dropout 0.5", "linear")

// Fully connected 400-400, the MNIST network of Blundell et al. 2015 and of
// Bayesian dark knowledge (Korattikara et al. 2015).
var mlp400 = listed("mlp-400-400", "fully connected 400-400, ReLU (Blundell et al. 2015)",
	"flatten", "linear 400", "relu", "dropout 0.5", "linear 400", "relu", "dropout 0.5", "linear")

// Three hidden layers of 200 ReLU units with batch normalisation before the
// ReLU, dropout rate 0.1: the MNIST network of Lakshminarayanan et al. 2017.
var mlp3x200 = listed("mlp-3x200-bn", "fully connected 3x200, batch norm, ReLU (Lakshminarayanan et al. 2017)",
	"flatten",
	"linear 200", "batchnorm", "relu", "dropout 0.1",
	"linear 200", "batchnorm", "relu", "dropout 0.1",
	"linear 200", "batchnorm", "relu", "dropout 0.1",
	"linear")

// Three hidden layers of 512 ReLU units, the network without convolutions of
// Zhang et al. 2017, who let it learn random labels.
var mlp3x512 = listed("mlp-3x512", "fully connected 3x512, ReLU (Zhang et al. 2017)",
	"flatten", "linear 512", "relu", "dropout 0.5", "linear 512", "relu", "dropout 0.5", "linear 512", "relu", "dropout 0.5", "linear")

// The networks of regression on tables of numbers (Hernández-Lobato and Adams, "Probabilistic
// backpropagation", ICML 2015, section 5; Gal and Ghahramani 2016): one hidden layer of 50 ReLU
// units, of 100 for the larger sets, and two layers of 50 (the second table of Gal's code). The
// dropout rate is the middle of Gal's grid.
var (
	mlp50 = listed("mlp-50", "fully connected 50, ReLU, for tables of numbers (Hernández-Lobato & Adams 2015)",
		"flatten", "linear 50", "relu", "dropout 0.05", "linear")
	mlp100 = listed("mlp-100", "fully connected 100, ReLU, for larger tables of numbers (Hernández-Lobato & Adams 2015)",
		"flatten", "linear 100", "relu", "dropout 0.05", "linear")
	mlp2x50 = listed("mlp-2x50", "fully connected 2x50, ReLU, for tables of numbers (Gal & Ghahramani 2016)",
		"flatten", "linear 50", "relu", "dropout 0.05", "linear 50", "relu", "dropout 0.05", "linear")
)

// One linear layer, whose posterior is log-concave: the model to check
// samplers on.
var softmaxRegression = listed("softmax-regression", "one linear layer (log-concave posterior, for checking samplers)",
	"flatten", "linear")

// LeNet-5 in the variant of the Caffe example: 430,500 weights on 28x28 images
// and 10 classes; ReLU after the convolutions too, dropout before the two
// fully connected layers.
var lenet5 = listed("lenet-5-caffe", "conv 20-50 5x5 with 2x2 max pooling, fully connected 500, ReLU (Caffe's LeNet-5)",
	"conv 20 5x5", "relu", "maxpool 2", "conv 50 5x5", "relu", "maxpool 2",
	"flatten", "dropout 0.5", "linear 500", "relu", "dropout 0.5", "linear")

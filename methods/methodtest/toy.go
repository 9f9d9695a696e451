package methodtest

import (
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
)

// Data is examples with their targets.
type Data struct {
	X, Y []float32 // N inputs and N rows of targets
}

// Blobs are n examples of Gaussian clusters, one a class, with unit distance
// between neighbouring means and standard deviation 0.3 along every axis.
func Blobs(j methods.Job, n int) Data {
	size, classes := j.Task.Input.Size(), j.Task.Likelihood.Outputs()
	d := Data{X: make([]float32, n*size), Y: make([]float32, n*classes)}
	rng.Normal(d.X, rng.Key{11, 0}, 0)
	means := make([]float32, classes*size)
	rng.Normal(means, rng.Key{12, 0}, 0)
	for i := range n {
		class := i % classes
		d.Y[i*classes+class] = 1
		for f := range size {
			d.X[i*size+f] = 0.3*d.X[i*size+f] + means[class*size+f]
		}
	}
	return d
}

// Toy is a job that takes a moment: 48 blobs of 3 classes as 1x4x4 images.
func Toy() methods.Job {
	return methods.Job{
		Task:  task.Task{Name: "blobs", Input: ir.Float(1, 4, 4), Likelihood: task.Categorical{Classes: 3}, Examples: 48},
		Batch: 12, EvalBatch: 7, Epochs: 12,
		Train: methods.Train{Optimizer: "adam", LR: 0.02},
	}
}

// MLP has two hidden layers, so that each kind of layer stands at least once
// between others.
var MLP = nn.Model{Name: "toy-mlp", Apply: func(l nn.Layers, x ir.Value, outputs int) ir.Value {
	b := l.Builder()
	x = b.Relu(l.Linear("fc1", b.Flatten(x), 8))
	x = b.Relu(l.Linear("fc2", l.Dropout("drop1", x, 0.2), 6))
	return l.Linear("fc3", l.Dropout("drop2", x, 0), outputs)
}}

// ConvNet has a convolution, batch normalisation and a grouped convolution.
var ConvNet = nn.Model{Name: "toy-conv", Apply: func(l nn.Layers, x ir.Value, outputs int) ir.Value {
	b := l.Builder()
	x = l.Conv("conv1", x, nn.Conv{Out: 4, Kernel: 3, Pad: 1, NoBias: true})
	x = b.Relu(l.BatchNorm("bn1", x))
	x = b.Relu(l.Conv("conv2", x, nn.Conv{Out: 4, Kernel: 2, Stride: 2, Groups: 2}))
	return l.Linear("fc1", l.Dropout("drop1", b.Flatten(x), 0.2), outputs)
}}

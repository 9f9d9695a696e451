package methodtest

import (
	"math"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/stat"
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

// ToyRegression is Toy with two numbers as the target, under the noise.
func ToyRegression(noise task.Noise) methods.Job {
	j := Toy()
	l := task.Gaussian{Noise: noise, Width: 2}
	if noise == task.Fixed {
		l.Variance = []float64{0.3, 0.4}
	}
	j.Task.Name, j.Task.Likelihood, j.Epochs = "slopes", l, 40
	return j
}

// Slopes are n examples whose inputs are N(0, 1) and whose target is numbers, in turn the
// hyperbolic tangent of the inputs' sum along a direction and their sum along another, with noise
// of standard deviation 0.1. The target is standardised.
func Slopes(j methods.Job, n int) Data {
	size, width := j.Task.Input.Size(), j.Task.Likelihood.(task.Gaussian).Width
	d := Data{X: make([]float32, n*size), Y: make([]float32, n*width)}
	rng.Normal(d.X, rng.Key{13, 0}, 0)
	rng.Normal(d.Y, rng.Key{14, 0}, 0)
	for i := range n {
		var along, across float64
		for f, x := range d.X[i*size : (i+1)*size] {
			along += float64(x) * math.Cos(float64(f)) / 2
			across += float64(x) * math.Sin(float64(f)) / 2
		}
		for k := range width {
			y := math.Tanh(along)
			if k%2 == 1 {
				y = across
			}
			d.Y[i*width+k] = float32(y + 0.1*float64(d.Y[i*width+k]))
		}
	}
	for k := range width {
		column := make([]float64, n)
		for i := range n {
			column[i] = float64(d.Y[i*width+k])
		}
		mean, sd := stat.PopMeanStdDev(column, nil)
		for i, y := range column {
			d.Y[i*width+k] = float32((y - mean) / sd)
		}
	}
	return d
}

// Examples are those of the job's task: Blobs of a classifier, Slopes of a regression.
func Examples(j methods.Job) Data {
	if _, ok := j.Task.Likelihood.(task.Gaussian); ok {
		return Slopes(j, j.Task.Examples)
	}
	return Blobs(j, j.Task.Examples)
}

// Taught are the examples with what a teacher says of them who is certain of the targets; d itself
// where a teacher's word stands in it already.
func (d Data) Taught(j methods.Job) Data {
	l, ok := j.Task.Likelihood.(task.Gaussian)
	if !ok || len(d.Y) != j.Task.Examples*l.Width {
		return d
	}
	y := make([]float32, 0, 2*len(d.Y))
	for row := range slices.Chunk(d.Y, l.Width) {
		y = append(append(y, row...), make([]float32, l.Width)...)
	}
	return Data{X: d.X, Y: y}
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
	x = b.Relu(l.BatchNorm("bn1", x, nn.Norm{}))
	x = b.Relu(l.Conv("conv2", x, nn.Conv{Out: 4, Kernel: 2, Stride: 2, Groups: 2}))
	return l.Linear("fc1", l.Dropout("drop1", b.Flatten(x), 0.2), outputs)
}}

package main

import (
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/deterministic"
	"bayesbench/methods/dropout"
	"bayesbench/methods/ffg"
	"bayesbench/methods/nn"
	"bayesbench/methods/sparsevd"
	"bayesbench/methods/task"
)

// testCase is one training step, under the name that the scripts give it.
type testCase struct {
	name    string
	model   string
	method  methods.Method
	input   []int
	classes int
	batch   int
	target  float64 // the ratio to PyTorch's faster setting that a step must reach
	// predict is the same for the prediction of predictSamples posterior
	// samples; 0 where it is not timed.
	predict float64
	jax     bool // jax_steps.py has the case
}

// predictSamples is K, the posterior samples of a prediction.
const predictSamples = 10

var (
	det  = deterministic.Default()
	drop = dropout.Default()
	vi   = ffg.Default()
	svd  = sparsevd.Default()

	mnist   = []int{1, 28, 28}
	cifar   = []int{3, 32, 32}
	image64 = []int{3, 64, 64}
)

var cases = []testCase{
	{name: "l300.det", model: "lenet-300-100", method: det, input: mnist, classes: 10, batch: 100, target: 2},
	{name: "l300.drop", model: "lenet-300-100", method: drop, input: mnist, classes: 10, batch: 100, target: 2.5},
	{name: "l300.ffg", model: "lenet-300-100", method: vi, input: mnist, classes: 10, batch: 100, target: 4, predict: 3},
	{name: "l300.svd", model: "lenet-300-100", method: svd, input: mnist, classes: 10, batch: 100, target: 5, jax: true},
	{name: "l5.det", model: "lenet-5-caffe", method: det, input: mnist, classes: 10, batch: 100, target: 2.5},
	{name: "l5.ffg", model: "lenet-5-caffe", method: vi, input: mnist, classes: 10, batch: 100, target: 3, predict: 3},
	{name: "l5.svd", model: "lenet-5-caffe", method: svd, input: mnist, classes: 10, batch: 100, target: 3, jax: true},
	{name: "vgg025.det", model: "vgg-like-0.25", method: det, input: cifar, classes: 10, batch: 100, target: 1.7},
	{name: "vgg025.svd", model: "vgg-like-0.25", method: svd, input: cifar, classes: 10, batch: 100, target: 2},
	{name: "rn18_64.imagenetstem.det", model: "resnet-18", method: det, input: image64, classes: 200, batch: 32, target: 1.6},
	{name: "rn18_64.cifarstem.det", model: "resnet-18-3x3", method: det, input: image64, classes: 200, batch: 32, target: 1.4},
}

// plan is the method's plan for the case, as a suite with 60,000 examples
// would have it.
func (c *testCase) plan() (*methods.Plan, error) {
	m, err := nn.Open(c.model)
	if err != nil {
		return nil, err
	}
	return c.method.Plan(m, methods.Job{
		Task:  task.Task{Input: ir.Float(c.input...), Likelihood: task.Categorical{Classes: c.classes}, Examples: 60000},
		Batch: c.batch, EvalBatch: c.batch, Epochs: 200,
		Train: methods.Train{Optimizer: "adam", LR: 1e-3},
	})
}

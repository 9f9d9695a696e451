package methods

import (
	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
	"bayesbench/methods/task"
)

// Method turns a model into a plan. Its parameters were checked when it was
// made (see [Driver]); Plan checks them against the job, and its error names
// the key that does not fit.
type Method interface {
	Plan(m nn.Model, j Job) (*Plan, error)
}

// Job is what a plan may depend on beside the model.
type Job struct {
	Task      task.Task
	Batch     int // B, the training batch
	EvalBatch int // rows of x in the predict programs
	Epochs    int
	Train     Train
}

// StepsPerEpoch is ⌊N/B⌋: an epoch's last, short batch is dropped.
func (j Job) StepsPerEpoch() int { return j.Task.Examples / j.Batch }

// Steps is the length of the training in steps.
func (j Job) Steps() int { return j.Epochs * j.StepsPerEpoch() }

// Plan is a method's training and prediction as data: it prints as JSON, and plans that
// do the same have the same [Plan.Hash].
type Plan struct {
	State  []Slot  `json:"state,omitempty"`
	Stages []Stage `json:"stages,omitempty"`
	// Predictors each give a stream of predictive distributions; the first is the one
	// that a table shows unless asked for another.
	Predictors []Predictor `json:"predictors,omitempty"`
	// Report reads the state and gives named scalars f32[]: "kl" in nats,
	// "accept_rate" and "step_size" of HMC, and
	// "nonzero/LAYER" for each entry of Weights, the number of its weights that
	// prediction uses. Nil where there is nothing to report.
	Report  *ir.Program `json:"-"`
	Weights []Weights   `json:"weights,omitempty"`
	// Estimators names the estimators of the gradient whose variance can be compared;
	// the method is a [Comparer], which makes their programs. Nil where it has but one.
	Estimators []string `json:"estimators,omitempty"`
	// Sampler says how the Markov chain of the plan moves, so that it can be judged
	// whether its steps are stable. Nil where the plan has none.
	Sampler *Sampler `json:"sampler,omitempty"`
	// Program is another program that trains and predicts. Such a plan has no state and no
	// stages, and its one predictor draws from the predictions that the program left.
	Program *Program `json:"program,omitempty"`
	// Members makes the predictive of other jobs' predictives, in turn: sample
	// k is drawn from member k mod len(Members). Such a plan has no state,
	// stages or predictors of its own.
	Members []Part `json:"-"`
	// Teacher, where set, is the job whose mean predictive on the training
	// examples takes the place of the targets in y: y has the type of the Target of
	// the likelihood's Taught.
	Teacher *Part `json:"teacher,omitempty"`
}

// Slot is one value kept between steps and in checkpoints.
type Slot struct {
	Name string  `json:"name"`
	Type ir.Type `json:"type"`
	Init Init    `json:"init"`
}

// Init says how a slot starts. Noise is drawn under the job's seed from the
// stream that belongs to the slot's name, so two methods that name a weight
// alike start it alike.
type Init = nn.Init

// Dist names the distribution of an Init.
type Dist = nn.Dist

const (
	Constant = nn.Constant
	Uniform  = nn.Uniform
	Normal   = nn.Normal
	Given    = nn.Given
)

// Stage is a run of one step program.
type Stage struct {
	Name string `json:"name"`
	// Step computes one step. Its parameters are slots by name and, as far as
	// it wants them,
	//	x   [B …]        the batch, of the task's inputs
	//	y   f32[B columns] its targets, as the likelihood wants them, or the teacher's
	//	key u32[2]         noise key of this step
	// and the scalars f32[] that Schedules names. Its results are slots by name
	// (the new state; slots it does not name stay) and scalars f32[] to record:
	// "loss" (what is minimised, per example), and where they apply "nll" (per
	// example) and "kl" (in nats, unweighted).
	Step      *ir.Program         `json:"-"`
	Steps     int                 `json:"steps"`
	Schedules map[string]Schedule `json:"schedules,omitempty"`
	// Keep says after which steps the slots in Kept are stored as a posterior
	// sample. The zero value is never.
	Keep Every    `json:"keep,omitzero"`
	Kept []string `json:"kept,omitempty"`
	// FullBatch asks for all N examples, in order, as every step's batch.
	FullBatch bool `json:"full_batch,omitempty"`
	// Done, where set, is called once after the last step with the state on the
	// host, and may change it. It is the one function of a plan: it computes what
	// needs eigenvectors or sorting, for which programs have no op. It is a pure
	// function of the state and the method's settings, and JSON tells only that it is
	// there: plans that differ in it alone have the same hash.
	Done func(state map[string][]float32) error `json:"-"`
}

// Keeps reports whether a posterior sample is stored after the step, from 0.
func (s *Stage) Keeps(step int) bool { return s.Keep.Picks(step, s.Steps) }

// KeptIn counts the posterior samples that the first n steps store.
func (s *Stage) KeptIn(n int) int { return s.Keep.Before(n, s.Steps) }

// Schedule is the value of a scalar input at a step of its stage, from 0.
type Schedule = schedule.Schedule

// Predictor draws from the posterior predictive.
type Predictor struct {
	// Name says what is drawn: "sample" (one posterior sample a call), "mean"
	// (the deterministic prediction of posterior means, or weight scaling).
	Name string `json:"name"`
	// Program reads slots by name and x [EvalBatch …], and results in what the
	// likelihood's Predict names: "logp" f32[EvalBatch classes] of a categorical one,
	// "mean" and "log_var" f32[EvalBatch d] of a Gaussian one. If stochastic it reads
	//	key     u32[2] the sample's noise key: noise drawn once for a pass over a set
	//	row_key u32[3] the same, and the number in its set of the first row of x:
	//	        noise with a row for each example
	// or one of them, so that a sample of a set does not depend on how the set is
	// cut into batches. Nil in a plan that is another program's.
	Program *ir.Program `json:"-"`
	// Stochastic is false where every call gives the same: then one sample of
	// each stored state is all there is.
	Stochastic bool `json:"stochastic,omitempty"`
	// Kept draws from the stored states of the stages rather than from the
	// final one; sample k is the k-th of them.
	Kept bool `json:"kept,omitempty"`
	// Chain says that the stored states are those of one Markov chain, in order:
	// then its mixing can be diagnosed.
	Chain bool `json:"chain,omitempty"`
	// Refresh, where set, makes again what follows from the drawn weights and the
	// training data: the statistics of batch normalisation. It runs over the
	// first RefreshBatches training batches x [Batch …] of a shuffled
	// epoch, without augmentation, before a sample is drawn, and takes the
	// sample's key, so that it draws the weights that Program draws, and the
	// scalar "share", 1/(i+1) at batch i. Its results are slots by name.
	Refresh *ir.Program `json:"-"`
}

// RefreshBatches is how many batches, or one epoch if that is less, make the
// statistics of a sample.
const RefreshBatches = 100

// Comparer is a method that has several estimators of its gradient.
type Comparer interface {
	Method
	// Gradient is the program of one estimator that the job's plan names: the
	// gradient of the mean NLL of a batch. What else the method's loss holds is
	// without noise and adds nothing to the variance. It reads slots by name, x, y
	// and key as a stage's step does. Its results are "gradient/SLOT" for every
	// slot that training learns.
	Gradient(m nn.Model, j Job, estimator string) (*ir.Program, error)
}

// Weights is one weight tensor that counts for sparsity; biases and batch
// normalisation do not.
type Weights struct {
	Layer string `json:"layer"`
	Size  int    `json:"size"`
}

// Part is another job, which must be finished first: the same suite entry with
// the method that stands in its table Key, under the seed of its stream.
type Part struct {
	Key    string `json:"key"`
	Stream uint32 `json:"stream"`
}

// Seed is the seed of the part of a job under the seed: the same for stream 0, and for
// stream k > 0 fmix32(seed + k·0x9E3779B9), MurmurHash3's finaliser of a Weyl sequence,
// which is a bijection of the seed for every k and of k for every seed.
func (p Part) Seed(seed uint32) uint32 {
	if p.Stream == 0 {
		return seed
	}
	h := seed + p.Stream*0x9E3779B9
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	h ^= h >> 16
	return h
}

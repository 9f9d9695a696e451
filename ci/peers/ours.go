package main

import (
	"context"
	"errors"
	"fmt"

	"bayesbench/backends"
	_ "bayesbench/backends/gonum"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/results/metrics"
)

// ours is a case on this program's own backend: the plan's step and predict
// programs, one fixed batch, and a new noise key for every run. The state
// is updated in place, as in training.
type ours struct {
	be      backends.Backend
	c       *testCase
	flops   float64 // of one training step
	train   *exec.Program
	predict *exec.Program // nil where prediction is not timed
	mean    *metrics.Predictive
	logp    []float32
	runs    uint32
}

func openOurs(c *testCase) (*ours, error) {
	plan, err := c.plan()
	if err != nil {
		return nil, err
	}
	be, err := backends.Open("gonum")
	if err != nil {
		return nil, err
	}
	o := &ours{be: be, c: c}
	state, err := exec.NewState(be, plan.State)
	if err != nil {
		return nil, err
	}
	if err := state.Initialise(3); err != nil {
		return nil, err
	}
	stage := &plan.Stages[0]
	o.flops = stage.Step.FLOPs()
	if o.train, err = state.Bind(stage.Step); err != nil {
		return nil, err
	}
	batch := o.data(plan)
	if err := o.train.Load(batch); err != nil {
		return nil, err
	}
	// The last step's: the KL at its full weight, as in the scripts.
	for name, f := range stage.Schedules {
		if err := o.train.Set(name, float32(f.At(stage.Steps-1))); err != nil {
			return nil, err
		}
	}
	if c.predict > 0 {
		o.logp = make([]float32, c.batch*c.classes)
		if o.predict, err = state.Bind(plan.Predictors[0].Program); err != nil {
			return nil, err
		}
		if err := o.predict.Load(batch); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *ours) close() error { return o.be.Close() }

// step is one training step.
func (o *ours) step() error { return once(o.train, o.key()) }

// once runs a program once under a noise key.
func once(p *exec.Program, k rng.Key) error {
	if err := errors.Join(p.SetKey(k), p.SetRowKey(k, 0)); err != nil {
		return err
	}
	return p.Run()
}

// average is the predictive of so many posterior samples on one batch.
func (o *ours) average(samples int) error {
	o.mean = metrics.NewPredictive(o.c.batch, o.c.classes)
	for range samples {
		if err := once(o.predict, o.key()); err != nil {
			return err
		}
		if err := o.predict.Output("logp").Read(backends.Data{F32: o.logp}); err != nil {
			return err
		}
		if err := o.mean.Add(metrics.LogProbs, o.logp); err != nil {
			return err
		}
	}
	return nil
}

func (o *ours) key() rng.Key {
	o.runs++
	return rng.Key{1, o.runs}
}

// time measures the case: a training step, and a prediction where it is timed.
func (c *testCase) time(ctx context.Context, secs float64) (train, predict speed, flops float64, err error) {
	o, err := openOurs(c)
	if err != nil {
		return speed{}, speed{}, 0, fmt.Errorf("%s: %w", c.name, err)
	}
	defer o.close()
	if train, err = measure(ctx, o.step, c.batch, secs); err == nil && o.predict != nil {
		predict, err = measure(ctx, func() error { return o.average(predictSamples) }, c.batch, secs)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", c.name, err)
	}
	return train, predict, o.flops, err
}

// data is the fixed batch: uniform inputs, and one-hot labels drawn at random.
func (o *ours) data(plan *methods.Plan) exec.Batch {
	var b exec.Batch
	step := plan.Stages[0].Step
	if v, ok := step.Param("x"); ok {
		b.X.F32 = make([]float32, step.Type(v).Size())
		rng.Uniform(b.X.F32, rng.Key{2, 0}, 0)
	}
	b.Y.F32 = make([]float32, o.c.batch*o.c.classes)
	label := make([]float32, o.c.batch)
	rng.Uniform(label, rng.Key{2, 0}, 1)
	for i, u := range label {
		b.Y.F32[i*o.c.classes+int(u*float32(o.c.classes))] = 1
	}
	b.Valid = o.c.batch
	return b
}

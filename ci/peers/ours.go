package main

import (
	"context"
	"fmt"
	"hash/fnv"

	"bayesbench/backends"
	_ "bayesbench/backends/gonum"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/results/metrics"
)

// ours is a case on this program's own backend: the plan's step and predict
// programs, one fixed batch, and a new noise key for every run. The state
// is updated in place, as in training.
type ours struct {
	be      backends.Backend
	c       *testCase
	train   *program
	predict *program // nil where prediction is not timed
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
	stage := &plan.Stages[0]
	if o.train, err = o.bind(stage.Step, plan.State); err != nil {
		return nil, err
	}
	// The last step's: the KL at its full weight, as in the scripts.
	for name, f := range stage.Schedules {
		if err := o.train.write(name, backends.Data{F32: []float32{float32(f.At(stage.Steps - 1))}}); err != nil {
			return nil, err
		}
	}
	if c.predict > 0 {
		o.logp = make([]float32, c.batch*c.classes)
		if o.predict, err = o.bind(plan.Predictors[0].Program, plan.State); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *ours) close() error { return o.be.Close() }

// step is one training step.
func (o *ours) step() error { return o.train.run(o.key()) }

// average is the predictive of so many posterior samples on one batch.
func (o *ours) average(samples int) error {
	o.mean = metrics.NewPredictive(o.c.batch, o.c.classes)
	for range samples {
		if err := o.predict.run(o.key()); err != nil {
			return err
		}
		if err := o.predict.results[0].Read(backends.Data{F32: o.logp}); err != nil {
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

// flops is the work of one training step in floating-point operations.
func (o *ours) flops() float64 { return o.train.ir.FLOPs() }

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
	return train, predict, o.flops(), err
}

// program is a compiled program with its buffers.
type program struct {
	ir            *ir.Program
	exe           backends.Executable
	args, results []backends.Buffer
	names         []string // of args
	keyAt         int      // the argument "key", or −1
	keyData       [2]uint32
}

func (o *ours) bind(p *ir.Program, slots []methods.Slot) (*program, error) {
	exe, err := o.be.Compile(p)
	if err != nil {
		return nil, err
	}
	b := &program{ir: p, exe: exe, keyAt: -1}
	at := map[string]int{}
	for i, v := range p.Params() {
		buf, err := o.be.Alloc(p.Type(v))
		if err != nil {
			return nil, err
		}
		name := p.Instrs[v].Name
		at[name] = i
		if name == "key" {
			b.keyAt = i
		}
		b.args, b.names = append(b.args, buf), append(b.names, name)
	}
	for i, state := range backends.States(p) {
		if state >= 0 {
			b.results = append(b.results, b.args[state])
			continue
		}
		buf, err := o.be.Alloc(p.Type(p.Results[i].Value))
		if err != nil {
			return nil, err
		}
		b.results = append(b.results, buf)
	}
	for _, s := range slots {
		if err := b.write(s.Name, backends.Data{F32: initial(s)}); err != nil {
			return nil, err
		}
	}
	if i, ok := at["x"]; ok {
		x := make([]float32, b.args[i].Type().Size())
		rng.Uniform(x, rng.Key{2, 0}, 0)
		if err := b.write("x", backends.Data{F32: x}); err != nil {
			return nil, err
		}
	}
	if _, ok := at["y"]; ok {
		y := make([]float32, o.c.batch*o.c.classes)
		label := make([]float32, o.c.batch)
		rng.Uniform(label, rng.Key{2, 0}, 1)
		for i, u := range label {
			y[i*o.c.classes+int(u*float32(o.c.classes))] = 1
		}
		if err := b.write("y", backends.Data{F32: y}); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func initial(s methods.Slot) []float32 {
	v := make([]float32, s.Type.Size())
	name := fnv.New32a()
	name.Write([]byte(s.Name))
	scale, shift := 0.0, s.Init.A
	switch s.Init.Dist {
	case methods.Uniform:
		rng.Uniform(v, rng.Key{3, 0}, name.Sum32())
		scale = s.Init.B - s.Init.A
	case methods.Normal:
		rng.Normal(v, rng.Key{3, 0}, name.Sum32())
		scale = s.Init.B
	}
	for i := range v {
		v[i] = float32(shift + scale*float64(v[i]))
	}
	return v
}

// write fills an argument, where the program has it.
func (b *program) write(name string, d backends.Data) error {
	for i, n := range b.names {
		if n == name {
			return b.args[i].Write(d)
		}
	}
	return nil
}

// run runs once under a noise key.
func (b *program) run(k rng.Key) error {
	if b.keyAt >= 0 {
		b.keyData = k
		if err := b.args[b.keyAt].Write(backends.Data{U32: b.keyData[:]}); err != nil {
			return err
		}
	}
	return b.exe.Run(b.args, b.results)
}

package gomlx_test

import (
	"fmt"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"

	_ "bayesbench/backends/gomlx"
	_ "bayesbench/backends/gonum"
	_ "bayesbench/backends/gorgonia"
)

// BenchmarkStep times training steps of sparse variational dropout, batch 100,
// on every backend that can run here: XLA on the CPU is also a peer to beat.
// The time includes no transfer but the key of each step.
func BenchmarkStep(b *testing.B) {
	for _, name := range []string{"lenet-300-100", "lenet-5-caffe"} {
		model, err := nn.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		method, err := methodtest.New("sparse-vd", "warmup_start = 1\nwarmup_end = 2")
		if err != nil {
			b.Fatal(err)
		}
		plan, err := method.Plan(model, methods.Job{
			Task:  task.Task{Input: ir.Float(1, 28, 28), Likelihood: task.Categorical{Classes: 10}, Examples: 60000},
			Batch: 100, EvalBatch: 100, Epochs: 2,
			Train: methods.Train{Optimizer: "adam", LR: 1e-3, Schedule: "constant"},
		})
		if err != nil {
			b.Fatal(err)
		}
		for _, backend := range []string{"gonum", "gorgonia", "gomlx:go", "gomlx:xla:cpu", "gomlx:xla:cuda"} {
			b.Run(fmt.Sprintf("model=%s/backend=%s", name, backend), func(b *testing.B) {
				be, err := backends.Open(backend)
				if err != nil {
					b.Skip(err)
				}
				defer be.Close()
				step(b, be, plan)
			})
		}
	}
}

// step trains from small weights, swapping the state as the harness does.
func step(b *testing.B, be backends.Backend, plan *methods.Plan) {
	p := plan.Stages[0].Step
	exe, err := be.Compile(p)
	if err != nil {
		b.Fatal(err)
	}
	defer exe.Close()
	alloc := func(t ir.Type) backends.Buffer {
		buf, err := be.Alloc(t)
		if err != nil {
			b.Fatal(err)
		}
		return buf
	}
	write := func(buf backends.Buffer, d backends.Data) {
		if err := buf.Write(d); err != nil {
			b.Fatal(err)
		}
	}
	at := map[string]int{} // of the argument of each name
	var args, results []backends.Buffer
	for i, v := range p.Params() {
		t := p.Type(v)
		at[p.Instrs[v].Name] = i
		buf := alloc(t)
		if t.DType == ir.F32 {
			noise := make([]float32, t.Size())
			rng.Normal(noise, rng.Key{1, uint32(i)}, 1)
			for j, x := range noise {
				noise[j] = 0.02 * max(x, -x) // Adam's second moments are not negative
			}
			if t.Rank() == 0 {
				noise[0] = 1e-4 // rates and weights
			}
			write(buf, backends.Data{F32: noise})
		}
		args = append(args, buf)
	}
	for _, r := range p.Results {
		results = append(results, alloc(p.Type(r.Value)))
	}
	loss := make([]float32, 1)
	run := func(i int) {
		write(args[at["key"]], backends.Data{U32: []uint32{1, uint32(i)}})
		if err := exe.Run(args, results); err != nil {
			b.Fatal(err)
		}
		for r, result := range p.Results {
			if a, ok := at[result.Name]; ok {
				args[a], results[r] = results[r], args[a]
			} else if result.Name == "loss" && i%100 == 0 {
				if err := results[r].Read(backends.Data{F32: loss}); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	run(0)
	i := 1
	for b.Loop() {
		run(i)
		i++
	}
	if loss[0] != loss[0] {
		b.Errorf("the loss is %v", loss[0])
	}
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
}

package bench

import (
	"path/filepath"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	_ "bayesbench/methods/all"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Every method of the suites that come with the program can be planned on its
// model and data. The data need not be at hand: their sizes are known.
func TestSuitesCanBePlanned(t *testing.T) {
	sets := map[string]data.Info{}
	for _, info := range data.List() {
		sets[info.Name] = info
	}
	examples := map[string]int{"mnist": 60_000, "cifar10": 50_000, "imagenette": 9_469, "blobs": 2_000}
	var files []string
	for _, pattern := range []string{"*.toml", "paper/*.toml"} {
		found, err := filepath.Glob("../../../../suites/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 7 {
		t.Fatalf("suites: only %q", files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			s, err := suites.Read(Words(), file, []string{"seed=0"})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range s.Jobs {
				info, n := sets[c.Data.Name], examples[c.Data.Name]
				if c.Data.Train > 0 {
					n = c.Data.Train
				}
				if info.Name == "" || n == 0 {
					t.Fatalf("data set %q", c.Data.Name)
				}
				if c.Data.Size > 0 {
					info.Shape = []int{info.Shape[0], c.Data.Size, c.Data.Size}
				}
				model, err := nn.Open(c.Model)
				if err != nil {
					t.Fatal(err)
				}
				m, err := newMethod(c.Method)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := m.Plan(model, methods.Job{
					Task:  task.Task{Input: ir.Float(info.Shape...), Likelihood: task.Categorical{Classes: info.Classes}, Examples: n},
					Batch: c.Train.Batch, EvalBatch: c.Eval.Batch, Epochs: c.Train.Epochs,
					Train: methods.Train{Optimizer: c.Train.Optimizer, LR: c.Train.LR, Momentum: c.Train.Momentum, Schedule: c.Train.Schedule},
				}); err != nil {
					t.Errorf("%s, %s: %v", c.Model, c.Method.Label(), err)
				}
			}
		})
	}
}

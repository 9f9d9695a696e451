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

// planOnce keeps one seed of a suite, and one split of the sets that come in several.
func planOnce(file string) []string {
	if filepath.Base(filepath.Dir(file)) == "uci" {
		return []string{"data.split=0"}
	}
	return []string{"seed=0"}
}

// Every method of the suites that come with the program can be planned on its
// model and data. The data need not be at hand: their sizes are known.
func TestSuitesCanBePlanned(t *testing.T) {
	sets := map[string]data.Info{}
	for _, info := range data.List() {
		sets[info.Name] = info
	}
	examples := map[string]int{
		"mnist": 60_000, "cifar10": 50_000, "imagenette": 9_469, "blobs": 2_000,
		"uci-boston": 455, "uci-concrete": 927, "uci-energy": 691, "uci-kin8nm": 7_373, "uci-naval": 10_741,
		"uci-power": 8_611, "uci-protein": 41_157, "uci-wine": 1_439, "uci-yacht": 277,
		"uci-boston-gap": 338, "uci-concrete-gap": 686, "uci-energy-gap": 512, "uci-kin8nm-gap": 5_461, "uci-naval-gap": 7_956,
		"uci-power-gap": 6_378, "uci-protein-gap": 30_486, "uci-wine-gap": 1_066, "uci-yacht-gap": 205,
	}
	var files []string
	for _, pattern := range []string{"*.toml", "paper/*.toml", "uci/*.toml"} {
		found, err := filepath.Glob("../../../../suites/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 20 {
		t.Fatalf("suites: only %q", files)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			s, err := suites.Read(Words(), file, planOnce(file))
			if err != nil {
				t.Fatal(err)
			}
			var configs []suites.Config
			for _, c := range s.Jobs {
				_, candidates, err := c.Candidates()
				if err != nil {
					t.Fatal(err)
				}
				if len(candidates) == 0 {
					configs = append(configs, c)
				}
				for _, candidate := range candidates {
					configs = append(configs, candidate.Trial, candidate.Final)
				}
			}
			for _, c := range configs {
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
				model, err := nn.Open(c.Model.Name)
				if err != nil {
					t.Fatal(err)
				}
				m, err := newMethod(c.Method)
				if err != nil {
					t.Fatal(err)
				}
				target := task.Target{Classes: info.Classes}
				for range info.Width {
					target.Units = append(target.Units, 1)
				}
				l := c.Likelihood
				likelihood, err := task.New(task.Keys(l), target)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := m.Plan(model, methods.Job{
					Task:  task.Task{Input: ir.Float(info.Shape...), Likelihood: likelihood, Examples: n},
					Batch: c.Train.Batch, EvalBatch: c.Eval.Batch, Epochs: c.Train.Epochs,
					Train: training(c.Train),
				}); err != nil {
					t.Errorf("%s, %s: %v", c.Model.Name, c.Method.Label(), err)
				}
			}
		})
	}
}

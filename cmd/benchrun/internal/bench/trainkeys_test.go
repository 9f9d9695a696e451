package bench_test

import (
	"context"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/suites"
)

// planned is the error of planning small with a line in place of its learning rate.
func planned(text string) error {
	s, err := suites.Parse(bench.Words(), "small.toml", []byte(text), nil)
	if err == nil {
		_, err = bench.Plan(context.Background(), s, &bench.Sets{})
	}
	return err
}

// What the keys of training cannot be together is refused with its line, in [train] and in
// [method.train]; lists that are no sweep may stand in both.
func TestTrainKeys(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"optimizer = \"adamw\"\nweight_decay = 0.01\nclip_norm = 1", ""},
		{"optimizer = \"sgd\"\nmomentum = 0.9\nnesterov = true\nschedule = \"step\"\nmilestones = [1, 2.5]\ngamma = 0.2\nwarmup = 0.5", ""},
		{"weight_decay = [0.01, 0.1]\noptimizer = \"sgd\"", ""},
		{"weight_decay = 0.01", `train.weight_decay = 0.01: want 0 with optimizer = "adam"; "adamw" decays weights`},
		{"optimizer = \"adamw\"", `small.toml:`},
		{"nesterov = true", "train.nesterov = true: want false"},
		{"nesterov = 1", "train.nesterov: want true or false, found a whole number"},
		{"clip_norm = -1", "train.clip_norm: want a finite number, 0 or more, found -1"},
		{"schedule = \"step\"\nmilestones = [2, 1]", "train.milestones = [2 1]: want epochs after the warm-up"},
		{"milestones = [1]", `train.milestones = [1]: want none without schedule = "step"`},
		{"schedule = \"step\"\nmilestones = 1", "train.milestones: want a list, found a whole number"},
		{"schedule = \"step\"\nmilestones = " + list(101, "%d.0"), "train.milestones: want at most 100, found 101"},
		{"warmup = 3", "train.warmup = 3: want less than the 3 epochs"},
	} {
		for place, text := range map[string]string{
			"[train]":        strings.Replace(small, "lr = 1e-2", c.lines, 1),
			"[method.train]": strings.Replace(small, "\"deterministic\"", "\"deterministic\"\n[method.train]\n"+c.lines, 1),
		} {
			err := planned(text)
			if c.want == "" && err != nil {
				t.Errorf("%s: %q: %v", place, c.lines, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "small.toml:")) {
				t.Errorf("%s: %q: %v\nwant %s", place, c.lines, err, c.want)
			}
		}
	}
	sampler := strings.Replace(small, "\"deterministic\"", "\"sgld\"\n[method.train]\nclip_norm = 1", 1)
	if err := planned(sampler); err == nil || !strings.Contains(err.Error(), "small.toml:20: train.clip_norm: sgld does not read it") {
		t.Errorf("a sampler: %v", err)
	}
}

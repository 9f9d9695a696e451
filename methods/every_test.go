package methods_test

import (
	"testing"

	"bayesbench/methods"
)

// even keeps the last of each of k equal runs of the steps in [first, end).
func even(first, end, k int) func(step int) bool {
	run := max(end-first, 1)
	return func(step int) bool {
		done := step - first + 1
		return step >= first && done*k/run > (done-1)*k/run
	}
}

// Every rule by which a method keeps states is an Every, at each step.
func TestEvery(t *testing.T) {
	for _, c := range []struct {
		name  string
		every methods.Every
		steps int
		picks func(step int) bool
	}{
		{"never", methods.Every{}, 50, func(int) bool { return false }},
		{"each step", methods.Every{Period: 1, Count: 1}, 50, func(int) bool { return true }},
		{"a chain after burn-in", methods.Every{From: 33, Period: 100, Count: 7}, 100, even(33, 100, 7)},
		{"as many as steps", methods.Every{From: 93, Period: 100, Count: 7}, 100, even(93, 100, 7)},
		{"thinned trajectories", methods.Every{Period: 12, Count: 1}, 120, func(step int) bool { return step%12 == 11 }},
		{"ends of cycles, the last cut short", methods.Every{Period: 12, Count: 1}, 43, func(step int) bool { return step%12 == 11 || step == 42 }},
		{"cycles that explore first", methods.Every{From: 8, Period: 12, Count: 3}, 47, func(step int) bool {
			start := step / 12 * 12
			return even(8, min(12, 47-start), 3)(step - start)
		}},
		{"more than there are", methods.Every{From: 8, Period: 12, Count: 100}, 24, func(step int) bool { return step%12 >= 8 }},
		{"a cycle cut short before it samples", methods.Every{From: 8, Period: 12, Count: 1}, 30, func(step int) bool { return step == 11 || step == 23 }},
	} {
		n := 0
		for step := range c.steps {
			if got := c.every.Before(step, c.steps); got != n {
				t.Errorf("%s: %d before step %d, want %d", c.name, got, step, n)
			}
			want := c.picks(step)
			if got := c.every.Picks(step, c.steps); got != want {
				t.Errorf("%s: step %d is picked: %v, want %v", c.name, step, got, want)
			}
			if want {
				n++
			}
		}
		stage := methods.Stage{Steps: c.steps, Keep: c.every}
		if got := stage.KeptIn(c.steps); got != n {
			t.Errorf("%s: %d in all, want %d", c.name, got, n)
		}
	}
}

package snapshot_test

import (
	"math"
	"slices"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

// Each cycle starts at the full learning rate and ends near 0, where the
// snapshot is taken.
func TestCycles(t *testing.T) {
	m, err := methodtest.New("snapshot", "cycles = 4")
	if err != nil {
		t.Fatal(err)
	}
	j := methodtest.Toy() // 48 steps
	plan, err := m.Plan(methodtest.MLP, j)
	if err != nil {
		t.Fatal(err)
	}
	stage := plan.Stages[0]
	var kept []int
	for step := range stage.Steps {
		lr := stage.Schedules["lr"].At(step)
		if step%12 == 0 && lr != j.Train.LR {
			t.Errorf("step %d starts a cycle at %v", step, lr)
		}
		if stage.Keeps(step) {
			kept = append(kept, step)
			if lr > 0.02*j.Train.LR {
				t.Errorf("step %d is kept at the learning rate %v", step, lr)
			}
		}
	}
	if !slices.Equal(kept, []int{11, 23, 35, 47}) {
		t.Errorf("kept %v", kept)
	}
	if want := j.Train.LR / 2; math.Abs(stage.Schedules["lr"].At(6)-want) > 1e-12 {
		t.Errorf("the middle of a cycle has %v, want %v", stage.Schedules["lr"].At(6), want)
	}
}

func TestRefusals(t *testing.T) {
	methodtest.Refused(t, "snapshot", "cycles = 0", "cycles")
	methodtest.Refused(t, "snapshot", "cycles = 13", "cycles")
	methodtest.Refused(t, "snapshot", "prior_sigma = 0", "prior_sigma")
	j := methodtest.Toy()
	j.Epochs, j.Batch = 5, j.Task.Examples
	methodtest.RefusedFor(t, j, "snapshot", "cycles = 4", "cycles") // of 2 steps, where there are 5
	j = methodtest.Toy()
	j.Train.Schedule = "linear"
	methodtest.RefusedFor(t, j, "snapshot", "", "train.schedule")
}

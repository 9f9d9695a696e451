package schedule_test

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"

	"bayesbench/methods/schedule"
)

func TestAgainstPyTorch(t *testing.T) {
	var golden struct {
		CyclicLR   []float64 `json:"cyclic_lr"`
		OneCycleLR []struct {
			Peak float64
			LR   []float64
		} `json:"one_cycle_lr"`
	}
	text, err := os.ReadFile("testdata/rates.json")
	if err == nil {
		err = json.Unmarshal(text, &golden)
	}
	if err != nil || len(golden.CyclicLR) == 0 || len(golden.OneCycleLR) == 0 {
		t.Fatal(err, "or rates are missing")
	}
	for at, want := range golden.CyclicLR {
		if got := schedule.Cyclic(0.5, 40, 4).At(at); math.Abs(got-want) > 1e-15 {
			t.Errorf("cyclic at %d: %v, want %v", at, got, want)
		}
	}
	for _, c := range golden.OneCycleLR {
		for at, want := range c.LR {
			if got := schedule.OneCycle(c.Peak, len(c.LR)).At(at); math.Abs(got-want) > 1e-15 {
				t.Errorf("one-cycle at %d of %d: %v, want %v", at, len(c.LR), got, want)
			}
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name string
		s    schedule.Schedule
		at   int
		want float64
	}{
		{"constant", schedule.Constant(2), 7, 2},
		{"linear", schedule.Linear(2, 10), 0, 2},
		{"linear", schedule.Linear(2, 10), 5, 1},
		{"half-linear", schedule.HalfLinear(2, 10), 5, 2},
		{"half-linear", schedule.HalfLinear(2, 10), 9, 0.4},
		{"cosine", schedule.Cosine(2, 10), 0, 2},
		{"cosine", schedule.Cosine(2, 10), 5, 1},
		{"one-cycle of one step", schedule.OneCycle(2, 1), 0, 2},
		{"one-cycle without room to rise", schedule.OneCycle(2, 3), 0, 2},
		{"polynomial", schedule.Polynomial(2, 1, 0.5), 3, 1},
		{"warm-up", schedule.WarmUp(2, 5, 20), 4, 0},
		{"warm-up", schedule.WarmUp(2, 5, 20), 8, 0.4},
		{"warm-up", schedule.WarmUp(2, 5, 20), 20, 2},
		{"a drop's last step before", schedule.Drops(2, 0.5, 4, 6), 3, 2},
		{"drop", schedule.Drops(2, 0.5, 4, 6), 4, 1},
		{"second drop", schedule.Drops(2, 0.5, 4, 6), 6, 0.5},
		{"first step of a rate's warm-up", schedule.Cosine(2, 10).Warmed(4), 0, 0.5},
		{"last step of a rate's warm-up", schedule.Cosine(2, 10).Warmed(4), 3, 2},
		{"a cosine after a warm-up", schedule.Cosine(2, 10).Warmed(4), 9, 1},
		{"a later stage of a warm-up", schedule.Constant(2).Warmed(4).After(1), 1, 1.5},
		{"no warm-up", schedule.WarmUp(2, 0, 0), 0, 2},
	} {
		if got := c.s.At(c.at); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s at %d: %v, want %v", c.name, c.at, got, c.want)
		}
	}
}

// A step program reads a schedule as float32. Each one has, at every step, the bits of its
// formula as the function of the step that it was before it was a value: results that were
// stored then are still those that the program computes.
func TestBits(t *testing.T) {
	const steps, leapfrog, done = 5000, 7, 1234
	length := (steps + 6) / 7
	correction := func(beta float64, step int) float64 { return 1 - math.Pow(beta, float64(done+step+1)) }
	at := func(is bool, x float64) float64 {
		if is {
			return x
		}
		return 0
	}
	trajectory := func(step int) float64 { return float64(step/leapfrog + 1) }
	for _, c := range []struct {
		name string
		s    schedule.Schedule
		f    func(step int) float64
	}{
		{"constant", schedule.Constant(0.3), func(int) float64 { return 0.3 }},
		{"linear", schedule.Linear(0.3, steps), func(t int) float64 { return 0.3 * (1 - float64(t)/float64(steps)) }},
		{"half-linear", schedule.HalfLinear(0.3, steps), func(t int) float64 { return 0.3 * min(2-2*float64(t)/float64(steps), 1) }},
		{"cyclic", schedule.Cyclic(0.3, steps, 7), func(t int) float64 {
			return 0.3 / 2 * (math.Cos(math.Pi*float64(t%length)/float64(length)) + 1)
		}},
		{"polynomial", schedule.Polynomial(0.1*math.Pow(1000, 0.55), 1000, 0.55), func(t int) float64 {
			return 0.1 * math.Pow(1000, 0.55) * math.Pow(1000+float64(t), -0.55)
		}},
		{"polynomial after some steps", schedule.Polynomial(2, 10, 0.5).After(done), func(t int) float64 {
			return 2 * math.Pow(10+float64(done+t), -0.5)
		}},
		{"warm-up", schedule.WarmUp(0.3, 500, 2000.5), func(t int) float64 {
			switch at := float64(t); {
			case at >= 2000.5:
				return 0.3
			case at < 500:
				return 0
			default:
				return 0.3 * (at - 500) / (2000.5 - 500)
			}
		}},
		{"temperature of cycles", schedule.Late(0.7, length, 300), func(t int) float64 { return at(t%length >= 300, 0.7) }},
		{"end of a trajectory", schedule.Pulse(leapfrog, leapfrog-1), func(t int) float64 { return at(t%leapfrog == leapfrog-1, 1) }},
		{"count", schedule.Count(), func(t int) float64 { return float64(t) }},
		{"Adam's scale", schedule.AdamScale(0.9, 0.999).After(done), func(t int) float64 {
			return math.Sqrt(correction(0.999, t)) / correction(0.9, t)
		}},
		{"Adam's epsilon", schedule.AdamEps(1e-8, 0.999).After(done), func(t int) float64 { return 1e-8 * math.Sqrt(correction(0.999, t)) }},
		{"share of a trajectory", schedule.Blocks(1, 1, 1, leapfrog), func(t int) float64 { return 1 / float64(t/leapfrog+1) }},
		{"dual averaging's share", schedule.Blocks(1, 11, 1, leapfrog), func(t int) float64 { return 1 / (trajectory(t) + 10) }},
		{"dual averaging's weight", schedule.Blocks(1, 1, 0.75, leapfrog), func(t int) float64 { return math.Pow(trajectory(t), -0.75) }},
	} {
		for step := range steps {
			if got, want := c.s.At(step), c.f(step); got != want {
				t.Errorf("%s at %d: %v, want %v", c.name, step, got, want)
				break
			}
		}
	}
	// HMC has at most 100,000 trajectories of burn-in. The quotient and the product differ
	// in float64 at a third of them.
	pull := schedule.Blocks(1/0.05, 1, -0.5, 1)
	for step := range 100_000 {
		if got, want := float32(pull.At(step)), float32(math.Sqrt(float64(step+1))/0.05); got != want {
			t.Fatalf("dual averaging's pull at trajectory %d: %v, want %v", step, got, want)
		}
	}
}

func TestRates(t *testing.T) {
	names := schedule.Rates()
	for _, name := range names {
		s, ok := schedule.Course{Name: name, Steps: 100, Milestones: []int{50}, Gamma: 0.1}.Rate(0.3)
		if !ok || string(s.Kind) != name {
			t.Errorf("%s: %+v, %v", name, s, ok)
		}
		if most := slices.Max([]float64{s.At(0), s.At(29), s.At(99)}); math.Abs(most-0.3) > 1e-3 {
			t.Errorf("%s: the largest rate is %v, want 0.3", name, most)
		}
	}
	if _, ok := (schedule.Course{Name: "warm-up", Steps: 100}).Rate(0.3); ok {
		t.Error("warm-up is a rate")
	}
}

// A schedule is a value: JSON holds all of it.
func TestJSON(t *testing.T) {
	for _, s := range []schedule.Schedule{
		{}, schedule.Constant(0), schedule.Cyclic(0.1, 40, 3).After(5), schedule.WarmUp(1, 2, 3.5), schedule.AdamScale(0.9, 0.999),
		schedule.Polynomial(1, 2, 0.5), schedule.Late(1, 10, 8), schedule.Drops(1, 0.1, 5, 9).Warmed(3).After(2),
	} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back schedule.Schedule
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%s: %+v, want %+v; %v", text, back, s, err)
		}
	}
}

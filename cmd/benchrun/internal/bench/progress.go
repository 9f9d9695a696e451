package bench

import (
	"encoding/json"
	"fmt"
	"math"

	"bayesbench/methods"
	"bayesbench/results"
)

// progress is what a checkpoint holds beside the slots.
type progress struct {
	Stage   int                `json:"stage"`
	Step    int                `json:"step"`    // steps done in the stage
	Before  int                `json:"before"`  // steps of the stages before
	Kept    int                `json:"kept"`    // posterior samples stored
	Sums    map[string]float64 `json:"sums"`    // of the scalars since the epoch began
	Count   int                `json:"count"`   // steps in Sums
	Seconds float64            `json:"seconds"` // of training, over all resumes
	Watch   *epochWatch        `json:"watch,omitempty"`
	Pace    pace               `json:"pace"`
}

// readProgress returns how far the training by that plan was whose checkpoint c is.
func readProgress(c *results.Checkpoint, plan *methods.Plan) (progress, error) {
	var p progress
	err := json.Unmarshal([]byte(c.Meta[metaProgress]), &p)
	if err == nil {
		err = p.check(plan)
	}
	if err != nil {
		return progress{}, fmt.Errorf("progress: %w", err)
	}
	if p.Sums == nil {
		p.Sums = map[string]float64{}
	}
	return p, nil
}

// check reports what no training by the plan can have come to.
func (p *progress) check(plan *methods.Plan) error {
	between := func(name string, x, lo, hi int) error {
		if x < lo || x > hi {
			return fmt.Errorf("%s %d: want %d to %d", name, x, lo, hi)
		}
		return nil
	}
	if err := between("stage", p.Stage, 0, len(plan.Stages)); err != nil {
		return err
	}
	steps := 0 // that the stage has
	if p.Stage < len(plan.Stages) {
		steps = plan.Stages[p.Stage].Steps
	}
	if err := between("step", p.Step, 0, steps); err != nil {
		return err
	}
	before, kept := 0, 0
	for i := range plan.Stages[:min(p.Stage+1, len(plan.Stages))] {
		s, done := &plan.Stages[i], p.Step
		if i < p.Stage {
			done = s.Steps
			before += s.Steps
		}
		kept += s.KeptIn(done)
	}
	if err := between("before", p.Before, before, before); err != nil {
		return err
	}
	if err := between("kept", p.Kept, kept, kept); err != nil {
		return err
	}
	if err := between("count", p.Count, 0, p.Step); err != nil {
		return err
	}
	for name, sum := range p.Sums {
		if math.Abs(sum) > float64(p.Count)*math.MaxFloat32 {
			return fmt.Errorf("sums: %q is %g after %d steps", name, sum, p.Count)
		}
	}
	if err := checkReading("seconds", p.Seconds); err != nil {
		return err
	}
	if err := p.Watch.check(before + p.Step); err != nil {
		return err
	}
	return p.Pace.check()
}

// checkReading refuses a number that no clock or meter shows: sums of such could not be written.
func checkReading(name string, x float64) error {
	const most = 1e15
	if !(x >= 0 && x <= most) {
		return fmt.Errorf("%s %g: want 0 to %g", name, x, most)
	}
	return nil
}

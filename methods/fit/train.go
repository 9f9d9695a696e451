package fit

import (
	"cmp"
	"fmt"
	"math"

	"bayesbench/methods"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

// Optimizer is the optimiser and learning rate of the suite's [train] table.
func Optimizer(j methods.Job) (optim.Optimizer, methods.Schedule, error) {
	lr, err := LearningRate(j)
	if err != nil {
		return nil, lr, err
	}
	opt, err := optim.Named(j.Train.WithDefaults().Update())
	return opt, lr, err
}

// LearningRate is the schedule of the suite's [train] table.
func LearningRate(j methods.Job) (methods.Schedule, error) {
	t, steps := j.Train.WithDefaults(), j.Steps()
	if steps < 1 {
		return methods.Schedule{}, methods.BadKey("train.epochs", j.Epochs, "at least one step (a batch no larger than the data, one epoch or more)")
	}
	if !(t.LR > 0) {
		return methods.Schedule{}, methods.BadKey("train.lr", t.LR, "a number above 0")
	}
	course := schedule.Course{Name: t.Schedule, Steps: steps, Warm: inSteps(j, t.Warmup)}
	if !(t.Warmup >= 0) || course.Warm >= steps {
		return methods.Schedule{}, methods.BadKey("train.warmup", t.Warmup, fmt.Sprintf("less than the %d epochs of the training", j.Epochs))
	}
	if t.Schedule == stepSchedule {
		var err error
		if course.Milestones, err = milestones(j, course.Warm); err != nil {
			return methods.Schedule{}, err
		}
		course.Gamma = cmp.Or(t.Gamma, 0.1)
		if !(course.Gamma > 0 && course.Gamma < 1) {
			return methods.Schedule{}, methods.BadKey("train.gamma", t.Gamma, "a factor in (0, 1)")
		}
	} else if len(t.Milestones) > 0 {
		return methods.Schedule{}, methods.BadKey("train.milestones", t.Milestones, fmt.Sprintf("none without schedule = %q", stepSchedule))
	} else if t.Gamma != 0 {
		return methods.Schedule{}, methods.BadKey("train.gamma", t.Gamma, fmt.Sprintf("none without schedule = %q", stepSchedule))
	}
	lr, ok := course.Rate(t.LR)
	if !ok {
		return lr, methods.BadKey("train.schedule", t.Schedule, fmt.Sprintf("one of %q", schedule.Rates()))
	}
	return lr, nil
}

// stepSchedule is the schedule that has milestones.
const stepSchedule = "step"

// inSteps is so many epochs of the job in steps, to the nearest.
func inSteps(j methods.Job, epochs float64) int {
	return int(math.Round(epochs * float64(j.StepsPerEpoch())))
}

// milestones are those of the schedule "step" in steps, each after the one before and after the
// warm-up. Where the suite names none they are half and three quarters of the training, as He et
// al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, have them.
func milestones(j methods.Job, warm int) ([]int, error) {
	epochs := j.Train.Milestones
	if len(epochs) == 0 {
		all := float64(j.Epochs)
		epochs = []float64{all / 2, all * 3 / 4}
	}
	steps := make([]int, len(epochs))
	before := warm
	for i, e := range epochs {
		if steps[i] = inSteps(j, e); !(steps[i] > before && steps[i] < j.Steps()) {
			return nil, methods.BadKey("train.milestones", epochs,
				fmt.Sprintf("epochs after the warm-up, each later than the one before and all before the end of the training, epoch %d", j.Epochs))
		}
		before = steps[i]
	}
	return steps, nil
}

// KLWeight is a method's keys for the weight of the KL in the objective: 0
// before epoch WarmupStart, then linear, and Weight from epoch WarmupEnd.
// Sønderby et al., "Ladder variational autoencoders", NIPS 2016; Molchanov et
// al. 2017.
type KLWeight struct {
	Weight      float64 `toml:"kl_weight"`
	WarmupStart float64 `toml:"warmup_start"` // epochs
	WarmupEnd   float64 `toml:"warmup_end"`   // epochs
}

// Check refuses what no job could run with.
func (w KLWeight) Check() error {
	switch {
	case !(w.Weight >= 0) || math.IsInf(w.Weight, 1):
		return methods.BadKey("kl_weight", w.Weight, "a finite number not below 0")
	case !(w.WarmupStart >= 0):
		return methods.BadKey("warmup_start", w.WarmupStart, "an epoch, 0 or later")
	case !(w.WarmupEnd >= w.WarmupStart):
		return methods.BadKey("warmup_end", w.WarmupEnd, "an epoch not before warmup_start")
	}
	return nil
}

// Schedule is the weight at each step of the job.
func (w KLWeight) Schedule(j methods.Job) (methods.Schedule, error) {
	if w.WarmupEnd > float64(j.Epochs) {
		return methods.Schedule{}, methods.BadKey("warmup_end", w.WarmupEnd, fmt.Sprintf("no more than the %d epochs of the training", j.Epochs))
	}
	perEpoch := float64(j.StepsPerEpoch())
	return schedule.WarmUp(w.Weight, w.WarmupStart*perEpoch, w.WarmupEnd*perEpoch), nil
}

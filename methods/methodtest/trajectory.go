package methodtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Tolerance is how far the same training may drift apart on two backends.
type Tolerance struct {
	// Scalars bounds |found − want| of every recorded scalar of every step by
	// Scalars·(1 + |want|).
	Scalars float64
	// State bounds it for the elements of every slot, at the end and where it
	// was stored, by State·(r + |want|), r the slot's root mean square.
	State float64
	Why   string // where the difference comes from
}

// Same reports where two trainings of one plan differ by more than tol: the
// first step and scalar, or the worst element of a slot.
func Same(found, want *Fitted, tol Tolerance) error {
	err := errors.Join(sameCurves(found, want, tol), sameState("at the end", found.State, want.State, tol))
	if len(found.Kept) != len(want.Kept) {
		return errors.Join(err, fmt.Errorf("%d states were stored, want %d", len(found.Kept), len(want.Kept)))
	}
	for i := range want.Kept {
		err = errors.Join(err, sameState(fmt.Sprintf("in stored state %d", i), found.Kept[i], want.Kept[i], tol))
	}
	return err
}

// sameCurves goes by step, so that what it reports is where the two part.
func sameCurves(found, want *Fitted, tol Tolerance) error {
	for _, stage := range want.Plan.Stages {
		for step := range stage.Steps {
			for _, r := range stage.Step.Results {
				curve, ok := want.Curve[stage.Name][r.Name]
				if !ok {
					continue // a slot
				}
				f, w := found.Curve[stage.Name][r.Name][step], curve[step]
				if !(math.Abs(f-w) <= tol.Scalars*(1+math.Abs(w))) {
					return fmt.Errorf("stage %s, step %d: %s is %v, want %v (tolerance %.0e: %s)", stage.Name, step, r.Name, f, w, tol.Scalars, tol.Why)
				}
			}
		}
	}
	return nil
}

func sameState(where string, found, want map[string][]float32, tol Tolerance) error {
	var err error
	for _, name := range names(want) {
		f, w := found[name], want[name]
		square := 0.0
		for _, x := range w {
			square += float64(x) * float64(x)
		}
		rms := math.Sqrt(square / float64(len(w)))
		worst, excess := -1, 0.0
		for i := range w {
			off := math.Abs(float64(f[i]) - float64(w[i]))
			if math.IsNaN(off) {
				off = math.Inf(1)
			}
			if e := off - tol.State*(rms+math.Abs(float64(w[i]))); e > excess {
				worst, excess = i, e
			}
		}
		if worst >= 0 {
			err = errors.Join(err, fmt.Errorf("slot %s[%d] %s is %v, want %v (rms %.2g, tolerance %.0e: %s)",
				name, worst, where, f[worst], w[worst], rms, tol.State, tol.Why))
		}
	}
	return err
}

func names(state map[string][]float32) []string {
	var out []string
	for name := range state {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

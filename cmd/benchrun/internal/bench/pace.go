package bench

import (
	"fmt"
)

// pace is what clocks and meters said of a job's training, over all resumes. What a kill cost, the
// steps since the newest checkpoint, is in nothing of it.
type pace struct {
	WarmUp    stretch   `json:"warm_up"`   // the first of each process, in which caches and the loader warm up
	Stretches []stretch `json:"stretches"` // the others, in order
	Each      int       `json:"each"`      // how many that were measured one of Stretches covers; the last may lack some
	Joules    float64   `json:"joules"`    // spent in training
	Metered   int       `json:"metered"`   // examples trained on meanwhile; 0 where energy cannot be read
	Wall      float64   `json:"wall"`      // seconds in the phase train, preparing it included
	Peak      float64   `json:"peak"`      // bytes of memory, the most that any of the processes held
}

// stretch is a piece of training between two looks at the clock.
type stretch struct {
	Parts    int     `json:"parts"` // measured stretches that it is the sum of
	Examples int     `json:"examples"`
	Seconds  float64 `json:"seconds"`
}

func (s *stretch) add(examples int, seconds float64) {
	s.Parts++
	s.Examples += examples
	s.Seconds += seconds
}

// maxStretches bounds what a checkpoint holds of them, whatever the training takes. Where there
// would be more, each two neighbours become one.
const maxStretches = 512

// add counts one measured stretch.
func (p *pace) add(examples int, seconds float64, warmUp bool) {
	seconds = max(seconds, 1e-9) // a coarse clock may have seen none
	if warmUp {
		p.WarmUp.add(examples, seconds)
		return
	}
	p.Each = max(p.Each, 1)
	last := len(p.Stretches) - 1
	if last >= 0 && p.Stretches[last].Parts < p.Each {
		p.Stretches[last].add(examples, seconds)
		return
	}
	if len(p.Stretches) == maxStretches {
		half := p.Stretches[:maxStretches/2]
		for i := range half {
			a, b := p.Stretches[2*i], p.Stretches[2*i+1]
			half[i] = stretch{a.Parts + b.Parts, a.Examples + b.Examples, a.Seconds + b.Seconds}
		}
		p.Stretches = half
		p.Each *= 2
	}
	p.Stretches = append(p.Stretches, stretch{1, examples, seconds})
}

// rate is the examples a second that training went through: the median of its stretches, which
// forgives a machine that was busy now and then. Where the warm-up is all there was, it is the
// warm-up's; nothing (false) where nothing was timed.
func (p *pace) rate() (float64, bool) {
	var rates []float64
	for _, s := range p.Stretches {
		rates = append(rates, float64(s.Examples)/s.Seconds)
	}
	if len(rates) > 0 {
		return median(rates), true
	}
	return float64(p.WarmUp.Examples) / p.WarmUp.Seconds, p.WarmUp.Seconds > 0
}

// check reports what cannot have been measured.
func (p *pace) check() error {
	if len(p.Stretches) > maxStretches {
		return fmt.Errorf("pace: %d stretches, at most %d are kept", len(p.Stretches), maxStretches)
	}
	const most = 1 << 40
	for _, s := range append([]stretch{p.WarmUp}, p.Stretches...) {
		if err := checkReading("pace: seconds", s.Seconds); err != nil {
			return err
		}
		if s.Parts < 0 || s.Parts > most || s.Examples < 0 || s.Examples > most || s.Seconds == 0 && s.Parts > 0 {
			return fmt.Errorf("pace: a stretch of %d parts, %d examples and %g s", s.Parts, s.Examples, s.Seconds)
		}
	}
	if p.Each < 0 || p.Each > most || p.Metered < 0 || p.Metered > most {
		return fmt.Errorf("pace: %d stretches each, %d examples metered", p.Each, p.Metered)
	}
	for name, x := range map[string]float64{"joules": p.Joules, "wall": p.Wall, "peak": p.Peak} {
		if err := checkReading("pace: "+name, x); err != nil {
			return err
		}
	}
	return nil
}

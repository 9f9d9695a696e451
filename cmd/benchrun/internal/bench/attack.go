package bench

import (
	"context"
	"errors"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// Attacks maximise the NLL of the predictive within a box of half-width ε
// around each input, in the L∞ norm and within black and white; ε is a share
// of that range. fgsm is one step of ε along the sign of the gradient
// (Goodfellow et al. 2015), pgd ten steps of ε/4, each back into the box (Madry
// et al. 2018, started at the input). The gradient is that of the mean NLL of
// the first posterior samples, at most attackSamples of them and so many that
// members weigh alike (counts), and the attacked inputs are then judged by all.
const (
	attackSamples = 8
	pgdSteps      = 10
	pgdStep       = 0.25 // of ε
)

// underAttack scores the predictive on attacked test inputs.
func (j *Job) underAttack(ctx context.Context, s *stream, name string, k int, clean *metrics.Evaluation, truth []int, rec *record, set *data.Set) error {
	steps, step := 1, 1.0
	if name == "pgd" {
		steps, step = pgdSteps, pgdStep
	}
	a, err := newAttacker(s, set, j.Config.Eval.Epsilon, step)
	if err != nil {
		return err
	}
	defer a.gradient.exe.Close()
	var attacked []batch
	row := 0
	err = s.batches(ctx, set.Test)(func(x []float32, valid int) error {
		adv, err := a.attack(x, row, truth[row:row+valid], steps, upTo(s.counts, attackSamples))
		row += valid
		attacked = append(attacked, batch{adv, valid})
		return err
	})
	if err != nil {
		return err
	}
	again := func(visit func([]float32, int) error) error {
		for _, b := range attacked {
			if err := errors.Join(ctx.Err(), visit(b.x, b.valid)); err != nil {
				return err
			}
		}
		return nil
	}
	e, err := s.predictive(again, set.Test.Len(), k, truth)
	if err != nil {
		return err
	}
	scores, err := metrics.ScoreAdversarial(clean, e)
	if err != nil {
		return err
	}
	rec.underAttack(s.predictor.Name, name, j.Config.Eval.Epsilon, k, scores)
	return nil
}

type batch struct {
	x     []float32
	valid int
}

// attacker moves inputs up the gradient of the NLL.
type attacker struct {
	s            *stream
	gradient     *program
	plane        int       // values of a channel
	black, white []float32 // by channel
	epsilon      float64   // of the range
	step         float64   // of epsilon
	y, dx, sum   []float32
}

func newAttacker(s *stream, set *data.Set, epsilon, step float64) (*attacker, error) {
	p := s.predictor.Program
	var shape []int
	g, err := ir.Extend(p, p.Name+"-attack", func(b *ir.Builder) {
		x, _ := p.Param("x")
		shape = b.Shape(x)
		logp := p.Results[0].Value
		y := b.Param("y", b.Type(logp))
		b.Result("dx", b.Grad(b.Neg(b.Sum(b.Mul(y, logp))), x)[0])
	})
	if err != nil {
		return nil, err
	}
	prog, err := bind(s.be, g, s.state)
	if err != nil {
		return nil, err
	}
	n := ir.Float(shape...).Size()
	a := &attacker{
		s: s, gradient: prog, plane: shape[2] * shape[3], epsilon: epsilon, step: step,
		y: make([]float32, s.rows*s.classes), dx: make([]float32, n), sum: make([]float32, n),
	}
	for c := range shape[1] {
		lo, hi := s.norm.Range(c)
		a.black, a.white = append(a.black, lo), append(a.white, hi)
	}
	return a, nil
}

// attack returns the attacked inputs of one batch, whose first row is the given
// one of the test set.
func (a *attacker) attack(x []float32, first int, truth []int, steps, samples int) ([]float32, error) {
	clear(a.y)
	for i, c := range truth {
		a.y[i*a.s.classes+c] = 1
	}
	if err := a.gradient.inputs["y"].Write(backends.Data{F32: a.y}); err != nil {
		return nil, err
	}
	adv := append([]float32(nil), x...)
	for range steps {
		if err := a.gradient.inputs["x"].Write(backends.Data{F32: adv}); err != nil {
			return nil, err
		}
		clear(a.sum)
		for k := range samples {
			if err := a.s.choose(a.gradient, k); err != nil {
				return nil, err
			}
			if err := a.gradient.setRowKey(a.s.noise, first); err != nil {
				return nil, err
			}
			if err := a.gradient.run(); err != nil {
				return nil, err
			}
			if err := a.gradient.outputs["dx"].Read(backends.Data{F32: a.dx}); err != nil {
				return nil, err
			}
			a.s.pulse.beat()
			for i, d := range a.dx {
				a.sum[i] += d
			}
		}
		for i, d := range a.sum {
			c := i / a.plane % len(a.black)
			radius := float32(a.epsilon) * (a.white[c] - a.black[c])
			move := float32(a.step) * radius
			switch {
			case d > 0:
				adv[i] += move
			case d < 0:
				adv[i] -= move
			}
			adv[i] = min(max(adv[i], x[i]-radius, a.black[c]), x[i]+radius, a.white[c])
		}
	}
	return adv, nil
}

package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/methods/exec"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// Attacks maximise the NLL of the predictive within a box of half-width ε
// around each input, in the L∞ norm and within black and white; ε is a share
// of that range. fgsm is one step of ε along the sign of the gradient
// (Goodfellow et al. 2015), pgd ten steps of ε/4, each back into the box (Madry
// et al. 2018, started at the input). The gradient is that of the mean NLL of
// the first posterior samples, at most attackSamples of them and so many that
// members weigh alike (counts), and the attacked inputs are then judged by all. Only predictions
// of classes are attacked (judgeable), so a program's first result is log p of each class.
const (
	attackSamples = 8
	pgdSteps      = 10
	pgdStep       = 0.25 // of ε
)

// attacks maps the name of an attack to how it moves.
var attacks = map[string]struct {
	steps int
	step  float64 // of ε
}{
	"fgsm": {1, 1},
	"pgd":  {pgdSteps, pgdStep},
}

// underAttack scores the predictive on attacked test inputs.
func (x *execution) underAttack(ctx context.Context, s *stream, name string, clean metrics.Judged) error {
	how, ok := attacks[name]
	if !ok {
		return fmt.Errorf("attack %q: want one of %q", name, slices.Sorted(maps.Keys(attacks)))
	}
	epsilon := x.Config.Eval.Epsilon
	a, err := newAttacker(s, x.set, epsilon, how.step)
	if err != nil {
		return err
	}
	defer a.gradient.Close()
	truth, k := s.truth(x.set.Test), s.all()
	var attacked []exec.Batch
	for b, err := range s.batches(ctx, x.set.Test) {
		if err != nil {
			return err
		}
		adv, err := a.attack(b, truth.Targets[b.First*truth.Columns:(b.First+b.Valid)*truth.Columns], how.steps)
		if err != nil {
			return err
		}
		b.X.F32 = adv
		attacked = append(attacked, b)
	}
	again := func(yield func(exec.Batch, error) bool) {
		for _, b := range attacked {
			if !yield(b, ctx.Err()) {
				return
			}
		}
	}
	e, err := s.judge(s.drawn(again), truth, k)
	if err != nil {
		return err
	}
	scores, err := clean.Compare(metrics.Adversarial, e)
	if err != nil {
		return err
	}
	x.rec.underAttack(s.predictor.Name, name, epsilon, k, scores)
	return nil
}

// attacker moves inputs up the gradient of the NLL.
type attacker struct {
	s            *stream
	gradient     *exec.Program
	plane        int       // values of a channel or column
	black, white []float32 // by channel or column
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
	prog, err := s.Bind(g)
	if err != nil {
		return nil, err
	}
	n := ir.Float(shape...).Size()
	a := &attacker{
		s: s, gradient: prog, plane: ir.Float(shape[2:]...).Size(), epsilon: epsilon, step: step,
		y: make([]float32, s.rows*s.columns), dx: make([]float32, n), sum: make([]float32, n),
	}
	for c := range shape[1] {
		lo, hi := s.norm.Range(c)
		a.black, a.white = append(a.black, lo), append(a.white, hi)
	}
	return a, nil
}

// attack returns the attacked inputs of one batch.
func (a *attacker) attack(clean exec.Batch, targets []float64, steps int) ([]float32, error) {
	x := clean.X.F32
	clear(a.y)
	for i, y := range targets {
		a.y[i] = float32(y)
	}
	if err := a.gradient.Write("y", a.y); err != nil {
		return nil, err
	}
	adv := slices.Clone(x)
	samples := upTo(a.s.counts, attackSamples)
	for range steps {
		if err := a.gradient.Write("x", adv); err != nil {
			return nil, err
		}
		clear(a.sum)
		for k := range samples {
			if err := a.s.Choose(a.gradient, k); err != nil {
				return nil, err
			}
			if err := a.s.SetRow(a.gradient, clean.First); err != nil {
				return nil, err
			}
			if err := a.gradient.Run(); err != nil {
				return nil, err
			}
			if err := a.gradient.Output("dx").Read(backends.Data{F32: a.dx}); err != nil {
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

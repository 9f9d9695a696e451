package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/methods/exec"
	"bayesbench/results"
)

// gradient is one estimator of the gradient of a batch's mean NLL.
type gradient struct {
	estimator string
	program   *ir.Program
}

// compareGradients records the variance of each estimator of the gradient at
// the weights that training ended with, all on the same batches.
func (t *trainer) compareGradients(ctx context.Context) error {
	for _, g := range t.gradients {
		if err := t.gradientVariance(ctx, g); err != nil {
			return &stepError{"gradient of estimator " + g.estimator, t.Before + t.Step, err}
		}
	}
	return nil
}

func (t *trainer) gradientVariance(ctx context.Context, g gradient) error {
	p, err := t.state.Bind(g.program)
	if err != nil {
		return err
	}
	defer p.Close()
	feed, err := newFeed(ctx, t, p.Input("x") != nil, false)
	if err != nil {
		return err
	}
	defer feed.close()
	var names []string
	elements := map[string]*moments{}
	for _, r := range g.program.Results {
		names = append(names, r.Name)
		elements[r.Name] = newMoments(g.program.Type(r.Value).Size())
	}
	slices.Sort(names)
	noise := exec.Key(t.Config.Seed, exec.ForGradients)
	for draw := range t.Config.Eval.GradientDraws {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := feed.Next()
		if err == nil {
			err = p.Load(b)
		}
		if err == nil {
			err = p.SetKey(noise.Fold(uint32(draw)))
		}
		if err == nil {
			err = p.Run()
		}
		if err != nil {
			return err
		}
		t.pulse.beat()
		for _, name := range names {
			m := elements[name]
			if err := p.Output(name).Read(backends.Data{F32: m.x}); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			m.add()
		}
	}
	for _, name := range names {
		v := elements[name].variance()
		if v == 0 {
			continue // a parameter of noise, under the estimator without
		}
		t.rec.add([]results.Pair{{Key: "estimator", Value: g.estimator}, {Key: "parameter", Value: strings.TrimPrefix(name, "gradient/")}}, 0,
			[]results.Value{{Unit: "gradient_variance", Value: v}})
	}
	return nil
}

// moments is Welford's running mean and sum of squared deviations of each
// element of x, in float64: gradients are small against their spread.
type moments struct {
	n       float64
	x       []float32 // the draw to be added
	mean, s []float64
}

func newMoments(n int) *moments {
	return &moments{x: make([]float32, n), mean: make([]float64, n), s: make([]float64, n)}
}

func (m *moments) add() {
	m.n++
	for i, x := range m.x {
		d := float64(x) - m.mean[i]
		m.mean[i] += d / m.n
		m.s[i] += d * (float64(x) - m.mean[i])
	}
}

// variance is the unbiased one, mean over the elements; 0 of a single draw.
func (m *moments) variance() float64 {
	if m.n < 2 {
		return 0
	}
	sum := 0.0
	for _, s := range m.s {
		sum += s
	}
	return sum / (m.n - 1) / float64(len(m.s))
}

package bench

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// gradient is one estimator of the gradient of a batch's mean NLL.
type gradient struct {
	estimator string
	program   *ir.Program
}

// compareGradients records the variance of each estimator of the gradient at
// the weights that training ended with, all on the same batches.
func (t *trainer) compareGradients(ctx context.Context, rec *record) error {
	for _, g := range t.job.gradients {
		if err := t.gradientVariance(ctx, g, rec); err != nil {
			return &stepError{"gradient of estimator " + g.estimator, t.Before + t.Step, err}
		}
	}
	return nil
}

func (t *trainer) gradientVariance(ctx context.Context, g gradient, rec *record) error {
	p, err := bind(t.be, g.program, t.state)
	if err != nil {
		return err
	}
	defer p.exe.Close()
	feed, err := newFeed(ctx, t, &methods.Stage{}, p)
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
	sort.Strings(names)
	noise := key(t.job.Config.Seed, forGradients)
	for draw := range t.job.Config.Eval.GradientDraws {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := feed.next(); err != nil {
			return err
		}
		if err := p.setKey(noise.Fold(uint32(draw))); err != nil {
			return err
		}
		if err := p.run(); err != nil {
			return err
		}
		t.pulse.beat()
		for _, name := range names {
			m := elements[name]
			if err := p.outputs[name].Read(backends.Data{F32: m.x}); err != nil {
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
		rec.add([]results.Pair{{Key: "estimator", Value: g.estimator}, {Key: "parameter", Value: strings.TrimPrefix(name, "gradient/")}}, 0,
			[]metrics.Score{{Unit: "gradient_variance", Value: v}})
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

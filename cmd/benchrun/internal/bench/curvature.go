package bench

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/results"
)

// The largest curvature is sought by Lanczos's method: a fixed number of products
// with the Hessian, each over batches of the training data, so that the cost is
// bounded and every run of a job gives the same bits.
const (
	curvatureProducts = 20
	// curvatureBatches is the most batches of a product; a training of fewer than
	// ten steps for each of its products has fewer.
	curvatureBatches = 10
	// curvatureStep is the half-width of the difference of gradients that stands
	// for a product, over the norm of the parameters, or over 1 if that is larger:
	// float32 leaves five digits of it.
	curvatureStep = 1e-3
)

// productBatches is the number of batches that a product takes.
func productBatches(p *methods.Plan, perEpoch int) int {
	if p.Stages[p.Sampler.Stage].FullBatch {
		return 1
	}
	steps := 0
	for _, s := range p.Stages {
		steps += s.Steps
	}
	return min(curvatureBatches, perEpoch, max(1, steps/(10*curvatureProducts)))
}

// stability records how far the steps of the job's sampler are from where they
// diverge, and says so where they are near or beyond it; package metrics defines
// the quantity.
func (t *trainer) stability(ctx context.Context) error {
	s := t.plan.Sampler
	if s == nil {
		return nil
	}
	largest, err := t.curvature(ctx, s)
	if err != nil {
		return &stepError{"curvature", t.Before + t.Step, err}
	}
	if math.IsNaN(largest) || math.IsInf(largest, 0) {
		t.report.Note(t.Job, "curvature_step is left out: the gradient is not finite near the last state")
		return nil
	}
	t.rec.add(nil, 0, []results.Value{{Unit: "curvature_step", Value: largest}})
	switch {
	case largest > s.Limit:
		t.report.Note(t.Job, fmt.Sprintf(
			"the curvature times the step is %.3g, and steps are stable up to %.3g: the states are no samples of the posterior; want a smaller %s",
			largest, s.Limit, s.Key))
	case largest > s.Limit/2 && !s.Adjusted:
		t.report.Note(t.Job, fmt.Sprintf(
			"the curvature times the step is %.3g of the %.3g up to which steps are stable: along the steepest direction the states have %.2g times the posterior's variance or more; want a smaller %s",
			largest, s.Limit, 1/(1-largest/s.Limit), s.Key))
	}
	return nil
}

// curvature is the largest curvature at the state times the sampler's step.
func (t *trainer) curvature(ctx context.Context, s *methods.Sampler) (float64, error) {
	c, err := newCurvature(t, s)
	if err != nil {
		return 0, err
	}
	defer c.gradient.Close()
	return largestEigenvalue(c.start(), func(u []float64) ([]float64, error) { return c.times(ctx, u) })
}

// curvature is the matrix A = √D·H·√D at the trainer's state: H the Hessian of the
// loss per example over the sampler's slots, D what its step multiplies the
// gradient by. A has the eigenvalues of D·H.
type curvature struct {
	t        *trainer
	stage    *methods.Stage
	gradient *exec.Program
	batches  int
	slots    []*exec.Slot
	at       []float64 // the parameters, slot after slot
	root     []float64 // √D
	results  []backends.Buffer
}

func newCurvature(t *trainer, s *methods.Sampler) (*curvature, error) {
	c := &curvature{t: t, stage: &t.plan.Stages[s.Stage], batches: productBatches(t.plan, t.set.Train.Len()/t.Config.Train.Batch)}
	host := map[string][]float32{}
	if err := t.state.Edit(func(state map[string][]float32) error { host = state; return nil }); err != nil {
		return nil, err
	}
	steps := s.Steps(host)
	names := slices.Sorted(maps.Keys(steps))
	for _, name := range names {
		sl, each := t.state.Slot(name), steps[name]
		c.slots = append(c.slots, sl)
		for i, x := range host[name] {
			c.at = append(c.at, float64(x))
			c.root = append(c.root, math.Sqrt(each[i%len(each)]))
		}
	}
	p, err := gradientOf(c.stage.Step, names)
	if err != nil {
		return nil, err
	}
	if c.gradient, err = t.state.Bind(p); err != nil {
		return nil, err
	}
	for _, name := range names {
		c.results = append(c.results, c.gradient.Output("gradient/"+name))
	}
	return c, nil
}

// gradientOf is the gradient of a step's loss with respect to the named slots.
func gradientOf(step *ir.Program, names []string) (*ir.Program, error) {
	at := slices.IndexFunc(step.Results, func(r ir.Result) bool { return r.Name == "loss" })
	p, err := ir.Extend(step, step.Name+"-curvature", func(b *ir.Builder) {
		wrt := make([]ir.Value, len(names))
		for i, name := range names {
			wrt[i], _ = step.Param(name)
		}
		for i, g := range b.Grad(step.Results[at].Value, wrt...) {
			b.Result("gradient/"+names[i], g)
		}
	})
	if err != nil {
		return nil, err
	}
	return ir.Clean(p), nil
}

// start is the vector that the products begin with, normal for each slot.
func (c *curvature) start() []float64 {
	var u []float64
	for _, sl := range c.slots {
		v := make([]float32, sl.Type.Size())
		rng.Normal(v, exec.Key(c.t.Config.Seed, exec.ForCurvature), exec.SlotStream(sl.Name))
		for _, x := range v {
			u = append(u, float64(x))
		}
	}
	return u
}

// largestEigenvalue is that of the symmetric matrix A whose products times gives:
// the largest of its compression onto the span of start, A·start, A²·start, …,
// which is where power iteration moves, by Lanczos's recurrence. It is from below,
// and much closer than power iteration's own after as many products. Golub and Van
// Loan, "Matrix computations", section 10.1.
func largestEigenvalue(start []float64, times func(u []float64) ([]float64, error)) (float64, error) {
	n := len(start)
	before, u := make([]float64, n), slices.Clone(start)
	var diagonal, beside []float64
	length := floats.Norm(u, 2)
	for scale := 0.0; len(diagonal) < curvatureProducts && length > 1e-6*scale; {
		if len(diagonal) > 0 {
			beside = append(beside, length)
		}
		floats.Scale(1/length, u)
		product, err := times(u)
		if err != nil {
			return 0, err
		}
		diagonal = append(diagonal, floats.Dot(u, product))
		floats.AddScaled(product, -diagonal[len(diagonal)-1], u)
		if len(beside) > 0 {
			floats.AddScaled(product, -length, before)
		}
		scale = max(scale, math.Abs(diagonal[len(diagonal)-1]))
		before, u = u, product
		length = floats.Norm(u, 2)
	}
	if len(diagonal) == 0 || math.IsNaN(length) || math.IsInf(length, 0) {
		return math.NaN(), nil
	}
	t := mat.NewSymDense(len(diagonal), nil)
	for i, d := range diagonal {
		t.SetSym(i, i, d)
		if i > 0 {
			t.SetSym(i-1, i, beside[i-1])
		}
	}
	var e mat.EigenSym
	if !e.Factorize(t, false) {
		return math.NaN(), nil
	}
	return slices.Max(e.Values(nil)), nil
}

// times is A·u by the central difference of the gradient along √D·u, mean over
// the batches. The state is as before afterwards.
func (c *curvature) times(ctx context.Context, u []float64) ([]float64, error) {
	direction := floats.MulTo(make([]float64, len(u)), c.root, u)
	length := floats.Norm(direction, 2)
	out := make([]float64, len(u))
	if length == 0 {
		return out, nil
	}
	h := curvatureStep * max(1, floats.Norm(c.at, 2)) / length
	defer c.move(nil, 0)
	feed, err := newFeed(ctx, c.t, c.gradient.Input("x") != nil, c.stage.FullBatch)
	if err != nil {
		return nil, err
	}
	defer feed.close()
	for range c.batches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := feed.Next()
		if err == nil {
			err = c.gradient.Load(b)
		}
		if err != nil {
			return nil, err
		}
		for _, sign := range []float64{1, -1} {
			if err := c.move(direction, sign*h); err != nil {
				return nil, err
			}
			if err := c.gradient.Run(); err != nil {
				return nil, err
			}
			if err := c.add(out, sign/(2*h*float64(c.batches))); err != nil {
				return nil, err
			}
			c.t.pulse.beat()
		}
	}
	floats.Mul(out, c.root)
	return out, nil
}

// move writes the parameters plus h times a direction into their slots.
func (c *curvature) move(direction []float64, h float64) error {
	from := 0
	for _, sl := range c.slots {
		v := make([]float32, sl.Type.Size())
		for i := range v {
			x := c.at[from+i]
			if direction != nil {
				x += h * direction[from+i]
			}
			v[i] = float32(x)
		}
		if err := sl.Buffer.Write(backends.Data{F32: v}); err != nil {
			return fmt.Errorf("slot %s: %w", sl.Name, err)
		}
		from += len(v)
	}
	return nil
}

// add adds scale times the gradient to sum.
func (c *curvature) add(sum []float64, scale float64) error {
	from := 0
	for i, sl := range c.slots {
		v := make([]float32, sl.Type.Size())
		if err := c.results[i].Read(backends.Data{F32: v}); err != nil {
			return fmt.Errorf("gradient of %s: %w", sl.Name, err)
		}
		for k, x := range v {
			sum[from+k] += scale * float64(x)
		}
		from += len(v)
	}
	return nil
}

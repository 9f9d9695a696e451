package metrics

import (
	"fmt"
	"math"

	"bayesbench/results"
)

func init() { registerScorer("gaussian", gaussianScorer{}) }

// gaussianScorer scores Gaussians of numbers, "mean" and "log_var".
type gaussianScorer struct{}

func (gaussianScorer) Headline() []string { return KindGaussian.Headline() }

func (gaussianScorer) Compares() []Family { return nil }

func (gaussianScorer) Open(t Truth) (Running, error) {
	pred, err := NewGaussian(t.Inputs, t.Columns, t.Targets)
	if err != nil {
		return nil, err
	}
	return &runningNumbers{pred: pred, truth: t}, nil
}

type runningNumbers struct {
	pred           *Gaussian
	truth          Truth
	mean, variance []float64 // of the rows added, in the unit of the targets
	logLik         []float64
}

func (g *runningNumbers) Add(result func(string) []float32) ([]float64, error) {
	mean, logVar := result("mean"), result("log_var")
	if len(mean) != len(logVar) {
		return nil, fmt.Errorf("metrics: want as many log variances as means, found %d and %d", len(logVar), len(mean))
	}
	g.mean, g.variance = g.mean[:0], g.variance[:0]
	for i, m := range mean {
		s := g.truth.scale(i % g.truth.Columns)
		g.mean = append(g.mean, s.Mean+s.SD*float64(m))
		g.variance = append(g.variance, s.SD*s.SD*math.Exp(float64(logVar[i])))
	}
	first := g.pred.row
	if err := g.pred.Add(g.mean, g.variance); err != nil || g.truth.Targets == nil {
		return nil, err
	}
	g.logLik = g.logLik[:0]
	columns := g.truth.Columns
	for i := 0; i < len(g.mean); i += columns {
		sum := 0.0
		for k := i; k < i+columns; k++ {
			sum += logNormal(g.truth.Targets[first*columns+k]-g.mean[k], g.variance[k])
		}
		g.logLik = append(g.logLik, sum)
	}
	return g.logLik, nil
}

func (g *runningNumbers) Evaluate() (Judged, error) {
	e, err := g.pred.Evaluate()
	if err != nil {
		return nil, err
	}
	return judgedNumbers{e, g.truth}, nil
}

type judgedNumbers struct {
	*GaussianEvaluation
	truth Truth
}

func (e judgedNumbers) Compare(f Family, other Judged) ([]results.Value, error) {
	return nil, noFamily(KindGaussian, f)
}

func (e judgedNumbers) Glance() []results.Value {
	return []results.Value{{Unit: "rmse", Value: e.RMSE()}, {Unit: "nll", Value: e.NLL()}}
}

// Taught is the means and behind them the variances of each input.
func (e judgedNumbers) Taught() []float64 {
	out := make([]float64, 0, 2*len(e.Mean))
	for n := range e.N {
		for c := range e.D {
			s := e.truth.scale(c)
			out = append(out, (e.Mean[n*e.D+c]-s.Mean)/s.SD)
		}
		for c := range e.D {
			s := e.truth.scale(c)
			out = append(out, e.Variance[n*e.D+c]/(s.SD*s.SD))
		}
	}
	return out
}

func (e judgedNumbers) Arrays() []Array {
	out := []Array{
		{Name: "means", Rows: e.N, Columns: e.D, Values: e.Mean},
		{Name: "variances", Rows: e.N, Columns: e.D, Values: e.Variance},
	}
	if e.Targets != nil {
		out = append(out, Array{Name: "targets", Rows: e.N, Columns: e.D, Values: e.Targets})
	}
	return out
}

// Diagrams is the coverage of central intervals and, of the last predictive, the standardised
// residuals and how the predictive standard deviation spreads.
func (e judgedNumbers) Diagrams(d *results.Details, set string, last bool) {
	d.Coverage = append(d.Coverage, e.Coverage())
	if last {
		d.Histograms = append(d.Histograms, e.Residuals(set))
		e.Spread(d, set)
	}
}

// Spread is the histogram of the predictive standard deviation, the mean of a row's where it has
// several targets, from 0 to the largest.
func (e judgedNumbers) Spread(d *results.Details, set string) {
	const bins = 40
	sd, top := make([]float64, e.N), 0.0
	for i, v := range e.Variance {
		sd[i/e.D] += math.Sqrt(v) / float64(e.D)
	}
	for _, x := range sd {
		top = max(top, x)
	}
	h := results.Histogram{Quantity: "standard deviation", Data: set, Samples: e.K, Counts: make([]int, bins)}
	for i := range bins + 1 {
		h.Edges = append(h.Edges, top*float64(i)/bins)
	}
	for _, x := range sd {
		h.Counts[min(int(x/top*bins), bins-1)]++
	}
	d.Histograms = append(d.Histograms, h)
}

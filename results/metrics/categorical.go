package metrics

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/results"
)

func init() { registerScorer("categorical", categorical{}) }

// categorical scores the log-probabilities of classes, "logp".
type categorical struct{}

func (categorical) Headline() []string { return KindCategorical.Headline() }

func (categorical) Compares() []Family { return []Family{OOD, Adversarial, Reference} }

func (categorical) Open(t Truth) (Running, error) {
	c := &runningClasses{pred: NewPredictive(t.Inputs, t.Columns)}
	if t.Targets == nil {
		return c, nil
	}
	c.labels = make([]int, t.Inputs)
	for i := range c.labels {
		row := t.Targets[i*t.Columns : (i+1)*t.Columns]
		if c.labels[i] = slices.Index(row, 1); c.labels[i] < 0 {
			return nil, fmt.Errorf("metrics: want a class of input %d, a 1 among zeros, found %v", i, row)
		}
	}
	return c, nil
}

type runningClasses struct {
	pred   *Predictive
	labels []int
	logLik []float64
}

func (c *runningClasses) Add(result func(string) []float32) ([]float64, error) {
	logp, first, classes := result("logp"), c.pred.row, c.pred.c
	if err := c.pred.Add(LogProbs, logp); err != nil {
		return nil, err
	}
	if c.labels == nil {
		return nil, nil
	}
	c.logLik = c.logLik[:0]
	for i := range len(logp) / classes {
		c.logLik = append(c.logLik, float64(logp[i*classes+c.labels[first+i]]))
	}
	return c.logLik, nil
}

func (c *runningClasses) Evaluate() (Judged, error) {
	e, err := c.pred.Evaluate(c.labels)
	if err != nil {
		return nil, err
	}
	return judgedClasses{e}, nil
}

type judgedClasses struct{ *Evaluation }

func (e judgedClasses) Compare(f Family, other Judged) ([]results.Value, error) {
	o, ok := other.(judgedClasses)
	switch {
	case !ok:
		return nil, fmt.Errorf("metrics of family %q: the predictions are of two kinds", f)
	case f == OOD:
		return ScoreOOD(e.Evaluation, o.Evaluation)
	case f == Adversarial:
		return ScoreAdversarial(e.Evaluation, o.Evaluation)
	case f == Reference:
		return ScoreReference(e.Evaluation, o.Evaluation)
	}
	return nil, noFamily(KindCategorical, f)
}

func (e judgedClasses) Glance() []results.Value {
	return []results.Value{{Unit: "error", Value: Error(e.Evaluation)}, {Unit: "nll", Value: NLL(e.Evaluation)}}
}

// Taught is the probabilities.
func (e judgedClasses) Taught() []float64 { return e.P }

// pictureBins and picturePoints are how fine diagrams are.
const (
	pictureBins   = 15
	picturePoints = 100
)

func (e judgedClasses) Diagrams(d *results.Details, set string, last bool) {
	d.Reliability = append(d.Reliability, results.Reliability{Samples: e.K, Bins: Reliability(e.Evaluation, pictureBins)})
	if !last {
		return
	}
	risks := Risks(e.Evaluation)
	rc := results.RiskCover{Samples: e.K}
	for i := 1; i <= picturePoints; i++ {
		at := max(len(risks)*i/picturePoints, 1)
		rc.Coverage = append(rc.Coverage, float64(at)/float64(len(risks)))
		rc.Risk = append(rc.Risk, risks[at-1])
	}
	d.RiskCover = append(d.RiskCover, rc)
	e.Spread(d, set)
}

// Spread is the histogram of the predictive entropy.
func (e judgedClasses) Spread(d *results.Details, set string) {
	const bins = 40
	top := math.Log(float64(e.C))
	h := results.Histogram{Quantity: "entropy", Data: set, Samples: e.K, Counts: make([]int, bins)}
	for i := 0; i <= bins; i++ {
		h.Edges = append(h.Edges, top*float64(i)/bins)
	}
	for _, x := range e.Entropy {
		h.Counts[min(max(int(x/top*bins), 0), bins-1)]++
	}
	d.Histograms = append(d.Histograms, h)
}

func (e judgedClasses) Arrays() []Array {
	out := []Array{{Name: "predictions", Rows: e.N, Columns: e.C, Values: e.P}}
	if e.Labels != nil {
		labels := make([]float64, e.N)
		for i, y := range e.Labels {
			labels[i] = float64(y)
		}
		out = append(out, Array{Name: "labels", Rows: e.N, Columns: 1, Values: labels, Whole: true})
	}
	return out
}

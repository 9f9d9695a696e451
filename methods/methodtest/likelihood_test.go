package methodtest_test

import (
	"math"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
)

// poisson is a likelihood that the program does not have, of counts: log p(y | f) = y·f − exp(f)
// up to log y!, f the log rate.
type poisson struct{}

func (poisson) Name() string                           { return "poisson" }
func (poisson) Outputs() int                           { return 1 }
func (poisson) Target(rows int) ir.Type                { return ir.Float(rows, 1) }
func (l poisson) Taught() task.Likelihood              { return l } // linear in y: the mean is all
func (poisson) Teach(s *nn.Scope, f ir.Value) ir.Value { return s.Exp(f) }

func (poisson) LogProb(s *nn.Scope, f, y ir.Value) ir.Value { return s.Sub(s.Mul(y, f), s.Exp(f)) }

func (poisson) Predict(s *nn.Scope, f ir.Value) []ir.Result {
	return []ir.Result{{Name: "log_rate", Value: f}}
}

func (poisson) HessianRoot(s *nn.Scope, f ir.Value) []ir.Value {
	return []ir.Value{s.Exp(s.MulConst(f, 0.5))}
}

// A new likelihood is one type: every method trains and predicts under one that no package knows.
func TestNewLikelihood(t *testing.T) {
	j := methodtest.Toy()
	j.Task.Likelihood, j.Epochs = poisson{}, 40
	d := methodtest.Data{X: methodtest.Blobs(methodtest.Toy(), j.Task.Examples).X}
	total := 0.0
	for i := range j.Task.Examples {
		y := []float32{0, 1, 4}[i%3] // of the blob's class
		d.Y = append(d.Y, y)
		total += float64(y)
	}
	mean := total / float64(j.Task.Examples)
	blind := mean - mean*math.Log(mean) // of the best rate that does not look at x
	for _, driver := range planned(t) {
		t.Run(driver.Name, func(t *testing.T) {
			t.Parallel()
			m, err := methodtest.New(driver.Name, keysFor(driver.Name))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := m.Plan(methodtest.MLP, j)
			if err != nil || len(plan.Members) > 0 {
				if err != nil {
					t.Error(err)
				}
				return // members train on their own
			}
			all := j
			all.EvalBatch = j.Task.Examples
			f, err := methodtest.Fit(ref.New(), m, methodtest.MLP, all, d, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range f.Plan.Predictors {
				const draws = 5
				found, err := f.Draws(0, p.Name, d, draws, 1)
				if err != nil {
					t.Fatal(err)
				}
				nll := 0.0
				for i, y := range d.Y {
					likelihood := 0.0
					for _, draw := range found {
						s := float64(draw["log_rate"][i])
						likelihood += math.Exp(float64(y)*s-math.Exp(s)) / draws
					}
					nll -= math.Log(likelihood) / float64(j.Task.Examples)
				}
				if !(nll < blind-0.3) {
					t.Errorf("predictor %s: the NLL per example is %.3f; without a look at x it is %.3f", p.Name, nll, blind)
				}
			}
		})
	}
}

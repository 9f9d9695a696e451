package svgd_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bayesbench/backends/ref"
	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"

	"gonum.org/v1/gonum/mat"
)

// On Bayesian linear regression the particles have the exact posterior's mean
// and correlations. Their variances are too small by a factor that tends to 1
// with more particles, a known property of the method in few of them.
func TestLinearRegression(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs = 400
	l.Job.Train.LR, l.Job.Train.Schedule = 0.05, "linear"
	mean, cov := l.Posterior(1)
	shrunk := 0.0 // variance over the exact one
	for _, particles := range []int{10, 20, 40} {
		m, err := methodtest.New("svgd", fmt.Sprintf("particles = %d", particles))
		if err != nil {
			t.Fatal(err)
		}
		f, err := methodtest.Fit(ref.New(), m, l.Model, l.Job, l.Data, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Kept) != particles {
			t.Fatalf("%d states of %d particles", len(f.Kept), particles)
		}
		gotMean, gotCov := methodtest.Moments(f.Kept)
		correlation := func(c *mat.SymDense, i, k int) float64 { return c.At(i, k) / math.Sqrt(c.At(i, i)*c.At(k, k)) }
		ratio := 0.0
		for i := range 3 {
			if d := (gotMean.AtVec(i) - mean.AtVec(i)) / math.Sqrt(cov.At(i, i)); math.Abs(d) > 0.02 {
				t.Errorf("%d particles: mean %d is %.3f standard deviations off", particles, i, d)
			}
			ratio += gotCov.At(i, i) / cov.At(i, i) / 3
			for k := range 3 {
				if got, want := correlation(gotCov, i, k), correlation(cov, i, k); math.Abs(got-want) > 0.08 {
					t.Errorf("%d particles: correlation %d %d is %.3f, exact %.3f", particles, i, k, got, want)
				}
			}
		}
		if ratio <= shrunk || ratio > 1.05 {
			t.Errorf("%d particles: variances %.3f of the exact, with half as many %.3f", particles, ratio, shrunk)
		}
		shrunk = ratio
	}
	if shrunk < 0.74 {
		t.Errorf("variances are %.3f of the exact with 40 particles", shrunk)
	}
}

// One particle is MAP training under the same prior.
func TestOneParticleIsMAP(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs = 2000
	l.Job.Train.LR, l.Job.Train.Schedule = 0.05, "linear"
	m, err := methodtest.New("svgd", "particles = 1")
	if err != nil {
		t.Fatal(err)
	}
	f, err := methodtest.Fit(ref.New(), m, l.Model, l.Job, l.Data, 7)
	if err != nil {
		t.Fatal(err)
	}
	mean, _ := l.Posterior(1)
	got := slices.Concat(f.State["fc1.w"], f.State["fc1.b"])
	for i, x := range got {
		if math.Abs(float64(x)-mean.AtVec(i)) > 1e-3 {
			t.Errorf("parameter %d is %v, the mode %v", i, x, mean.AtVec(i))
		}
	}
}

func TestRefusals(t *testing.T) {
	methodtest.Refused(t, "svgd", "particles = 0", "particles")
	methodtest.Refused(t, "svgd", "prior_sigma = 0", "prior_sigma")
}

package ffg_test

import (
	"math"
	"testing"

	"bayesbench/methods/methodtest"
)

// On Bayesian linear regression FFG reaches the exact mean-field optimum: the
// exact posterior's mean, and variances 1/Λᵢᵢ of its precision Λ. The bias, a
// point estimate, has a flat prior and so is the joint mode's. The ELBO is
// below the exact evidence.
func TestMeanFieldOptimum(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs = 6000
	l.Job.Train.LR, l.Job.Train.Schedule = 0.03, "linear"
	f := methodtest.Trained(t, "ffg", "prior_sigma = 0.8\ninit_sigma = 0.1", l.Model, l.Job, l.Data, 1)
	// The exact posterior with a bias under a prior so wide that it is flat.
	mean, precision := l.PosteriorWith([]float64{0.8, 0.8, 1e4})
	b := float64(f.State["fc1.b"][0])
	if math.Abs(b-mean.AtVec(2)) > 0.02 {
		t.Errorf("bias %v, mode %v", b, mean.AtVec(2))
	}
	expected := 0.0 // E_q of the log-likelihood, in closed form
	for i := range 2 {
		sigma := math.Exp(float64(f.State["fc1.rho"][i]))
		want := 1 / math.Sqrt(precision.At(i, i))
		if math.Abs(float64(f.State["fc1.w"][i])-mean.AtVec(i)) > 0.1*want {
			t.Errorf("mean %d is %v, exact %v", i, f.State["fc1.w"][i], mean.AtVec(i))
		}
		if math.Abs(sigma/want-1) > 0.02 {
			t.Errorf("standard deviation %d is %v, mean-field optimum %v", i, sigma, want)
		}
		for n := range l.Job.Task.Examples {
			x := float64(l.Data.X[n*2+i])
			expected -= x * x * sigma * sigma / (2 * l.Noise * l.Noise)
		}
	}
	for n := range l.Job.Task.Examples {
		r := float64(l.Data.Y[n]) - b
		for i := range 2 {
			r -= float64(f.State["fc1.w"][i]) * float64(l.Data.X[n*2+i])
		}
		expected += -r*r/(2*l.Noise*l.Noise) - math.Log(l.Noise) - 0.5*math.Log(2*math.Pi)
	}
	report, err := f.Report()
	if err != nil {
		t.Fatal(err)
	}
	elbo, evidence := expected-report["kl"], l.LogEvidenceAt(b, 0.8)
	if elbo > evidence || elbo < evidence-1 {
		t.Errorf("ELBO %v, log evidence %v", elbo, evidence)
	}
}

// With Gaussian biases the mean-field optimum is that of the whole posterior,
// and the ELBO is below the whole evidence.
func TestMeanFieldOptimumWithBiases(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs = 8000
	l.Job.Train.LR, l.Job.Train.Schedule = 0.02, "linear"
	f := methodtest.Trained(t, "ffg", "prior_sigma = 0.8\ninit_sigma = 0.1\nbiases = \"gaussian\"", l.Model, l.Job, l.Data, 1)
	mean, precision := l.PosteriorWith([]float64{0.8, 0.8, 0.8})
	mu := append(append([]float32(nil), f.State["fc1.w"]...), f.State["fc1.b"]...)
	rho := append(append([]float32(nil), f.State["fc1.rho"]...), f.State["fc1.b.rho"]...)
	kl := 0.0
	for i := range 3 {
		want, sigma := 1/math.Sqrt(precision.At(i, i)), math.Exp(float64(rho[i]))
		if math.Abs(float64(mu[i])-mean.AtVec(i)) > 0.15*want {
			t.Errorf("mean %d is %v, exact %v", i, mu[i], mean.AtVec(i))
		}
		if math.Abs(sigma/want-1) > 0.05 {
			t.Errorf("standard deviation %d is %v, mean-field optimum %v", i, sigma, want)
		}
		kl += 0.5*((sigma*sigma+float64(mu[i])*float64(mu[i]))/0.64-1) - math.Log(sigma/0.8)
	}
	report, err := f.Report()
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(report["kl"]-kl) > 1e-3 {
		t.Errorf("KL %v, in closed form %v", report["kl"], kl)
	}
	tail := f.Curve["train"]["nll"][7000:]
	nll := 0.0
	for _, x := range tail {
		nll += x * 20 / float64(len(tail))
	}
	if elbo, evidence := -nll-kl, l.LogEvidence(0.8); elbo > evidence+0.1 || elbo < evidence-1.5 {
		t.Errorf("ELBO %v, log evidence %v", elbo, evidence)
	}
}

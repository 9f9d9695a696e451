package methodtest

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/mat"
)

// Linear is Bayesian linear regression, y = w·x + b + noise, whose posterior
// under Gaussian priors is known: a one-layer model with a Gaussian
// likelihood, and its data.
type Linear struct {
	Model nn.Model
	Job   methods.Job
	Data  Data
	Noise float64 // standard deviation
}

// NewLinear is n examples of the given number of inputs, which are correlated,
// so that the posterior is too. The full data is one batch.
func NewLinear(n, inputs int) Linear {
	l := Linear{
		Noise: 0.5,
		Job:   methods.Job{Batch: n, EvalBatch: n, Epochs: 1, Train: methods.Train{Optimizer: "adam", LR: 1e-2}},
		Data:  Data{X: make([]float32, n*inputs), Y: make([]float32, n)},
	}
	l.Job.Task = task.Task{Name: "linear", Input: ir.Float(inputs), Examples: n,
		Likelihood: task.Gaussian{Noise: task.Fixed, Width: 1, Variance: []float64{l.Noise * l.Noise}}}
	l.Model = nn.Model{Name: "linear-regression", Apply: func(ls nn.Layers, x ir.Value, outputs int) ir.Value {
		return ls.Linear("fc1", x, outputs)
	}}
	rng.Normal(l.Data.X, rng.Key{21, 0}, 0)
	rng.Normal(l.Data.Y, rng.Key{21, 0}, 1)
	for i := range n {
		x := l.Data.X[i*inputs : (i+1)*inputs]
		y := 0.3 + l.Noise*float64(l.Data.Y[i])
		for f := range x {
			if f > 0 {
				x[f] = 0.6*x[f-1] + 0.8*x[f]
			}
			y += (1 - 0.7*float64(f)) * float64(x[f])
		}
		l.Data.Y[i] = float32(y)
	}
	return l
}

// design is the matrix of inputs with a last column of ones for the bias.
func (l Linear) design() *mat.Dense {
	n, inputs := l.Job.Task.Examples, l.Job.Task.Input.Size()
	m := mat.NewDense(n, inputs+1, nil)
	for i := range n {
		for f := range inputs {
			m.Set(i, f, float64(l.Data.X[i*inputs+f]))
		}
		m.Set(i, inputs, 1)
	}
	return m
}

// Posterior is the exact one of (w, b) under N(0, prior²) on all of them: its
// mean and covariance.
func (l Linear) Posterior(prior float64) (*mat.VecDense, *mat.SymDense) {
	sigmas := make([]float64, l.Job.Task.Input.Size()+1)
	for i := range sigmas {
		sigmas[i] = prior
	}
	mean, precision := l.PosteriorWith(sigmas)
	var chol mat.Cholesky
	var cov mat.SymDense
	chol.Factorize(precision)
	if err := chol.InverseTo(&cov); err != nil {
		panic(err)
	}
	return mean, &cov
}

// PosteriorWith is the exact posterior of (w, b) under a standard deviation of
// the prior for each: its mean and its precision.
func (l Linear) PosteriorWith(sigmas []float64) (*mat.VecDense, *mat.SymDense) {
	x := l.design()
	var precision mat.SymDense
	precision.SymOuterK(1/(l.Noise*l.Noise), x.T())
	for i, s := range sigmas {
		precision.SetSym(i, i, precision.At(i, i)+1/(s*s))
	}
	var chol mat.Cholesky
	if !chol.Factorize(&precision) {
		panic("methodtest: the posterior's precision is not positive")
	}
	var xy, mean mat.VecDense
	xy.MulVec(x.T(), mat.NewVecDense(len(l.Data.Y), widen(l.Data.Y)))
	xy.ScaleVec(1/(l.Noise*l.Noise), &xy)
	if err := chol.SolveVecTo(&mean, &xy); err != nil {
		panic(err)
	}
	return &mean, &precision
}

// LogEvidence is log p(y) = log N(y; 0, noise²·I + prior²·XXᵀ), X with the
// column of ones, under the prior on w and b.
func (l Linear) LogEvidence(prior float64) float64 {
	return l.evidence(l.design(), 0, prior)
}

// LogEvidenceAt is log p(y | b) for a given bias, under the prior on w.
func (l Linear) LogEvidenceAt(b, prior float64) float64 {
	return l.evidence(l.design().Slice(0, l.Job.Task.Examples, 0, l.Job.Task.Input.Size()), b, prior)
}

func (l Linear) evidence(x mat.Matrix, b, prior float64) float64 {
	n := l.Job.Task.Examples
	var cov mat.SymDense
	cov.SymOuterK(prior*prior, x)
	y := mat.NewVecDense(n, widen(l.Data.Y))
	for i := range n {
		cov.SetSym(i, i, cov.At(i, i)+l.Noise*l.Noise)
		y.SetVec(i, y.AtVec(i)-b)
	}
	var chol mat.Cholesky
	if !chol.Factorize(&cov) {
		panic("methodtest: the evidence's covariance is not positive")
	}
	var solved mat.VecDense
	if err := chol.SolveVecTo(&solved, y); err != nil {
		panic(err)
	}
	return -0.5 * (mat.Dot(y, &solved) + chol.LogDet() + float64(n)*math.Log(2*math.Pi))
}

// Learnt is the regression with a noise that is learnt, under its prior Gamma(1, 0.1) on 1/σ².
func (l Linear) Learnt() Linear {
	l.Job.Task.Likelihood = task.Gaussian{Noise: task.Homoscedastic, Width: 1}
	return l
}

// withLogVariance is the regression whose noise has the log variance s.
func (l Linear) withLogVariance(s float64) Linear {
	l.Noise = math.Exp(s / 2)
	return l
}

// Mode is the one of (w, b) and s = log σ² under the prior's standard deviations: the w that is
// best for s and the s that is best for w, in turn: σ² = (Σr² + 2·0.1)/(N + 2·1), r the residuals.
func (l Linear) Mode(sigmas []float64) (w *mat.VecDense, s float64) {
	for range 200 {
		w, _ = l.withLogVariance(s).PosteriorWith(sigmas)
		s = math.Log((l.squares(w) + 0.2) / (float64(l.Job.Task.Examples) + 2))
	}
	return w, s
}

// squares is the sum of the squared residuals.
func (l Linear) squares(w mat.Vector) float64 {
	var r mat.VecDense
	r.MulVec(l.design(), w)
	r.SubVec(&r, mat.NewVecDense(len(l.Data.Y), widen(l.Data.Y)))
	return mat.Dot(&r, &r)
}

// LearntPosterior is the exact one of Learnt under N(0, prior²) on (w, b): the means of (w, b), and
// mean and variance of s = log σ², by the trapezoid rule over s, given which (w, b) is Gaussian.
func (l Linear) LearntPosterior(prior float64) (w *mat.VecDense, s, variance float64) {
	w = mat.NewVecDense(l.Job.Task.Input.Size()+1, nil)
	var total, first, second float64
	top := math.Inf(-1)
	for pass := range 2 { // the first finds the largest density, which the others are divided by
		for at := -6.0; at < 4; at += 1.0 / 64 {
			given := l.withLogVariance(at)
			logp := given.LogEvidence(prior) - at - 0.1*math.Exp(-at)
			if pass == 0 {
				top = max(top, logp)
				continue
			}
			p := math.Exp(logp - top)
			mean, _ := given.Posterior(prior)
			w.AddScaledVec(w, p, mean)
			total, first, second = total+p, first+p*at, second+p*at*at
		}
	}
	w.ScaleVec(1/total, w)
	return w, first / total, second/total - first*first/(total*total)
}

// Moments are the mean and covariance of (w, b) over kept states.
func Moments(kept []map[string][]float32) (*mat.VecDense, *mat.SymDense) {
	var rows [][]float64
	for _, state := range kept {
		rows = append(rows, append(widen(state["fc1.w"]), widen(state["fc1.b"])...))
	}
	d := len(rows[0])
	mean, cov := mat.NewVecDense(d, nil), mat.NewSymDense(d, nil)
	for _, r := range rows {
		for i := range d {
			mean.SetVec(i, mean.AtVec(i)+r[i]/float64(len(rows)))
		}
	}
	for _, r := range rows {
		for i := range d {
			for k := i; k < d; k++ {
				cov.SetSym(i, k, cov.At(i, k)+(r[i]-mean.AtVec(i))*(r[k]-mean.AtVec(k))/float64(len(rows)))
			}
		}
	}
	return mean, cov
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

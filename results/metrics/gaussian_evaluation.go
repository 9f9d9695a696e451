package metrics

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"bayesbench/results"
)

func init() {
	registerOf(KindGaussian, Test,
		Metric{Unit: "rmse", Better: results.Lower, Short: "root mean squared error of the predictive mean, in the unit of the targets", compute: gaussian((*GaussianEvaluation).RMSE)},
		Metric{Unit: "nll", Better: results.Lower, Short: "negative log-likelihood −mean log p(y) of the mixture, nats an input, in the unit of the targets", compute: gaussian((*GaussianEvaluation).NLL)},
		Metric{Unit: "nll-gaussian", Better: results.Lower, Short: "nll of the Gaussian with the mixture's mean and variance (as in Deep Ensembles)", compute: gaussian((*GaussianEvaluation).MatchedNLL)},
		Metric{Unit: "crps", Better: results.Lower, Short: "continuous ranked probability score of the mixture, in the unit of the targets", compute: gaussian((*GaussianEvaluation).CRPS)},
		Metric{Unit: "crps-gaussian", Better: results.Lower, Short: "crps of the Gaussian with the mixture's mean and variance", compute: gaussian((*GaussianEvaluation).MatchedCRPS)},
		Metric{Unit: "qce15", Better: results.Lower, Short: "quantile calibration error: mean distance of the share of targets in central intervals of 15 levels from the level", compute: gaussian(ofCoverage(QCE))},
		Metric{Unit: "qce15_rms", Better: results.Lower, Short: "root of the mean squared distance of the levels of qce15", compute: gaussian(ofCoverage(QCERMS))},
		Metric{Unit: "qce15_max", Better: results.Lower, Short: "largest distance of the levels of qce15", compute: gaussian(ofCoverage(QCEMax))},
		Metric{Unit: "qce15-gaussian", Better: results.Lower, Short: "qce15 of the Gaussian with the mixture's mean and variance (torch-uncertainty)", compute: gaussian((*GaussianEvaluation).matchedQCE)},
		Metric{Unit: "picp95", Better: results.Neither, Short: "share of targets in the central 95 % interval of the predictive; 0.95 is right", compute: gaussian((*GaussianEvaluation).PICP)},
		Metric{Unit: "mpiw95", Better: results.Neither, Short: "mean width of the interval of picp95, in the unit of the targets", compute: gaussian((*GaussianEvaluation).MPIW)},
		Metric{Unit: "picp95-gaussian", Better: results.Neither, Short: "picp95 of the Gaussian with the mixture's mean and variance", compute: gaussian((*GaussianEvaluation).matchedPICP)},
		Metric{Unit: "mpiw95-gaussian", Better: results.Neither, Short: "mpiw95 of the Gaussian with the mixture's mean and variance", compute: gaussian((*GaussianEvaluation).matchedMPIW)},
		Metric{Unit: "sharpness", Better: results.Neither, Short: "mean standard deviation of the predictive, in the unit of the targets", compute: gaussian((*GaussianEvaluation).Sharpness)},
		Metric{Unit: "sharpness_rms", Better: results.Neither, Short: "root of the mean variance of the predictive; its square is noise_sd² + member_sd²", compute: gaussian((*GaussianEvaluation).SharpnessRMS)},
		Metric{Unit: "noise_sd", Better: results.Neither, Short: "root of the mean variance within the samples (aleatoric), in the unit of the targets", compute: gaussian((*GaussianEvaluation).NoiseSD)},
		Metric{Unit: "member_sd", Better: results.Neither, Short: "root of the mean variance of the samples' means (epistemic), in the unit of the targets; needs 2 samples", compute: gaussian((*GaussianEvaluation).MemberSD)},
		Metric{Unit: "member_nll", Better: results.Lower, Short: "mean nll of the single samples, nats", compute: gaussian((*GaussianEvaluation).MemberNLL)},
		Metric{Unit: "ambiguity", Better: results.Neither, Short: "mean nll of the samples − nll of their mixture, nats; needs 2 samples", compute: gaussian((*GaussianEvaluation).Ambiguity)},
	)
}

// gaussian adapts a metric of a Gaussian predictive.
func gaussian(f func(*GaussianEvaluation) float64) func(*scoring) float64 {
	return func(s *scoring) float64 { return f(s.gaussian) }
}

// GaussianEvaluation is the mixture of Gaussians at one number of members. All slices are
// read-only. Numbers are in the unit of the targets.
//
// Where an input has several targets, the members' Gaussians of them are independent: the
// log-likelihood of an input is that of all its targets together, and every other metric is the
// mean over inputs and targets, each by itself.
//
// Of what takes pairs of members, CRPS and MPIW, the number of different members is bounded to
// √(2²⁵/(N·D)), at least 64 and at most 4096: 819 for 50 targets, 183 for 1000. Of more, a part is
// taken that a hash of each member's mean and variance chooses, for each target another one, and
// the CRPS takes the standard deviation of all. So the scores depend neither on the order of the
// members nor on batches.
type GaussianEvaluation struct {
	N, D, K int
	Targets []float64 // [N,D], nil where there are none

	Mean     []float64 // [N,D] of the mixture, mean_k μ_k
	Variance []float64 // [N,D] of the mixture, Noise + Between
	Noise    []float64 // [N,D] mean_k v_k
	Between  []float64 // [N,D] mean_k (μ_k − Mean)²

	// With targets.
	PIT []float64 // [N,D] mean_k F_k(y), the mixture's distribution function at the target

	logLik   []float64 // [N] log 1/K Σ_k p_k(y)
	memberLL []float64 // [N] 1/K Σ_k log p_k(y)
	crps     []float64 // [N,D]
	width    []float64 // [N,D] of the central 95 % interval
}

// Evaluate returns the predictive over the members added so far.
func (g *Gaussian) Evaluate() (*GaussianEvaluation, error) {
	if g.row != 0 {
		return nil, fmt.Errorf("metrics: member %d has %d of %d rows", g.members, g.row, g.n)
	}
	if g.members == 0 {
		return nil, fmt.Errorf("metrics: no predictions to evaluate")
	}
	size, k := g.n*g.d, float64(g.members)
	e := &GaussianEvaluation{
		N: g.n, D: g.d, K: g.members, Targets: g.y,
		Mean: make([]float64, size), Variance: make([]float64, size),
		Noise: make([]float64, size), Between: make([]float64, size),
	}
	for i := range size {
		e.Mean[i], e.Noise[i], e.Between[i] = g.mean[i], g.noise[i]/k, g.m2[i]/k
		e.Variance[i] = e.Noise[i] + e.Between[i]
	}
	if g.y == nil {
		return e, nil
	}
	e.logLik, e.memberLL = make([]float64, g.n), make([]float64, g.n)
	for n := range g.n {
		e.logLik[n] = g.logTop[n] + math.Log(g.logSum[n]) - math.Log(k)
		if g.logSum[n] == 0 { // no member gives the targets a density above 0
			e.logLik[n] = math.Inf(-1)
		}
		e.memberLL[n] = g.memberLL[n] / k
	}
	e.PIT, e.crps, e.width = make([]float64, size), make([]float64, size), make([]float64, size)
	inParallel(size, func(i int) {
		e.PIT[i] = min(g.cdf[i]/k, 1)
		e.crps[i] = g.distance[i]/k - 0.5*g.parts[i].spread(e.Variance[i])
		e.width[i] = g.parts[i].quantile(upper95) - g.parts[i].quantile(lower95)
	})
	return e, nil
}

// inParallel calls f for 0…n−1, on all cores.
func inParallel(n int, f func(i int)) {
	const atOnce = 16
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+atOnce-1)/atOnce) {
		wait.Go(func() {
			for {
				from := int(next.Add(atOnce)) - atOnce
				if from >= n {
					return
				}
				for i := from; i < min(from+atOnce, n); i++ {
					f(i)
				}
			}
		})
	}
	wait.Wait()
}

// Score computes the metrics of family [Test]. The evaluation must have targets.
func (e *GaussianEvaluation) Score() ([]results.Value, error) {
	if e.Targets == nil {
		return nil, fmt.Errorf("metrics: cannot score predictions without targets")
	}
	return score(KindGaussian, Test, &scoring{gaussian: e}), nil
}

// RMSE is √mean (y − Mean)².
func (e *GaussianEvaluation) RMSE() float64 { return rmse(e.Targets, e.Mean) }

func rmse(y, mean []float64) float64 {
	sum := 0.0
	for i, t := range y {
		sum += (t - mean[i]) * (t - mean[i])
	}
	return math.Sqrt(sum / float64(len(y)))
}

// LogLikelihood is log 1/K Σ_k Π_d N(y_nd; μ_k,nd, v_k,nd), nats: what input n adds to −N·NLL. It
// has no floor: where every member gives the targets a density of 0 in float64, it is −Inf.
func (e *GaussianEvaluation) LogLikelihood(n int) float64 { return e.logLik[n] }

// NLL is −mean_n log p(y_n) of the mixture, nats per input, of a density in the unit of the
// targets: in a unit s times as large it is less by log s for each target. Source: Gal and
// Ghahramani (2016), "Dropout as a Bayesian approximation", whose variances are all 1/τ.
func (e *GaussianEvaluation) NLL() float64 { return -average(e.logLik) }

// MatchedNLL is −mean_n Σ_d log N(y_nd; Mean, Variance), the likelihood of the Gaussian with the
// moments of the mixture. Source: Lakshminarayanan et al. (2017), "Simple and scalable predictive
// uncertainty estimation using deep ensembles", section 2.4.
func (e *GaussianEvaluation) MatchedNLL() float64 {
	return matchedNLL(e.N, e.Targets, e.Mean, e.Variance)
}

func matchedNLL(inputs int, y, mean, variance []float64) float64 {
	sum := 0.0
	for i, t := range y {
		sum -= logNormal(t-mean[i], variance[i])
	}
	return sum / float64(inputs)
}

// PointCRPS is the CRPS of target i of [N,D], of which [GaussianEvaluation.CRPS] is the mean.
func (e *GaussianEvaluation) PointCRPS(i int) float64 { return e.crps[i] }

// CRPS is the mean over targets of the continuous ranked probability score ∫ (F(x) − 1[x ≥ y])² dx,
// for a mixture of Gaussians
//
//	1/K Σ_k A(y − μ_k, v_k) − 1/(2K²) Σ_kl A(μ_k − μ_l, v_k + v_l),
//	A(m, v) = E|N(m, v)| = 2√v φ(m/√v) + m (2Φ(m/√v) − 1).
//
// Source: Grimit et al. (2006), equation 5.
func (e *GaussianEvaluation) CRPS() float64 { return average(e.crps) }

// MatchedCRPS is the CRPS of the Gaussian with the moments of the mixture,
// σ (z (2Φ(z) − 1) + 2φ(z) − 1/√π) with z = (y − Mean)/σ. Source: Gneiting and Raftery (2007),
// "Strictly proper scoring rules, prediction, and estimation", section 4.2.
func (e *GaussianEvaluation) MatchedCRPS() float64 {
	return matchedCRPS(e.Targets, e.Mean, e.Variance)
}

func matchedCRPS(y, mean, variance []float64) float64 {
	sum := 0.0
	for i, t := range y {
		m, sd := t-mean[i], math.Sqrt(variance[i])
		sum += meanDistance(m, sd, normalCDF(m/sd)) - sd/math.Sqrt(math.Pi)
	}
	return sum / float64(len(y))
}

// matchedPIT is the distribution function at the targets of the Gaussians with the given moments.
func matchedPIT(y, mean, variance []float64) []float64 {
	pit := make([]float64, len(y))
	for i, t := range y {
		pit[i] = normalCDF((t - mean[i]) / math.Sqrt(variance[i]))
	}
	return pit
}

func (e *GaussianEvaluation) matchedQCE() float64 {
	return QCE(coverage(e.K, matchedPIT(e.Targets, e.Mean, e.Variance)))
}

// ofCoverage adapts a metric of the mixture's reliability.
func ofCoverage(f func(results.Coverage) float64) func(*GaussianEvaluation) float64 {
	return func(e *GaussianEvaluation) float64 { return f(e.Coverage()) }
}

// PICP is the prediction interval coverage probability: the share of targets in the mixture's
// central 95 % interval, from its quantile 0.025 to its quantile 0.975.
func (e *GaussianEvaluation) PICP() float64 { return covered(e.PIT, 0.95) }

// MPIW is the mean width of the interval of [GaussianEvaluation.PICP].
func (e *GaussianEvaluation) MPIW() float64 { return average(e.width) }

func (e *GaussianEvaluation) matchedPICP() float64 {
	return covered(matchedPIT(e.Targets, e.Mean, e.Variance), 0.95)
}

func (e *GaussianEvaluation) matchedMPIW() float64 { return 2 * z975 * e.Sharpness() }

// Sharpness is the mean standard deviation √Variance.
func (e *GaussianEvaluation) Sharpness() float64 { return meanRoot(e.Variance) }

func meanRoot(variance []float64) float64 {
	sum := 0.0
	for _, v := range variance {
		sum += math.Sqrt(v)
	}
	return sum / float64(len(variance))
}

// SharpnessRMS is √mean Variance, the sharpness of Kuleshov et al. (2018), "Accurate uncertainties
// for deep learning using calibrated regression".
func (e *GaussianEvaluation) SharpnessRMS() float64 { return math.Sqrt(average(e.Variance)) }

// NoiseSD is √mean Noise, the part of the variance that every member expects: aleatoric.
func (e *GaussianEvaluation) NoiseSD() float64 { return math.Sqrt(average(e.Noise)) }

// MemberSD is √mean Between, the part of the variance in which members differ: epistemic. NaN for
// one member. NoiseSD² + MemberSD² = SharpnessRMS², the law of total variance.
func (e *GaussianEvaluation) MemberSD() float64 {
	return e.ifMembers(math.Sqrt(average(e.Between)))
}

// MemberNLL is mean_k of the NLL of member k alone.
func (e *GaussianEvaluation) MemberNLL() float64 { return -average(e.memberLL) }

// Ambiguity is MemberNLL − NLL ≥ 0, what the mixture gains. NaN for one member.
func (e *GaussianEvaluation) Ambiguity() float64 { return e.ifMembers(e.MemberNLL() - e.NLL()) }

func (e *GaussianEvaluation) ifMembers(v float64) float64 {
	if e.K < 2 {
		return math.NaN()
	}
	return v
}

package metrics

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/results"
)

func init() {
	registerOf(KindSamples, Test,
		Metric{Unit: "rmse", Better: results.Lower, Short: "root mean squared error of the mean of the draws, in the unit of the targets", compute: samples((*SampleEvaluation).RMSE)},
		Metric{Unit: "nll-gaussian", Better: results.Lower, Short: "negative log-likelihood of the Gaussian with the draws' mean and variance, nats an input; needs variances above 0", compute: samples((*SampleEvaluation).MatchedNLL)},
		Metric{Unit: "crps", Better: results.Lower, Short: "continuous ranked probability score of the draws' empirical distribution, in the unit of the targets", compute: samples((*SampleEvaluation).CRPS)},
		Metric{Unit: "crps-fair", Better: results.Lower, Short: "unbiased estimate from the draws of the crps of what they are drawn from; needs 2 draws", compute: samples((*SampleEvaluation).FairCRPS)},
		Metric{Unit: "crps-gaussian", Better: results.Lower, Short: "crps of the Gaussian with the draws' mean and variance; needs variances above 0", compute: samples((*SampleEvaluation).MatchedCRPS)},
		Metric{Unit: "qce15", Better: results.Lower, Short: "quantile calibration error: mean distance of the share of targets between the draws' quantiles, at 15 levels, from the level", compute: samples(func(e *SampleEvaluation) float64 { return QCE(e.Coverage()) })},
		Metric{Unit: "qce15_rms", Better: results.Lower, Short: "root of the mean squared distance of the levels of qce15", compute: samples(func(e *SampleEvaluation) float64 { return QCERMS(e.Coverage()) })},
		Metric{Unit: "qce15_max", Better: results.Lower, Short: "largest distance of the levels of qce15", compute: samples(func(e *SampleEvaluation) float64 { return QCEMax(e.Coverage()) })},
		Metric{Unit: "picp95", Better: results.Neither, Short: "share of targets between the draws' quantiles 0.025 and 0.975; 0.95 is right", compute: samples((*SampleEvaluation).PICP)},
		Metric{Unit: "mpiw95", Better: results.Neither, Short: "mean width of the interval of picp95, in the unit of the targets", compute: samples((*SampleEvaluation).MPIW)},
		Metric{Unit: "sharpness", Better: results.Neither, Short: "mean standard deviation of the draws, in the unit of the targets", compute: samples((*SampleEvaluation).Sharpness)},
		Metric{Unit: "sharpness_rms", Better: results.Neither, Short: "root of the mean variance of the draws", compute: samples((*SampleEvaluation).SharpnessRMS)},
	)
}

// samples adapts a metric of draws.
func samples(f func(*SampleEvaluation) float64) func(*scoring) float64 {
	return func(s *scoring) float64 { return f(s.samples) }
}

// Samples is the posterior predictive of N inputs with D numbers each that is given by draws y' of
// the targets themselves, noise included, as Markov chains or simulators give them. Quantiles take
// all draws, so all are kept: S·N·D numbers of 8 bytes.
type Samples struct {
	n, d  int
	y     []float64   // [N,D]
	floor float64     // of the variances
	draws [][]float64 // [N,D] of the draws, in the order in which they came
	next  int         // which of N·D takes the next number
}

// NewSamples returns the empty predictive of n inputs with d numbers each, for the targets y, [n,d]
// in row-major order. A variance of draws below the floor counts as the floor; with 0, draws that
// are all equal have no Gaussian. A target that is NaN or infinite is an error.
func NewSamples(n, d int, y []float64, floor float64) (*Samples, error) {
	if n <= 0 || d <= 0 {
		panic(fmt.Sprintf("metrics: predictive of shape [%d %d]", n, d))
	}
	if err := checkTargets(n, d, y); err != nil {
		return nil, err
	}
	return &Samples{n: n, d: d, y: y, floor: floor, draws: make([][]float64, n*d)}, nil
}

// Members returns S, the number of complete draws added so far.
func (s *Samples) Members() int { return len(s.draws[len(s.draws)-1]) }

// Add appends numbers of a draw, [N,D] in row-major order; when all have come, the next number
// begins the next draw. A [*RowError] tells of NaN and of infinite numbers. After an error the
// predictive must not be used further.
func (s *Samples) Add(numbers []float64) error {
	for _, x := range numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &RowError{Member: s.Members(), Row: s.next / s.d, Column: s.next % s.d, Name: "target", Value: x, Problem: fmt.Sprintf("sample is %v", x)}
		}
		s.draws[s.next] = append(s.draws[s.next], x)
		s.next = (s.next + 1) % len(s.draws)
	}
	return nil
}

// SampleEvaluation is the predictive given by draws at one number of them. All slices are
// read-only.
type SampleEvaluation struct {
	N, D, K  int
	Targets  []float64 // [N,D]
	Mean     []float64 // [N,D] of the draws
	Variance []float64 // [N,D] of the draws, 1/K Σ (y' − Mean)², the floor at least

	sorted [][]float64 // [N,D] of the draws in rising order
}

// Evaluate returns the predictive over the draws added so far.
func (s *Samples) Evaluate() (*SampleEvaluation, error) {
	k := s.Members()
	if s.next != 0 {
		return nil, fmt.Errorf("metrics: sample %d has %d of %d numbers", k, s.next, len(s.draws))
	}
	if k == 0 {
		return nil, fmt.Errorf("metrics: no predictions to evaluate")
	}
	size := s.n * s.d
	e := &SampleEvaluation{
		N: s.n, D: s.d, K: k, Targets: s.y,
		Mean: make([]float64, size), Variance: make([]float64, size), sorted: make([][]float64, size),
	}
	inParallel(size, func(i int) {
		// In rising order the sums do not depend on the order of the draws.
		x := slices.Sorted(slices.Values(s.draws[i]))
		mean := average(x)
		for _, v := range x {
			e.Variance[i] += (v - mean) * (v - mean) / float64(k)
		}
		e.Mean[i], e.Variance[i], e.sorted[i] = mean, max(e.Variance[i], s.floor), x
	})
	return e, nil
}

// Score computes the metrics of family [Test].
func (e *SampleEvaluation) Score() []results.Value {
	return score(KindSamples, Test, &scoring{samples: e})
}

// RMSE is √mean (y − Mean)².
func (e *SampleEvaluation) RMSE() float64 { return rmse(e.Targets, e.Mean) }

// differ reports whether no variance is 0, of which no Gaussian can be made.
func (e *SampleEvaluation) differ() bool { return slices.Min(e.Variance) > 0 }

// MatchedNLL is −mean_n Σ_d log N(y_nd; Mean, Variance). NaN where a variance is 0: draws that
// are all equal, as a single one is.
func (e *SampleEvaluation) MatchedNLL() float64 {
	if !e.differ() {
		return math.NaN()
	}
	return matchedNLL(e.N, e.Targets, e.Mean, e.Variance)
}

// MatchedCRPS is the CRPS of N(Mean, Variance). NaN where a variance is 0.
func (e *SampleEvaluation) MatchedCRPS() float64 {
	if !e.differ() {
		return math.NaN()
	}
	return matchedCRPS(e.Targets, e.Mean, e.Variance)
}

// CRPS is the mean over targets of the CRPS of the draws' empirical distribution,
//
//	1/K Σ_k |x_k − y| − 1/(2K²) Σ_kl |x_k − x_l|,
//
// which is biased: of few draws it is larger than that of what they are drawn from. Source: Zamo
// and Naveau (2018), "Estimation of the continuous ranked probability score with limited
// information", their CRPS_INT.
func (e *SampleEvaluation) CRPS() float64 { return e.crps(float64(e.K)) }

// FairCRPS is CRPS with 1/(2K(K−1)) for the pairs, whose expectation is the CRPS of what the draws
// are from. NaN for one draw. Source: Ferro (2014), "Fair scores for ensemble forecasts".
func (e *SampleEvaluation) FairCRPS() float64 {
	if e.K < 2 {
		return math.NaN()
	}
	return e.crps(float64(e.K - 1))
}

// crps divides the pairs by 2·K·others. Of sorted draws Σ_kl |x_k − x_l| is 2 Σ_i (2i − K + 1) x_i,
// i from 0, or 2 Σ_i (i+1)(K−i−1) (x_{i+1} − x_i), which cancels nothing.
func (e *SampleEvaluation) crps(others float64) float64 {
	k, sum := float64(e.K), 0.0
	for i, x := range e.sorted {
		off, pairs := 0.0, 0.0
		for j, v := range x {
			off += math.Abs(v - e.Targets[i])
			if j > 0 {
				pairs += float64(j) * (k - float64(j)) * (v - x[j-1])
			}
		}
		sum += off/k - pairs/(k*others)
	}
	return sum / float64(len(e.sorted))
}

// between is the share of targets in the closed interval between two quantiles.
func (e *SampleEvaluation) between(p, q float64) float64 {
	inside := 0
	for i, x := range e.sorted {
		if y := e.Targets[i]; quantile(x, p) <= y && y <= quantile(x, q) {
			inside++
		}
	}
	return float64(inside) / float64(len(e.sorted))
}

// Coverage is the reliability of the draws at [QCELevels]: the shares of targets between the draws'
// quantiles (1 − α)/2 and (1 + α)/2.
func (e *SampleEvaluation) Coverage() results.Coverage {
	c := results.Coverage{Samples: e.K, Targets: len(e.Targets), Levels: QCELevels()}
	for _, level := range c.Levels {
		c.Shares = append(c.Shares, e.between((1-level)/2, (1+level)/2))
	}
	return c
}

// PICP is the share of targets between the draws' quantiles 0.025 and 0.975.
func (e *SampleEvaluation) PICP() float64 { return e.between(lower95, upper95) }

// MPIW is the mean distance of the draws' quantiles 0.025 and 0.975.
func (e *SampleEvaluation) MPIW() float64 {
	sum := 0.0
	for _, x := range e.sorted {
		sum += quantile(x, upper95) - quantile(x, lower95)
	}
	return sum / float64(len(e.sorted))
}

// Sharpness is the mean standard deviation of the draws, with 1/K.
func (e *SampleEvaluation) Sharpness() float64 { return meanRoot(e.Variance) }

// SharpnessRMS is the root of the mean variance of the draws.
func (e *SampleEvaluation) SharpnessRMS() float64 { return math.Sqrt(average(e.Variance)) }

package metrics

import (
	"math"
	"slices"
	"sync"

	"bayesbench/backends/rng"
	"bayesbench/results"
)

func init() {
	register(Test,
		Metric{Unit: "calibrated_ll", Better: results.Higher, Short: "calibrated log-likelihood, nats: −NLL after temperature scaling, 2-fold test-time cross-validation, 5 fixed splits that do not depend on the order of the inputs", compute: calibrated(func(c Calibration) float64 { return c.LL })},
		Metric{Unit: "calibrated_brier_sum", Better: results.Lower, Short: "brier_sum after the same temperature scaling", compute: calibrated(func(c Calibration) float64 { return c.BrierSum })},
		Metric{Unit: "calibrated_ece15-lorc", Better: results.Lower, Short: "ece15-lorc after the same temperature scaling", compute: calibrated(func(c Calibration) float64 { return c.ECE15 })},
		Metric{Unit: "temperature", Better: results.Neither, Short: "mean of the fitted temperatures, at most 1e4; above 1 the predictive is overconfident", compute: calibrated(func(c Calibration) float64 { return c.Temperature })},
	)
}

func calibrated(pick func(Calibration) float64) func(*scoring) float64 {
	return test(func(e *Evaluation) float64 { return pick(e.calibrate()) })
}

// Calibration holds metrics of the temperature-scaled predictive.
type Calibration struct {
	LL          float64 // mean log-likelihood, nats
	BrierSum    float64
	ECE15       float64
	Accuracy    float64
	Temperature float64
}

const (
	// minTemperature is fitted where every label is the most probable class, so
	// that the likelihood rises for ever towards T = 0.
	minTemperature = 1e-2
	// maxTemperature is fitted where a still higher one would be best, or none,
	// because the uniform predictive is better at every T.
	maxTemperature = 1e4
)

// foldRepeats is the number of random splits.
const foldRepeats = 5

// foldKey is the key of the splits. It is fixed: the split is part of the
// metric's definition.
var foldKey = rng.Key{0, 0}

// Folds returns the permutations of 0…n−1 by which the calibrated metrics
// split the test set in two halves, its inputs in their canonical order: by
// log p̄ of the label, then whether that is the predicted class, then by the
// log-odds of the predicted class, the entropy, Σ_c log p̄. Inputs that are equal
// in all five are the same to those metrics, so the order in which the inputs
// came does not matter.
func Folds(n int) [][]int32 {
	folds := make([][]int32, foldRepeats)
	for r := range folds {
		folds[r] = rng.Perm(n, foldKey, uint32(r))
	}
	return folds
}

// folds returns the splits of the inputs.
func (e *Evaluation) folds() [][]int32 {
	order := e.canonical()
	folds := Folds(e.N)
	for _, perm := range folds {
		for i, at := range perm {
			perm[i] = order[at]
		}
	}
	return folds
}

// canonical returns the inputs in the order that [Folds] describes.
func (e *Evaluation) canonical() []int32 {
	keys := []func(n int32) float64{
		func(n int32) float64 { return e.LogP[int(n)*e.C+e.Labels[n]] },
		func(n int32) float64 { return e.wrong(int(n)) },
		func(n int32) float64 { return e.doubt[n] },
		func(n int32) float64 { return e.logEntropy[n] },
		func(n int32) float64 {
			sum := 0.0
			for _, l := range e.finite[int(n)*e.C : (int(n)+1)*e.C] {
				sum += l
			}
			return sum
		},
	}
	inputs := make([]int32, e.N)
	for n := range inputs {
		inputs[n] = int32(n)
	}
	orderBy(keys, inputs)
	return inputs
}

// orderBy sorts the inputs by the first key, those that tie in it by the next.
func orderBy(keys []func(n int32) float64, inputs []int32) {
	x := make([]float64, len(inputs))
	for i, n := range inputs {
		x[i] = keys[0](n)
	}
	r, from := ascending(x), slices.Clone(inputs)
	for i, at := range r.order {
		inputs[i] = from[at]
	}
	if len(keys) == 1 {
		return
	}
	start := 0
	for _, end := range r.ends {
		if end-start > 1 {
			orderBy(keys[1:], inputs[start:end])
		}
		start = end
	}
}

// Calibrate computes the calibrated log-likelihood and its companions: for
// each permutation, T is fitted on one half of the test set by minimising the
// NLL of softmax(log p̄ / T), the metrics are computed on the other half, both
// ways, and everything is averaged. log p̄ is not floored: the logits' own
// scale counts. See [FitTemperature] for p̄ = 0. T scales the averaged predictive, after
// ensembling. NaN for a single input. Source: Ashukha et al. (2020), "Pitfalls
// of in-domain uncertainty estimation and ensembling in deep learning",
// section 4.
func Calibrate(e *Evaluation, folds [][]int32) Calibration {
	half := (e.N + 1) / 2
	parts := make([]Calibration, 2*len(folds))
	var wait sync.WaitGroup
	for i, perm := range folds {
		for way, at := range [][2][]int32{{perm[:half], perm[half:]}, {perm[half:], perm[:half]}} {
			wait.Go(func() { parts[2*i+way] = calibrateHalf(e, at[0], at[1]) })
		}
	}
	wait.Wait()
	var sum Calibration // added up in order, whatever order they ended in
	for _, c := range parts {
		sum.LL += c.LL
		sum.BrierSum += c.BrierSum
		sum.ECE15 += c.ECE15
		sum.Accuracy += c.Accuracy
		sum.Temperature += c.Temperature
	}
	runs := float64(2 * len(folds))
	return Calibration{sum.LL / runs, sum.BrierSum / runs, sum.ECE15 / runs, sum.Accuracy / runs, sum.Temperature / runs}
}

func calibrateHalf(e *Evaluation, fit, score []int32) Calibration {
	if len(fit) == 0 || len(score) == 0 {
		nan := math.NaN()
		return Calibration{nan, nan, nan, nan, nan}
	}
	t := FitTemperature(e, fit)
	scaled := e.scaled(t, score)
	return Calibration{-NLL(scaled), BrierSum(scaled), ECE(Reliability(scaled, bins15)), Accuracy(scaled), t}
}

// scaled returns the inputs of the subset under softmax(log p̄ / T), with what
// the calibrated metrics need.
func (e *Evaluation) scaled(t float64, subset []int32) *Evaluation {
	s := &Evaluation{
		N: len(subset), C: e.C, K: e.K,
		Labels:     make([]int, len(subset)),
		P:          make([]float64, len(subset)*e.C),
		LogP:       make([]float64, len(subset)*e.C),
		Predicted:  make([]int, len(subset)),
		Confidence: make([]float64, len(subset)),
	}
	for i, n := range subset {
		s.Labels[i] = e.Labels[n]
		s.Predicted[i] = e.Predicted[n] // scaling keeps the order
		z := e.finite[int(n)*e.C : (int(n)+1)*e.C]
		p := s.P[i*e.C : (i+1)*e.C]
		top, sum := z[e.Predicted[n]], 0.0
		for c, l := range z {
			p[c] = math.Exp((l - top) / t)
			sum += p[c]
		}
		logSum := math.Log(sum)
		for c, l := range z {
			p[c] /= sum
			s.LogP[i*e.C+c] = (l-top)/t - logSum
		}
		s.Confidence[i] = p[e.Predicted[n]]
	}
	return s
}

// FitTemperature returns the T that minimises −Σ_n log softmax(log p̄_n / T)[y_n]
// over the inputs of the subset, but 1e-2 where every label is the most probable
// class and so no T is best, and at most 1e4, which is next to the uniform
// predictive where that is better at every T. A probability of 0, which says nothing
// of how small it was, counts as 1e-12, or as the smallest of its row above 0
// where that is smaller.
//
// In β = 1/T the objective is convex, its derivative Σ_n (E_β[z_n] − z_n[y_n])
// and its second derivative Σ_n Var_β[z_n], with z = log p̄. The root of the
// derivative is found by Newton steps kept inside a shrinking bracket: unlike
// a search on values it fixes T to the last digits, which the Brier score and
// the ECE need.
func FitTemperature(e *Evaluation, subset []int32) float64 {
	slope := func(beta float64) (first, second float64) {
		for _, n := range subset {
			z := e.finite[int(n)*e.C : (int(n)+1)*e.C]
			top := z[e.Predicted[n]]
			var w, wz, wzz float64
			for _, l := range z {
				d := l - top
				p := math.Exp(beta * d)
				w += p
				wz += p * d
				wzz += p * d * d
			}
			mean := wz / w
			first += mean - (z[e.Labels[n]] - top)
			second += wzz/w - mean*mean
		}
		return first, second
	}
	lo, hi := 1/maxTemperature, 1.0
	if first, _ := slope(lo); first >= 0 {
		return maxTemperature
	}
	lost := 0.0 // what the slope tends to for rising β
	for _, n := range subset {
		z := e.finite[int(n)*e.C : (int(n)+1)*e.C]
		lost += slices.Max(z) - z[e.Labels[n]]
	}
	if lost <= tieTolerance*float64(len(subset)) {
		return minTemperature
	}
	for first, _ := slope(hi); first <= 0; first, _ = slope(hi) {
		lo, hi = hi, 10*hi
	}
	beta := hi
	for range 200 {
		first, second := slope(beta)
		if first > 0 {
			hi = beta
		} else {
			lo = beta
		}
		next := beta - first/second
		if !(next > lo && next < hi) {
			next = math.Sqrt(lo * hi)
		}
		if math.Abs(next-beta) <= 1e-14*beta {
			return 1 / next
		}
		beta = next
	}
	return 1 / beta
}

// finite returns logp, [N,C], with a number where a logarithm is −Inf: log 1e-12,
// or the smallest of its row that is finite where that is smaller.
func finite(logp []float64, classes int) []float64 {
	if !slices.Contains(logp, math.Inf(-1)) {
		return logp
	}
	z := slices.Clone(logp)
	for row := range slices.Chunk(z, classes) {
		floor := logFloor
		for _, l := range row {
			if !math.IsInf(l, -1) {
				floor = min(floor, l)
			}
		}
		for c := range row {
			row[c] = max(row[c], floor)
		}
	}
	return z
}

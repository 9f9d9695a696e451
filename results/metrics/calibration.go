package metrics

import (
	"math"

	"bayesbench/results"
)

func init() {
	register(Test,
		Metric{Unit: "ece15-lorc", Better: results.Lower, Short: "expected calibration error, top label, 15 equal-width bins (lo,hi]", compute: ofBins(ECE)},
		Metric{Unit: "mce15-lorc", Better: results.Lower, Short: "maximum calibration error over the non-empty bins of ece15-lorc", compute: ofBins(MCE)},
		Metric{Unit: "rmsce15-lorc", Better: results.Lower, Short: "root of the mean squared calibration error over the bins of ece15-lorc", compute: ofBins(RMSCE)},
		Metric{Unit: "adaptive_ece15", Better: results.Lower, Short: "top-label calibration error over 15 bins of equal count", compute: test(adaptiveECE15)},
		Metric{Unit: "sce15-lorc", Better: results.Lower, Short: "class-wise (static) calibration error, 15 equal-width bins (lo,hi]", compute: test(sce15)},
		Metric{Unit: "ace15", Better: results.Lower, Short: "class-wise adaptive calibration error, 15 bins of floor(N/15), the last longer", compute: ofClasses(0)},
		Metric{Unit: "tace15-1e-3", Better: results.Lower, Short: "ace15 over the probabilities above 1e-3 only", compute: ofClasses(1)},
		Metric{Unit: "confidence", Better: results.Neither, Short: "mean of the largest predicted probability", compute: test(meanConfidence)},
	)
}

const bins15 = 15

// ofBins adapts a metric of the reliability diagram.
func ofBins(f func([]results.Bin) float64) func(*scoring) float64 {
	return func(s *scoring) float64 { return f(s.bins()) }
}

// ofClasses adapts ACE (0) and TACE (1).
func ofClasses(which int) func(*scoring) float64 {
	return func(s *scoring) float64 { return s.classes()[which] }
}

func adaptiveECE15(e *Evaluation) float64 { return ECE(AdaptiveReliability(e, bins15)) }
func sce15(e *Evaluation) float64         { return SCE(e, bins15) }
func meanConfidence(e *Evaluation) float64 {
	return e.mean(func(n int) float64 { return e.Confidence[n] })
}

// edgeTolerance is how close to an edge a probability counts as on it, so that
// neither the last bits of the arithmetic nor those of float32 (0.2 is
// 0.200000003 there) choose the bin.
const edgeTolerance = 1e-7

// bin returns which of b equal-width bins (lo,hi] holds probability q; the
// first is closed at 0.
func bin(q float64, b int) int {
	i := int(math.Ceil((q-edgeTolerance)*float64(b))) - 1
	return min(max(i, 0), b-1)
}

// equalBins are b empty bins of equal width.
func equalBins(b int) []results.Bin {
	bins := make([]results.Bin, b)
	for i := range bins {
		bins[i].Low, bins[i].High = float64(i)/float64(b), float64(i+1)/float64(b)
	}
	return bins
}

// finish turns sums into means.
func finish(bins []results.Bin) []results.Bin {
	for i := range bins {
		if n := float64(bins[i].Count); n > 0 {
			bins[i].Accuracy /= n
			bins[i].Confidence /= n
		}
	}
	return bins
}

// Reliability sorts the inputs by their confidence max_c p̄ into b bins of
// equal width, (lo,hi], the first closed at 0. Libraries differ at the edges:
// torchmetrics has [lo,hi) and puts confidence 1 in a bin of its own; the rule
// here is that of Guo et al. (2017), "On calibration of modern neural
// networks", section 2.
func Reliability(e *Evaluation, b int) []results.Bin {
	bins := equalBins(b)
	for n, q := range e.Confidence {
		at := &bins[bin(q, b)]
		at.Count++
		at.Confidence += q
		if e.Predicted[n] == e.Labels[n] {
			at.Accuracy++
		}
	}
	return finish(bins)
}

// AdaptiveReliability sorts the inputs by confidence ([MaxProbScore], the most
// doubtful first) and cuts them into b groups whose sizes differ by at most one,
// the larger ones first. Where a cut goes through equal confidences, each side
// has the accuracy that it has on average over their orders. Low and High are the
// smallest and the largest confidence of a group. Source: Nguyen and O'Connor
// (2015), "Posterior calibration and exploratory analysis for natural language
// processing models"; the split is torch-uncertainty's.
func AdaptiveReliability(e *Evaluation, b int) []results.Bin {
	confident := make([]float64, e.N)
	for n, u := range e.doubt {
		confident[n] = -u
	}
	order := ascending(confident)
	confidence := order.share(func(n int) float64 { return e.Confidence[n] })
	wrong := order.share(e.wrong)
	bins := make([]results.Bin, b)
	at := 0
	for i := range bins {
		size := e.N / b
		if i < e.N%b {
			size++
		}
		if size > 0 {
			bins[i].Low, bins[i].High = confidence[at], confidence[at+size-1]
		}
		for range size {
			bins[i].Count++
			bins[i].Confidence += confidence[at]
			bins[i].Accuracy += 1 - wrong[at]
			at++
		}
	}
	return finish(bins)
}

// ECE is the expected calibration error Σ_b n_b/N |acc_b − conf_b|; empty bins
// count nothing.
func ECE(bins []results.Bin) float64 {
	sum, total := 0.0, 0.0
	for _, b := range bins {
		sum += float64(b.Count) * math.Abs(b.Accuracy-b.Confidence)
		total += float64(b.Count)
	}
	return sum / total
}

// MCE is the maximum calibration error max_b |acc_b − conf_b| over non-empty
// bins.
func MCE(bins []results.Bin) float64 {
	top := 0.0
	for _, b := range bins {
		if b.Count > 0 {
			top = max(top, math.Abs(b.Accuracy-b.Confidence))
		}
	}
	return top
}

// RMSCE is the root mean squared calibration error
// √(Σ_b n_b/N (acc_b − conf_b)²).
func RMSCE(bins []results.Bin) float64 {
	sum, total := 0.0, 0.0
	for _, b := range bins {
		gap := b.Accuracy - b.Confidence
		sum += float64(b.Count) * gap * gap
		total += float64(b.Count)
	}
	return math.Sqrt(sum / total)
}

// SCE is the static, class-wise calibration error: the mean over classes c of
// the ECE of p̄[·,c] against 1[y=c], over b bins (lo,hi], the first closed at 0.
// Source: Nixon et al. (2019), "Measuring calibration in deep learning",
// section 3.
func SCE(e *Evaluation, b int) float64 {
	sum := 0.0
	for c := range e.C {
		bins := equalBins(b)
		for n, y := range e.Labels {
			q := e.P[n*e.C+c]
			at := &bins[bin(q, b)]
			at.Count++
			at.Confidence += q
			if y == c {
				at.Accuracy++
			}
		}
		sum += ECE(finish(bins))
	}
	return sum / float64(e.C)
}

// classWise is the class-wise adaptive calibration error at each threshold, from one order of each
// class's probabilities: for each class the M probabilities above threshold are sorted and cut into
// b bins of floor(M/b), the last taking the rest, and
//
//	TACE = 1/(N·C) Σ_c Σ_b n_cb |acc_cb − conf_cb|.
//
// With a threshold below zero it is ACE. Where a cut goes through equal
// probabilities, each side has their mean gap. Source: Nixon et al. (2019); the cut
// and the division by N (not M) are those of pytorch-ensembles.
func classWise(e *Evaluation, b int, thresholds ...float64) []float64 {
	sums := make([]float64, len(thresholds))
	ranks := make([]float64, e.N)
	for c := range e.C {
		for n := range ranks {
			ranks[n] = e.classRank(n, c)
		}
		gaps := ascending(ranks).share(func(n int) float64 {
			if e.Labels[n] == c {
				return e.P[n*e.C+c] - 1
			}
			return e.P[n*e.C+c]
		})
		for t, threshold := range thresholds {
			above := 0
			for n := range e.N {
				if e.P[n*e.C+c] > threshold+edgeTolerance*math.Abs(threshold) {
					above++
				}
			}
			sums[t] += binnedGaps(gaps[e.N-above:], b)
		}
	}
	for t := range sums {
		sums[t] /= float64(e.N * e.C)
	}
	return sums
}

// binnedGaps cuts the gaps into b bins of floor(len/b), the last taking the
// rest, and adds up the absolute values of the bins' sums.
func binnedGaps(gaps []float64, b int) float64 {
	size, sum := len(gaps)/b, 0.0
	for i := range b {
		group := gaps[i*size:]
		if i < b-1 {
			group = group[:size]
		}
		gap := 0.0
		for _, g := range group {
			gap += g
		}
		sum += math.Abs(gap)
	}
	return sum
}

// classRank ranks as p̄[n,c] does, with digits left near 0 and near 1, where
// only the predicted class can be: log p̄ up to ½ and log ½ + log(p̄/(1−p̄)) above.
func (e *Evaluation) classRank(n, c int) float64 {
	if c == e.Predicted[n] && e.doubt[n] < 0 {
		return -math.Ln2 - e.doubt[n]
	}
	return e.LogP[n*e.C+c]
}

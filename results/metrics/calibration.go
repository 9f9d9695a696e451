package metrics

import (
	"math"
	"slices"
	"sort"
)

func init() {
	register(Test,
		Metric{Unit: "ece15-lorc", Better: Lower, Short: "expected calibration error, top label, 15 equal-width bins (lo,hi]", compute: test(ece15)},
		Metric{Unit: "mce15-lorc", Better: Lower, Short: "maximum calibration error over the non-empty bins of ece15-lorc", compute: test(mce15)},
		Metric{Unit: "rmsce15-lorc", Better: Lower, Short: "root of the mean squared calibration error over the bins of ece15-lorc", compute: test(rmsce15)},
		Metric{Unit: "adaptive_ece15", Better: Lower, Short: "top-label calibration error over 15 bins of equal count", compute: test(adaptiveECE15)},
		Metric{Unit: "sce15-lorc", Better: Lower, Short: "class-wise (static) calibration error, 15 equal-width bins (lo,hi]", compute: test(sce15)},
		Metric{Unit: "ace15", Better: Lower, Short: "class-wise adaptive calibration error, 15 bins of floor(N/15), the last longer", compute: test(ace15)},
		Metric{Unit: "tace15-1e-3", Better: Lower, Short: "ace15 over the probabilities above 1e-3 only", compute: test(tace15)},
		Metric{Unit: "confidence", Better: None, Short: "mean of the largest predicted probability", compute: test(meanConfidence)},
	)
}

const bins15 = 15

func ece15(e *Evaluation) float64         { return ECE(Reliability(e, bins15)) }
func mce15(e *Evaluation) float64         { return MCE(Reliability(e, bins15)) }
func rmsce15(e *Evaluation) float64       { return RMSCE(Reliability(e, bins15)) }
func adaptiveECE15(e *Evaluation) float64 { return ECE(AdaptiveReliability(e, bins15)) }
func sce15(e *Evaluation) float64         { return SCE(e, bins15) }
func ace15(e *Evaluation) float64         { return TACE(e, bins15, -1) }
func tace15(e *Evaluation) float64        { return TACE(e, bins15, 1e-3) }
func meanConfidence(e *Evaluation) float64 {
	return e.mean(func(n int) float64 { return e.Confidence[n] })
}

// A Bin is one group of a reliability diagram.
type Bin struct {
	Count      int
	Accuracy   float64 // share that is right, 0 where empty
	Confidence float64 // mean predicted probability, 0 where empty
}

// edgeTolerance is how close to an edge a probability counts as on it, so that
// the last bits of the arithmetic do not choose the bin.
const edgeTolerance = 1e-12

// bin returns which of b equal-width bins (lo,hi] holds probability q; the
// first is closed at 0.
func bin(q float64, b int) int {
	i := int(math.Ceil((q-edgeTolerance)*float64(b))) - 1
	return min(max(i, 0), b-1)
}

// finish turns sums into means.
func finish(bins []Bin) []Bin {
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
func Reliability(e *Evaluation, b int) []Bin {
	bins := make([]Bin, b)
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

// AdaptiveReliability sorts the inputs by confidence (stable, ties by index)
// and cuts them into b groups whose sizes differ by at most one, the larger
// ones first. Source: Nguyen and O'Connor (2015), "Posterior calibration and
// exploratory analysis for natural language processing models"; the split is
// torch-uncertainty's.
func AdaptiveReliability(e *Evaluation, b int) []Bin {
	order := ascending(e.Confidence)
	bins := make([]Bin, b)
	at := 0
	for i := range bins {
		size := e.N / b
		if i < e.N%b {
			size++
		}
		for _, n := range order[at : at+size] {
			bins[i].Count++
			bins[i].Confidence += e.Confidence[n]
			if e.Predicted[n] == e.Labels[n] {
				bins[i].Accuracy++
			}
		}
		at += size
	}
	return finish(bins)
}

// ECE is the expected calibration error Σ_b n_b/N |acc_b − conf_b|; empty bins
// count nothing.
func ECE(bins []Bin) float64 {
	sum, total := 0.0, 0.0
	for _, b := range bins {
		sum += float64(b.Count) * math.Abs(b.Accuracy-b.Confidence)
		total += float64(b.Count)
	}
	return sum / total
}

// MCE is the maximum calibration error max_b |acc_b − conf_b| over non-empty
// bins.
func MCE(bins []Bin) float64 {
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
func RMSCE(bins []Bin) float64 {
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
		bins := make([]Bin, b)
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

// TACE is the thresholded, class-wise adaptive calibration error: for each
// class the M probabilities above threshold are sorted and cut into b bins of
// floor(M/b), the last taking the rest, and
//
//	TACE = 1/(N·C) Σ_c Σ_b n_cb |acc_cb − conf_cb|.
//
// With a threshold below zero it is ACE. Source: Nixon et al. (2019); the cut
// and the division by N (not M) are those of pytorch-ensembles.
func TACE(e *Evaluation, b int, threshold float64) float64 {
	sum := 0.0
	column := make([]float64, e.N)
	for c := range e.C {
		for n := range column {
			column[n] = e.P[n*e.C+c]
		}
		order := ascending(column)
		order = order[sort.Search(e.N, func(i int) bool { return column[order[i]] > threshold }):]
		size := len(order) / b
		for i := range b {
			group := order[i*size:]
			if i < b-1 {
				group = group[:size]
			}
			gap := 0.0
			for _, n := range group {
				gap += column[n]
				if e.Labels[n] == c {
					gap--
				}
			}
			sum += math.Abs(gap)
		}
	}
	return sum / float64(e.N*e.C)
}

// ascending returns the indices that sort x, equal values in order of index.
func ascending(x []float64) []int {
	type item struct {
		x float64
		i int
	}
	items := make([]item, len(x))
	for i, v := range x {
		items[i] = item{v, i}
	}
	slices.SortFunc(items, func(a, b item) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return a.i - b.i
	})
	order := make([]int, len(x))
	for i, it := range items {
		order[i] = it.i
	}
	return order
}

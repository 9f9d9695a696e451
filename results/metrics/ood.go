package metrics

import (
	"math"
	"slices"

	"bayesbench/results"
)

func init() {
	for _, s := range uncertaintyScores {
		register(OOD, detectionMetrics("ood", "out-of-distribution inputs", s)...)
	}
}

// uncertaintyScores are the scores by which inputs are told apart; larger
// means more uncertain, nil means the evaluation does not have it.
var uncertaintyScores = []uncertaintyScore{
	{"maxprob", "1 − max p̄", MaxProbScore},
	{"entropy", "H(p̄)", EntropyScore},
	{"energy", "the energy −logsumexp(logits), for logits only", EnergyScore},
	{"mi", "the mutual information, for 2 samples or more", MutualScore},
}

type uncertaintyScore struct {
	name, what string
	of         func(*Evaluation) []float64
}

// MaxProbScore ranks as 1 − max_c p̄[n,c] does (Hendrycks and Gimpel 2017). It is
// the log-odds log((1 − max_c p̄) / max_c p̄), of which float64 still has all
// digits where the probability has long become 1. Above 1 − 2⁻¹⁰, 1 − max_c p̄ is
// the sum over the other classes.
func MaxProbScore(e *Evaluation) []float64 { return e.doubt }

// EntropyScore is log H(p̄_n), which ranks as the entropy does.
func EntropyScore(e *Evaluation) []float64 { return e.logEntropy }

// EnergyScore is mean_k −logsumexp_c(logits_k[n,c]), temperature 1 (Liu et al.
// 2020, "Energy-based out-of-distribution detection"); nil unless all members
// came as logits.
func EnergyScore(e *Evaluation) []float64 { return e.Energy }

// MutualScore is the logarithm of the mutual information of input n, which
// ranks as it does: −Inf where it is less than 2⁻⁴⁴ of the entropy, which is
// what rounding leaves of none. nil for one member.
func MutualScore(e *Evaluation) []float64 { return e.logMutual }

// Detection says how well a score tells positives, which should score high,
// from negatives.
type Detection struct {
	// AUROC is P(positive > negative) + ½ P(equal), the exact Mann-Whitney
	// statistic over N₊·N₋.
	AUROC float64
	// APPositive is the average precision Σ_i (R_i − R_{i−1}) P_i over the
	// distinct thresholds, the step form (scikit-learn, torch-uncertainty),
	// and APNegative the same with the negatives as what is looked for and
	// the score turned round.
	APPositive, APNegative float64
	// TrapezoidPositive and TrapezoidNegative are the areas under the same
	// precision-recall curves by trapezoids from (recall 0, precision 1), the
	// form of OpenOOD. The two forms give different numbers.
	TrapezoidPositive, TrapezoidNegative float64
	// FPR95 is the share of negatives above the first threshold, from the top,
	// that has 95 % of the positives above or on it (OpenOOD).
	FPR95 float64
}

// Detect compares the scores of negatives (in-distribution, clean, correct)
// with those of positives. Neither may be empty or hold NaN. Scores that
// differ by less than 1e-12, or 1e-12 of their size, are equal.
func Detect(negatives, positives []float64) Detection {
	if len(negatives) == 0 || len(positives) == 0 {
		panic("metrics: Detect needs scores of both kinds")
	}
	counts := countAbove(negatives, positives)
	np, nn := len(positives), len(negatives)
	var d Detection
	wins, before := 0.0, point{}
	fprSet := false
	for _, c := range counts {
		tp, fp := c.positives-before.positives, c.negatives-before.negatives
		below := nn - c.negatives
		wins += float64(tp) * (float64(below) + 0.5*float64(fp))
		if !fprSet && 20*c.positives >= 19*np {
			d.FPR95 = float64(c.negatives) / float64(nn)
			fprSet = true
		}
		before = c
	}
	d.AUROC = wins / (float64(np) * float64(nn))
	d.APPositive, d.TrapezoidPositive = precisionAreas(counts, np)

	turned := make([]point, 0, len(counts))
	for i := len(counts) - 1; i >= 0; i-- {
		above := point{}
		if i > 0 {
			above = counts[i-1]
		}
		turned = append(turned, point{positives: nn - above.negatives, negatives: np - above.positives})
	}
	d.APNegative, d.TrapezoidNegative = precisionAreas(turned, nn)
	return d
}

// point counts the inputs on or above one threshold.
type point struct{ positives, negatives int }

// countAbove returns the counts at every distinct score, from the top.
func countAbove(negatives, positives []float64) []point {
	neg, pos := slices.Clone(negatives), slices.Clone(positives)
	slices.Sort(neg)
	slices.Sort(pos)
	var counts []point
	i, j := len(pos), len(neg)
	// next takes the largest score that is left.
	next := func() float64 {
		if j == 0 || i > 0 && pos[i-1] >= neg[j-1] {
			i--
			return pos[i]
		}
		j--
		return neg[j]
	}
	before := next()
	for i > 0 || j > 0 {
		above := point{len(pos) - i, len(neg) - j}
		score := next()
		if !tied(before, score) {
			counts = append(counts, above)
		}
		before = score
	}
	return append(counts, point{len(pos), len(neg)})
}

// precisionAreas returns the area under the precision-recall curve by steps
// and by trapezoids.
func precisionAreas(counts []point, positives int) (step, trapezoid float64) {
	precision, before := 1.0, 0
	for _, c := range counts {
		width := float64(c.positives-before) / float64(positives)
		p := float64(c.positives) / float64(c.positives+c.negatives)
		step += width * p
		trapezoid += width * (precision + p) / 2
		precision, before = p, c.positives
	}
	return step, trapezoid
}

// detectionMetrics returns the metrics of telling `what`, the second
// evaluation, from the first by score s.
func detectionMetrics(prefix, what string, s uncertaintyScore) []Metric {
	metric := func(name string, better results.Better, short string, pick func(Detection) float64) Metric {
		return Metric{
			Unit: prefix + "-" + name + "-" + s.name, Better: better,
			Short: short + " of " + what + " by " + s.what,
			compute: func(both *scoring) float64 {
				d, done := both.detections[s.name]
				if !done {
					neg, pos := s.of(both.e), s.of(both.other)
					if neg == nil || pos == nil {
						return math.NaN()
					}
					d = Detect(neg, pos)
					both.detections[s.name] = d
				}
				return pick(d)
			},
		}
	}
	return []Metric{
		metric("auroc", results.Higher, "AUROC", func(d Detection) float64 { return d.AUROC }),
		metric("aupr_out-ap", results.Higher, "average precision (steps)", func(d Detection) float64 { return d.APPositive }),
		metric("aupr_in-ap", results.Higher, "average precision (steps) of the others, score turned round, in detection", func(d Detection) float64 { return d.APNegative }),
		metric("aupr_out-trapz", results.Higher, "precision-recall area (trapezoids)", func(d Detection) float64 { return d.TrapezoidPositive }),
		metric("aupr_in-trapz", results.Higher, "precision-recall area (trapezoids) of the others, score turned round, in detection", func(d Detection) float64 { return d.TrapezoidNegative }),
		metric("fpr95", results.Lower, "false positive rate at 95 % true positive rate", func(d Detection) float64 { return d.FPR95 }),
	}
}

package metrics

import (
	"math"

	"bayesbench/results"
)

func init() {
	register(Test,
		Metric{Unit: "disagreement", Better: results.Neither, Short: "mean over pairs of samples of the share of inputs they classify differently; needs 2 samples", compute: test(Disagreement)},
		Metric{Unit: "disagreement-normalised", Better: results.Neither, Short: "disagreement divided by the samples' mean error rate", compute: test(NormalisedDisagreement)},
		Metric{Unit: "pairwise_kl", Better: results.Neither, Short: "mean over ordered pairs of samples of KL(p_k‖p_k'), nats; needs 2 samples", compute: test(PairwiseKL)},
		Metric{Unit: "ambiguity", Better: results.Neither, Short: "mean NLL of the samples − NLL of their average, nats; needs 2 samples", compute: test(Ambiguity)},
		Metric{Unit: "member_nll", Better: results.Lower, Short: "mean NLL of the single samples, nats", compute: test(MemberNLL)},
		Metric{Unit: "member_error", Better: results.Lower, Short: "mean error rate of the single samples", compute: test(MemberError)},
	)
}

// Disagreement is the mean over pairs k<k' of mean_n 1[argmax p_k ≠ argmax
// p_k']. NaN for one member. Source: Fort, Hu, Lakshminarayanan (2019), "Deep
// ensembles: a loss landscape perspective"; averaged over distinct pairs, as
// robustness_metrics does.
func Disagreement(e *Evaluation) float64 { return ifPairs(e, e.pairDiffer) }

// NormalisedDisagreement is [Disagreement] / [MemberError] (Fort et al. 2019,
// figure 6: divided by 1 − accuracy of the members). NaN where no member errs.
func NormalisedDisagreement(e *Evaluation) float64 {
	if e.memberError == 0 {
		return math.NaN()
	}
	return Disagreement(e) / e.memberError
}

// PairwiseKL is the mean over inputs and ordered pairs k≠k' of
// Σ_c p_k (log p_k − log max(p_k', 1e-12)), nats. NaN for one member.
func PairwiseKL(e *Evaluation) float64 { return ifPairs(e, e.pairKL) }

// Ambiguity is mean_k NLL_k − NLL(p̄) ≥ 0, what averaging gains (Krogh and
// Vedelsby 1995, for the logarithmic score). NaN for one member.
func Ambiguity(e *Evaluation) float64 { return ifPairs(e, MemberNLL(e)-NLL(e)) }

// MemberNLL is mean_k mean_n −log max(p_k[n,y_n], 1e-12), nats.
func MemberNLL(e *Evaluation) float64 {
	return e.mean(func(n int) float64 { return e.memberNLL[n] })
}

// MemberError is mean_k of the error rate of member k alone.
func MemberError(e *Evaluation) float64 { return e.memberError }

func ifPairs(e *Evaluation, v float64) float64 {
	if e.K < 2 {
		return math.NaN()
	}
	return v
}

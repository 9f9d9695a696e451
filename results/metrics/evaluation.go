package metrics

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// Evaluation is the predictive at one number of members, with what several
// metrics share. All slices are read-only.
type Evaluation struct {
	N, C, K int
	Labels  []int // [N], nil where there are none

	P    []float64 // [N,C] p̄
	LogP []float64 // [N,C] log p̄, −Inf where p̄ is 0

	Predicted  []int     // [N] argmax, the lowest class on a tie
	Confidence []float64 // [N] max_c p̄
	Entropy    []float64 // [N] H(p̄), nats
	Mutual     []float64 // [N] mutual information, nats; nil for one member
	Energy     []float64 // [N] mean_k −logsumexp(logits_k); nil unless every member came as logits

	// What inputs are ranked by, with all the digits that the members have.
	doubt      []float64 // [N] log((1 − max_c p̄) / max_c p̄)
	logEntropy []float64 // [N] log H(p̄)
	logMutual  []float64 // [N] log mutual information; nil for one member

	// finite is LogP with a number for the logarithm of 0, for [FitTemperature].
	finite []float64

	memberNLL   []float64 // [N] mean_k −log p_k[y]; nil without labels
	memberError float64   // mean_k error rate of member k
	pairDiffer  float64   // mean over pairs k<k' of 1[argmax differs]
	pairKL      float64   // mean over ordered pairs k≠k' of KL(p_k‖p_k')

	calibrate func() Calibration // computed once, when first asked for
}

// Evaluate returns the predictive over the members added so far. Labels are
// class numbers in [0,C), one for each input, or nil for inputs that have none.
func (p *Predictive) Evaluate(labels []int) (*Evaluation, error) {
	if p.row != 0 {
		return nil, fmt.Errorf("metrics: member %d has %d of %d rows", p.members, p.row, p.n)
	}
	if p.members == 0 {
		return nil, fmt.Errorf("metrics: no predictions to evaluate")
	}
	if labels != nil && len(labels) != p.n {
		return nil, fmt.Errorf("metrics: %d labels for %d predictions", len(labels), p.n)
	}
	for i, y := range labels {
		if y < 0 || y >= p.c {
			return nil, fmt.Errorf("metrics: label %d is %d, want 0 to %d", i, y, p.c-1)
		}
	}
	e := &Evaluation{
		N: p.n, C: p.c, K: p.members, Labels: labels,
		P:          make([]float64, p.n*p.c),
		LogP:       make([]float64, p.n*p.c),
		Predicted:  make([]int, p.n),
		Confidence: make([]float64, p.n),
		Entropy:    make([]float64, p.n),
		doubt:      make([]float64, p.n),
		logEntropy: make([]float64, p.n),
	}
	k := float64(p.members)
	for n := range e.N {
		p.average(e, n)
	}
	e.finite = finite(e.LogP, e.C)
	if !p.noEnergy {
		e.Energy = make([]float64, e.N)
		for n, s := range p.sumEnergy {
			e.Energy[n] = s / k
		}
	}
	if labels != nil {
		e.memberNLL = make([]float64, e.N)
		for n, y := range labels {
			e.memberNLL[n] = -p.sumLogP[n*e.C+y] / k
			e.memberError += 1 - float64(p.votes[n*e.C+y])/k
		}
		e.memberError /= float64(e.N)
		e.calibrate = sync.OnceValue(func() Calibration { return Calibrate(e, e.folds()) })
	}
	if p.members > 1 {
		p.mutual(e)
		e.pairDiffer, e.pairKL = p.pairs()
	}
	return e, nil
}

// average fills row n of an evaluation with the members' average.
func (p *Predictive) average(e *Evaluation, n int) {
	k, at := float64(p.members), n*e.C
	row, logs := e.P[at:at+e.C], e.LogP[at:at+e.C]
	top := 0.0
	for c := range row {
		if p.tail == nil || math.IsInf(p.tail[at+c], -1) {
			row[c] = p.sumP[at+c] / k
			logs[c] = math.Log(row[c])
		} else {
			logs[c] = logAdd(math.Log(p.sumP[at+c]), p.tail[at+c]) - math.Log(k)
			row[c] = math.Exp(logs[c])
		}
		top = max(top, row[c])
	}
	// The order of the members changes the last bits of the averages, but not
	// which class is the first of those that tie.
	best := slices.IndexFunc(row, func(q float64) bool { return q >= top*(1-tieTolerance) })
	e.Predicted[n], e.Confidence[n] = best, row[best]
	rest, entropy := uncertainty(row, logs, best)
	e.Entropy[n] = entropy
	logRest, logEntropy := math.Log(rest), math.Log(entropy)
	if rest < tiny {
		logRest, logEntropy = logUncertainty(logs, best)
	}
	e.doubt[n] = logRest - math.Log(row[best])
	e.logEntropy[n] = logEntropy
}

// mutualNoise is the share of the entropy below which a difference of
// entropies is what rounding left.
const mutualNoise = 0x1p-44

// mutual fills the mutual information in. Its logarithm is that of
// H(p̄) (1 − mean_k H(p_k) / H(p̄)).
func (p *Predictive) mutual(e *Evaluation) {
	k := float64(p.members)
	e.Mutual, e.logMutual = make([]float64, e.N), make([]float64, e.N)
	for n, h := range p.sumH {
		e.Mutual[n] = max(0, e.Entropy[n]-h/k)
		members := math.Log(h)
		if p.tailH != nil {
			members = logAdd(members, p.tailH[n])
		}
		e.logMutual[n] = math.Inf(-1)
		if gain := -math.Expm1(members - math.Log(k) - e.logEntropy[n]); gain > mutualNoise {
			e.logMutual[n] = e.logEntropy[n] + math.Log(gain)
		}
	}
}

// pairs averages over pairs of members from the sums alone:
//
//	Σ_{k<k'} 1[differ]   = K(K−1)/2 − Σ_c v_c(v_c−1)/2, v the votes
//	Σ_{k,k'} KL(p_k‖p_k') = −K Σ_k H(p_k) − Σ_c (Σ_k p_k[c]) (Σ_k' log p_k'[c])
func (p *Predictive) pairs() (differ, kl float64) {
	k := float64(p.members)
	pairs := k * (k - 1)
	for n := range p.n {
		same, cross := 0.0, 0.0
		for i := n * p.c; i < (n+1)*p.c; i++ {
			v := float64(p.votes[i])
			same += v * (v - 1)
			cross += p.sumP[i] * p.sumLogP[i]
		}
		differ += 1 - same/pairs
		kl += max(0, (-k*p.sumH[n]-cross)/pairs)
	}
	return differ / float64(p.n), kl / float64(p.n)
}

// LogLikelihood is log max(p̄[n,y_n], 1e-12), nats: what input n adds to −N·[NLL].
func (e *Evaluation) LogLikelihood(n int) float64 {
	return max(e.LogP[n*e.C+e.Labels[n]], logFloor)
}

// mean returns the mean of f over the inputs.
func (e *Evaluation) mean(f func(n int) float64) float64 {
	sum := 0.0
	for n := range e.N {
		sum += f(n)
	}
	return sum / float64(e.N)
}

// wrong is 1 where the prediction for input n is wrong and 0 where it is right.
func (e *Evaluation) wrong(n int) float64 {
	if e.Predicted[n] != e.Labels[n] {
		return 1
	}
	return 0
}

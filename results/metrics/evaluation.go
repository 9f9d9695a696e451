package metrics

import (
	"fmt"
	"math"
	"sync"
)

// Evaluation is the predictive at one number of members, with what several
// metrics share. All slices are read-only.
type Evaluation struct {
	N, C, K int
	Labels  []int // [N], nil where there are none

	P    []float64 // [N,C] p̄
	LogP []float64 // [N,C] log p̄, floored at log 1e-12

	Predicted  []int     // [N] argmax, the lowest class on a tie
	Confidence []float64 // [N] max_c p̄
	Entropy    []float64 // [N] H(p̄), nats
	Mutual     []float64 // [N] mutual information, nats; nil for one member
	Energy     []float64 // [N] mean_k −logsumexp(logits_k); nil unless every member came as logits

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
			return nil, fmt.Errorf("metrics: label %d is %d, expected 0 to %d", i, y, p.c-1)
		}
	}
	e := &Evaluation{
		N: p.n, C: p.c, K: p.members, Labels: labels,
		P:          make([]float64, p.n*p.c),
		LogP:       make([]float64, p.n*p.c),
		Predicted:  make([]int, p.n),
		Confidence: make([]float64, p.n),
		Entropy:    make([]float64, p.n),
	}
	k := float64(p.members)
	for n := range e.N {
		row := n * e.C
		best := 0
		for c := range e.C {
			q := p.sumP[row+c] / k
			e.P[row+c] = q
			l := math.Log(q)
			e.LogP[row+c] = max(l, logFloor)
			if q > 0 {
				e.Entropy[n] -= q * l
			}
			if q > e.P[row+best] {
				best = c
			}
		}
		e.Predicted[n] = best
		e.Confidence[n] = e.P[row+best]
	}
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
		e.calibrate = sync.OnceValue(func() Calibration { return Calibrate(e, Folds(e.N)) })
	}
	if p.members > 1 {
		e.Mutual = make([]float64, e.N)
		for n := range e.N {
			e.Mutual[n] = max(0, e.Entropy[n]-p.sumH[n]/k)
		}
		e.pairDiffer, e.pairKL = p.pairs()
	}
	return e, nil
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

// mean returns the mean of f over the inputs.
func (e *Evaluation) mean(f func(n int) float64) float64 {
	sum := 0.0
	for n := range e.N {
		sum += f(n)
	}
	return sum / float64(e.N)
}

// errors returns, input by input, 1 where the prediction is wrong and 0 where
// it is right.
func (e *Evaluation) errors() []float64 {
	wrong := make([]float64, e.N)
	for n, y := range e.Labels {
		if e.Predicted[n] != y {
			wrong[n] = 1
		}
	}
	return wrong
}

package metrics

import "math"

// saturated is how small 1 − max p gets before it has lost three digits in
// float64, and most of them if p came as float32. Below, the probabilities of
// the other classes say it better.
const saturated = 0x1p-10

// uncertainty returns 1 − p[best] and the entropy −Σ_c p_c log p_c in nats of
// one distribution over classes, best its largest. Near certainty both are
// sums over the other classes,
//
//	1 − p_best = Σ_{c≠best} p_c,
//	−log p_best = −log(1 − Σ_{c≠best} p_c),
//
// which keep their digits down to 1e-290.
func uncertainty(p, logp []float64, best int) (rest, entropy float64) {
	for c, q := range p {
		if c != best && q > 0 {
			rest += q
			entropy -= q * logp[c]
		}
	}
	if 1-p[best] < saturated {
		return rest, entropy - (1-rest)*math.Log1p(-rest)
	}
	return 1 - p[best], entropy - p[best]*logp[best]
}

// logUncertainty returns the logarithms of what [uncertainty] returns, for
// distributions so near certainty that float64 does not hold it: there
// −p_best log p_best is Σ_{c≠best} p_c.
func logUncertainty(logp []float64, best int) (rest, entropy float64) {
	rest, entropy = math.Inf(-1), math.Inf(-1)
	for c, l := range logp {
		if c != best && !math.IsInf(l, -1) {
			rest = logAdd(rest, l)
			entropy = logAdd(entropy, l+math.Log1p(-l))
		}
	}
	return rest, entropy
}

// logAdd is log(e^a + e^b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

package metrics

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/results"
)

func init() {
	register(Chains,
		Metric{Unit: "rhat", Better: results.Lower, Short: "largest R̂ (rank-normalised split, folded) over the function values; 1.01 is the usual gate"},
		Metric{Unit: "ess_bulk", Better: results.Higher, Short: "smallest bulk effective sample size over the function values"},
		Metric{Unit: "ess_tail", Better: results.Higher, Short: "smallest tail effective sample size (5 % and 95 % quantiles) over the function values"},
	)
}

// The diagnostics below take one scalar along M chains of equal length,
// chains[m][t]. Use function values (log-likelihood, logits of an input): the
// weights of a network are not identified. They are those of Vehtari, Gelman,
// Simpson, Carpenter, Bürkner (2021), "Rank-normalization, folding, and
// localization: an improved R̂ for assessing convergence of MCMC".

// FewestDraws is how many draws of each chain the diagnostics need.
const FewestDraws = 4

// fewestEffective is how many draws of each chain an effective sample size is
// worth reporting of: halves of fewer than five have no pair of
// autocorrelations, and the estimate takes any chain for independent draws.
const fewestEffective = 10

// ScoreChains is the worst of each diagnostic over several function values,
// functions[f][m][t]; the effective sample sizes of ten draws or more. A
// diagnostic without a finite value, R̂ of chains stuck apart, is left out.
func ScoreChains(functions [][][]float64) ([]results.Value, error) {
	r, bulk, tail := math.Inf(-1), math.Inf(1), math.Inf(1)
	for f, chains := range functions {
		for _, d := range []struct {
			of    func([][]float64) (float64, error)
			worst func(float64)
		}{
			{RHat, func(x float64) { r = max(r, x) }},
			{ESSBulk, func(x float64) { bulk = min(bulk, x) }},
			{ESSTail, func(x float64) { tail = min(tail, x) }},
		} {
			x, err := d.of(chains)
			if err != nil {
				return nil, fmt.Errorf("function value %d: %w", f, err)
			}
			d.worst(x)
		}
	}
	var scores []results.Value
	for _, s := range []results.Value{{Unit: "rhat", Value: r}, {Unit: "ess_bulk", Value: bulk}, {Unit: "ess_tail", Value: tail}} {
		if s.Unit != "rhat" && len(functions[0][0]) < fewestEffective {
			continue
		}
		if !math.IsInf(s.Value, 0) {
			scores = append(scores, s)
		}
	}
	return scores, nil
}

// RHat is the larger of the rank-normalised split R̂ and the same of the folded
// draws |x − median|. Give it four chains or more; it needs four draws in each.
// Chains that never move together give 1, chains stuck apart +Inf.
func RHat(chains [][]float64) (float64, error) {
	if err := checkChains(chains); err != nil {
		return 0, err
	}
	halves := split(chains)
	all := slices.Concat(halves...)
	median := midpoint(all)
	folded := mapDraws(halves, func(x float64) float64 { return math.Abs(x - median) })
	return max(rhat(rankNormalise(halves)), rhat(rankNormalise(folded))), nil
}

// ESSBulk is the effective sample size of the rank-normalised split chains.
func ESSBulk(chains [][]float64) (float64, error) {
	if err := checkChains(chains); err != nil {
		return 0, err
	}
	return ess(rankNormalise(split(chains))), nil
}

// ESSTail is the smaller of the effective sample sizes of 1[x ≤ q05] and
// 1[x ≤ q95].
func ESSTail(chains [][]float64) (float64, error) {
	if err := checkChains(chains); err != nil {
		return 0, err
	}
	halves := split(chains)
	all := slices.Concat(chains...)
	smallest := math.Inf(1)
	for _, p := range []float64{0.05, 0.95} {
		q := quantile(slices.Sorted(slices.Values(all)), p)
		smallest = min(smallest, ess(mapDraws(halves, func(x float64) float64 {
			if x <= q {
				return 1
			}
			return 0
		})))
	}
	return smallest, nil
}

func checkChains(chains [][]float64) error {
	if len(chains) == 0 || len(chains[0]) < FewestDraws {
		return fmt.Errorf("metrics: chain diagnostics need at least one chain of %d draws", FewestDraws)
	}
	for m, chain := range chains {
		if len(chain) != len(chains[0]) {
			return fmt.Errorf("metrics: chain %d has %d draws, chain 0 has %d", m, len(chain), len(chains[0]))
		}
		for t, x := range chain {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("metrics: chain %d, draw %d is %v", m, t, x)
			}
		}
	}
	return nil
}

// split cuts each chain in two; the middle draw of an odd length is left out.
func split(chains [][]float64) [][]float64 {
	half := len(chains[0]) / 2
	var halves [][]float64
	for _, c := range chains {
		halves = append(halves, c[:half], c[len(c)-half:])
	}
	return halves
}

func mapDraws(chains [][]float64, f func(float64) float64) [][]float64 {
	mapped := make([][]float64, len(chains))
	for m, c := range chains {
		mapped[m] = make([]float64, len(c))
		for t, x := range c {
			mapped[m][t] = f(x)
		}
	}
	return mapped
}

// rankNormalise replaces each draw by Φ⁻¹((r − 3/8)/(S + 1/4)), r its rank
// among all S draws, ties sharing their mean rank.
func rankNormalise(chains [][]float64) [][]float64 {
	all := slices.Concat(chains...)
	order := ascending(all).order
	z := make([]float64, len(all))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && all[order[j]] == all[order[i]] {
			j++
		}
		rank := float64(i+1+j) / 2
		score := distuv.UnitNormal.Quantile((rank - 0.375) / (float64(len(all)) + 0.25))
		for ; i < j; i++ {
			z[order[i]] = score
		}
	}
	normal := make([][]float64, len(chains))
	for m, c := range chains {
		normal[m], z = z[:len(c)], z[len(c):]
	}
	return normal
}

// rhat is √(((n−1)/n·W + B/n) / W), B and W the variances between and within.
func rhat(chains [][]float64) float64 {
	n := float64(len(chains[0]))
	means := make([]float64, len(chains))
	within := 0.0
	for m, c := range chains {
		mean, variance := stat.MeanVariance(c, nil)
		means[m] = mean
		within += variance / float64(len(chains))
	}
	between := stat.Variance(means, nil)
	if within == 0 && between == 0 {
		return 1
	}
	return math.Sqrt((n-1)/n + between/within)
}

// ess is M·n/τ with τ = −1 + 2 Σ ρ_t over Geyer's initial positive, monotone
// sequence of pairs of autocorrelations (Vehtari et al. 2021, equations 10 to
// 12), τ no less than 1/log10(M·n). Constant draws count in full.
func ess(chains [][]float64) float64 {
	draws := len(chains[0])
	n, total := float64(draws), float64(draws*len(chains))
	means := make([]float64, len(chains))
	for m, c := range chains {
		means[m] = stat.Mean(c, nil)
	}
	// autocovariance at a lag, divided by n, averaged over the chains
	autocovariance := func(lag int) float64 {
		sum := 0.0
		for m, c := range chains {
			for t := lag; t < draws; t++ {
				sum += (c[t] - means[m]) * (c[t-lag] - means[m])
			}
		}
		return sum / total
	}
	zero := autocovariance(0)
	within := zero * n / (n - 1)
	plus := zero
	if len(chains) > 1 {
		plus += stat.Variance(means, nil)
	}
	if plus == 0 {
		return total
	}
	rho := func(lag int) float64 { return 1 - (within-autocovariance(lag))/plus }

	// Pairs (ρ_2i, ρ_2i+1) count while their sum is positive, and no more than
	// the pair before; of the first pair that does not count, a positive even
	// half does, once.
	even, odd := 1.0, rho(1)
	sum, before := 0.0, math.Inf(1)
	for lag := 2; lag < draws-2 && even+odd > 0; lag += 2 {
		before = min(before, even+odd)
		sum += before
		even, odd = rho(lag), rho(lag+1)
	}
	tau := -1 + 2*sum + max(even, 0)
	return total / max(tau, 1/math.Log10(total))
}

// midpoint is the median. It is (a+b)/2 of the middle two, not an
// interpolation: their folded values tie but for the last bit, which would
// decide their ranks.
func midpoint(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

package metrics

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// component is one Gaussian of a mixture, as often as it occurs.
type component struct {
	key            uint64 // by which components are chosen and sorted
	mean, variance float64
	count          float64
}

// components are different Gaussians of one mixture in the order of their keys. The key is a hash
// of mean and variance. Where a mixture has more than the most that are kept, those with the
// smallest keys are kept, each with the count of all its copies: a random choice that depends
// neither on the order of the members nor on how they came, and one that is all of the mixture
// where few members differ.
type components []component

// pairsAtOnce is about how many pairs of components one evaluation takes, over all inputs: a second
// of one core.
const pairsAtOnce = 1 << 24

// fewestComponents and mostKept bound what is kept of one mixture, whatever the number of inputs.
const (
	fewestComponents = 64
	mostKept         = 4096
)

// mostComponents is how many components are kept of each of so many mixtures: √(2²⁵/mixtures),
// at least 64 and at most 4096. Each takes 32 bytes.
func mostComponents(mixtures int) int {
	return min(max(int(math.Sqrt(2*pairsAtOnce/float64(mixtures))), fewestComponents), mostKept)
}

// add adds a component and keeps the most at most.
func (c *components) add(x component, most int) {
	var hash rand.PCG
	hash.Seed(math.Float64bits(x.mean), math.Float64bits(x.variance))
	x.key = hash.Uint64()
	if len(*c) == most && x.compare((*c)[most-1]) > 0 {
		return
	}
	at, found := slices.BinarySearchFunc(*c, x, component.compare)
	if found {
		(*c)[at].count += x.count
		return
	}
	if len(*c) == most {
		*c = (*c)[:most-1]
	}
	*c = slices.Insert(*c, at, x)
}

func (x component) compare(y component) int {
	return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.mean, y.mean), cmp.Compare(x.variance, y.variance))
}

// weight is how many Gaussians the components stand for.
func (c components) weight() float64 {
	sum := 0.0
	for _, x := range c {
		sum += x.count
	}
	return sum
}

// variance is that of the mixture of the components.
func (c components) variance() float64 {
	total, mean, sum := c.weight(), 0.0, 0.0
	for _, x := range c {
		mean += x.count * x.mean / total
	}
	for _, x := range c {
		sum += x.count * (x.variance + (x.mean-mean)*(x.mean-mean))
	}
	return sum / total
}

// spread is E|X − X'| of two independent draws of the mixture,
//
//	Σ_ij w_i w_j E|N(μ_i − μ_j, v_i + v_j)|,
//
// of the components times the ratio of their standard deviation to that of the whole mixture, of
// which the variance is given. If they are all of it, the ratio is 1.
func (c components) spread(variance float64) float64 {
	sum := 0.0
	for i, x := range c {
		own := 0.5 * x.count * meanDistance(0, math.Sqrt(2*x.variance), 0.5)
		for _, z := range c[:i] {
			m, sd := x.mean-z.mean, math.Sqrt(x.variance+z.variance)
			own += z.count * meanDistance(m, sd, normalCDF(m/sd))
		}
		sum += x.count * own
	}
	total := c.weight()
	return 2 * sum / (total * total) * math.Sqrt(variance/c.variance())
}

// quantile is where the distribution function of the mixture is p, by Newton steps kept inside a
// shrinking bracket: that of the components' own quantiles.
func (c components) quantile(p float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*p-1)
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range c {
		q := x.mean + z*math.Sqrt(x.variance)
		lo, hi = min(lo, q), max(hi, q)
	}
	total := c.weight()
	at := lo + (hi-lo)/2
	for range 200 {
		below, density := -p*total, 0.0
		for _, x := range c {
			sd := math.Sqrt(x.variance)
			u := (at - x.mean) / sd
			below += x.count * normalCDF(u)
			density += x.count * normalPDF(u) / sd
		}
		if below > 0 {
			hi = at
		} else {
			lo = at
		}
		next := at - below/density
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		if math.Abs(next-at) <= 1e-14*max(math.Abs(at), hi-lo) {
			return next
		}
		at = next
	}
	return at
}

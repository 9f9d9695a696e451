package metrics

import (
	"fmt"
	"math"
)

// Gaussian is the running posterior predictive of N inputs with D numbers each, an equal mixture
// over members of Gaussians,
//
//	p(y_n) = 1/K Σ_k Π_d N(y_nd; μ_k,nd, v_k,nd),
//
// fed with the members' means and variances one after another, in the unit of the targets. It knows
// the targets from the start, and so keeps sums only, never the K×N×D stream: the moments of the
// mixture, log Σ_k p_k(y_n), Σ_k F_k(y_nd) and Σ_k E|X_k − y_nd|. Of what takes pairs of members it
// keeps a bounded number of them, see [components].
type Gaussian struct {
	n, d    int
	y       []float64 // [N,D], nil without targets
	members int       // complete members
	row     int       // next row of the member being added

	mean  []float64 // [N,D] mean over the members of μ
	m2    []float64 // [N,D] Σ_k (μ_k − mean)²
	noise []float64 // [N,D] Σ_k v_k

	// With targets.
	logTop   []float64    // [N] max_k log p_k(y)
	logSum   []float64    // [N] Σ_k p_k(y) / e^logTop
	memberLL []float64    // [N] Σ_k log p_k(y)
	cdf      []float64    // [N,D] Σ_k F_k(y)
	distance []float64    // [N,D] Σ_k E|X_k − y|
	parts    []components // [N,D]
	most     int          // components kept of each
}

// NewGaussian returns the empty predictive of n inputs with d numbers each, for the targets y,
// [n,d] in row-major order. y is nil for inputs without targets, which have no metrics. A target
// that is NaN or infinite is an error.
func NewGaussian(n, d int, y []float64) (*Gaussian, error) {
	if n <= 0 || d <= 0 {
		panic(fmt.Sprintf("metrics: predictive of shape [%d %d]", n, d))
	}
	if y != nil {
		if err := checkTargets(n, d, y); err != nil {
			return nil, err
		}
	}
	g := &Gaussian{
		n: n, d: d, y: y,
		mean:  make([]float64, n*d),
		m2:    make([]float64, n*d),
		noise: make([]float64, n*d),
	}
	if y == nil {
		return g, nil
	}
	g.logTop, g.logSum, g.memberLL = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range g.logTop {
		g.logTop[i] = math.Inf(-1)
	}
	g.cdf, g.distance = make([]float64, n*d), make([]float64, n*d)
	g.parts = make([]components, n*d)
	g.most = mostComponents(n * d)
	return g, nil
}

// checkTargets refuses targets of another shape, and such as no prediction can meet.
func checkTargets(n, d int, y []float64) error {
	if len(y) != n*d {
		return fmt.Errorf("metrics: want %d targets of %d inputs, found %d numbers", n*d, n, len(y))
	}
	for i, t := range y {
		if math.IsNaN(t) || math.IsInf(t, 0) {
			return &RowError{Member: -1, Row: i / d, Column: i % d, Name: "target", Value: t, Problem: fmt.Sprintf("the target is %v", t)}
		}
	}
	return nil
}

// Members returns K, the number of complete members added so far.
func (g *Gaussian) Members() int { return g.members }

// Add appends rows, means and variances [m,D] in row-major order, to the member being added, as
// [Predictive.Add] does. A [*RowError] tells of a mean that is NaN or infinite and of a variance
// that is not above 0 and finite; any other error of lengths that differ or are not whole rows.
// After an error the predictive must not be used further.
func (g *Gaussian) Add(mean, variance []float64) error {
	if len(mean) != len(variance) {
		return fmt.Errorf("metrics: want as many variances as means, found %d and %d", len(variance), len(mean))
	}
	if len(mean)%g.d != 0 {
		return fmt.Errorf("metrics: %d numbers are not whole rows of %d targets", len(mean), g.d)
	}
	for ; len(mean) > 0; mean, variance = mean[g.d:], variance[g.d:] {
		for i, m := range mean[:g.d] {
			if math.IsNaN(m) || math.IsInf(m, 0) {
				return g.wrong(i, TheMean, m, fmt.Sprintf("mean is %v", m))
			}
			if v := variance[i]; !(v > 0) || math.IsInf(v, 0) {
				return g.wrong(i, TheVariance, v, fmt.Sprintf("variance is %v, want a positive number", v))
			}
		}
		g.addRow(mean[:g.d], variance[:g.d])
		if g.row++; g.row == g.n {
			g.row = 0
			g.members++
		}
	}
	return nil
}

func (g *Gaussian) wrong(column int, number Number, value float64, problem string) error {
	return &RowError{Member: g.members, Row: g.row, Column: column, Name: "target", Number: number, Value: value, Problem: problem}
}

// addRow adds the present member's Gaussian at the present row.
func (g *Gaussian) addRow(mean, variance []float64) {
	k := float64(g.members + 1)
	logp := 0.0
	for i, m := range mean {
		at, v := g.row*g.d+i, variance[i]
		delta := m - g.mean[at]
		g.mean[at] += delta / k
		g.m2[at] += delta * (m - g.mean[at])
		g.noise[at] += v
		if g.y == nil {
			continue
		}
		off, sd := g.y[at]-m, math.Sqrt(v)
		below := normalCDF(off / sd)
		g.cdf[at] += below
		g.distance[at] += meanDistance(off, sd, below)
		g.parts[at].add(component{mean: m, variance: v, count: 1}, g.most)
		logp += logNormal(off, v)
	}
	if g.y == nil {
		return
	}
	n := g.row
	g.memberLL[n] += logp
	switch {
	case math.IsInf(logp, -1): // adds nothing
	case logp > g.logTop[n]:
		g.logSum[n] = g.logSum[n]*math.Exp(g.logTop[n]-logp) + 1
		g.logTop[n] = logp
	default:
		g.logSum[n] += math.Exp(logp - g.logTop[n])
	}
}

// logNormal is log N(off; 0, v).
func logNormal(off, v float64) float64 {
	return -0.5 * (math.Log(2*math.Pi) + math.Log(v) + off*off/v)
}

// normalCDF is Φ(z).
func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// normalPDF is φ(z).
func normalPDF(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// meanDistance is E|X| of X ~ N(m, sd²), 2 sd φ(m/sd) + m (2Φ(m/sd) − 1), with below = Φ(m/sd).
// Source: Grimit et al. (2006), "The continuous ranked probability score for circular variables and
// its application to mesoscale forecast ensemble verification", equation 5.
func meanDistance(m, sd, below float64) float64 {
	return 2*sd*normalPDF(m/sd) + m*(2*below-1)
}

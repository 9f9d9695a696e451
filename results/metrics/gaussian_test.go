package metrics

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/backends/rng"
)

// numbers are predictions [K,N,D] with their targets.
type numbers struct {
	n, d            int
	y               []float64
	means, variance [][]float64
}

// written are the numbers of the tables below; the variances are 1/16 to 7/16.
func written() numbers {
	const k, n, d = 4, 7, 2
	p := numbers{n: n, d: d}
	for m := range k {
		var mean, variance []float64
		for i := range n {
			for j := range d {
				mean = append(mean, float64((7*m+5*i+3*j)%16)/8-1)
				variance = append(variance, float64(1+(3*m+i+2*j)%7)/16)
				if m == 0 {
					p.y = append(p.y, float64((11*i+4*j)%13)/8-.75)
				}
			}
		}
		p.means, p.variance = append(p.means, mean), append(p.variance, variance)
	}
	return p
}

// drawn are random predictions with targets drawn from those of the first member.
func drawn(k, n, d int, seed uint32) numbers {
	p := numbers{n: n, d: d}
	normal := func(stream uint32) []float64 {
		z, x := make([]float32, n*d), make([]float64, n*d)
		rng.Normal(z, rng.Key{seed, 5}, stream)
		for i, v := range z {
			x[i] = float64(v)
		}
		return x
	}
	for m := range uint32(k) {
		mean, variance := normal(3*m), normal(3*m+1)
		for i, v := range variance {
			variance[i] = math.Exp(v)
		}
		p.means, p.variance = append(p.means, mean), append(p.variance, variance)
	}
	p.y = normal(2)
	for i := range p.y {
		p.y[i] = p.means[0][i] + math.Sqrt(p.variance[0][i])*p.y[i]
	}
	return p
}

// evaluate adds the members in batches of up to so many rows, whatever member they belong to.
func (p numbers) evaluate(t *testing.T, batch int) *GaussianEvaluation {
	t.Helper()
	g, err := NewGaussian(p.n, p.d, p.y)
	if err != nil {
		t.Fatal(err)
	}
	mean, variance := slices.Concat(p.means...), slices.Concat(p.variance...)
	for at := 0; len(mean) > 0; at++ {
		size := min(p.d*(1+(at*7)%batch), len(mean))
		if err := g.Add(mean[:size], variance[:size]); err != nil {
			t.Fatal(err)
		}
		mean, variance = mean[size:], variance[size:]
	}
	if g.Members() != len(p.means) {
		t.Fatalf("%d members, want %d", g.Members(), len(p.means))
	}
	e, err := g.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (p numbers) scores(t *testing.T, batch int) map[string]float64 {
	t.Helper()
	s, err := p.evaluate(t, batch).Score()
	if err != nil {
		t.Fatal(err)
	}
	return values(s)
}

// samples takes the means as draws.
func (p numbers) samples(t *testing.T, floor float64) *SampleEvaluation {
	t.Helper()
	s, err := NewSamples(p.n, p.d, p.y, floor)
	if err != nil {
		t.Fatal(err)
	}
	flat := slices.Concat(p.means...)
	for at := 0; len(flat) > 0; at++ {
		size := min(1+at%5, len(flat))
		if err := s.Add(flat[:size]); err != nil {
			t.Fatal(err)
		}
		flat = flat[size:]
	}
	e, err := s.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func checkTable(t *testing.T, what string, got, want map[string]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d metrics, want %d", what, len(got), len(want))
	}
	for unit, w := range want {
		if g, ok := got[unit]; !ok || !(math.Abs(g-w) <= 1e-10) {
			t.Errorf("%s: %s = %.17g, want %.17g", what, unit, g, w)
		}
	}
}

// By scipy, from the definitions: the CRPS by integrate.quad of (F(x) − 1[x ≥ y])², the quantiles
// of the mixture by optimize.brentq, densities by stats.norm.
func TestGaussianTable(t *testing.T) {
	checkTable(t, "gaussian", written().scores(t, 3), map[string]float64{
		"rmse": 0.5255736661700513, "nll": 1.9622468231609882, "nll-gaussian": 1.7762337132981749,
		"crps": 0.31127354358770426, "crps-gaussian": 0.31219504243384361,
		"qce15": 0.13142857142857148, "qce15_rms": 0.14356965173029848, "qce15_max": 0.20714285714285724,
		"qce15-gaussian": 0.11142857142857146,
		"picp95":         0.9285714285714286, "mpiw95": 2.7333828216605638,
		"picp95-gaussian": 1, "mpiw95-gaussian": 2.8887800036647389,
		"sharpness": 0.73694721598230006, "sharpness_rms": 0.73913257558148138,
		"noise_sd": 0.5, "member_sd": 0.54435003838129226,
		"member_nll": 3.4156621610564599, "ambiguity": 1.4534153378954717,
	})
}

// By numpy: numpy.quantile, var with 1/K, and the double sum of the CRPS.
func TestSampleTable(t *testing.T) {
	checkTable(t, "samples", values(written().samples(t, 0).Score()), map[string]float64{
		"rmse": 0.5255736661700513, "nll-gaussian": 1.6958986159209999,
		"crps": 0.33035714285714285, "crps-fair": 0.23214285714285715, "crps-gaussian": 0.30605552367241368,
		"qce15": 0.11809523809523806, "qce15_rms": 0.14568627181693669, "qce15_max": 0.30714285714285705,
		"picp95": 0.6428571428571429, "mpiw95": 1.3160714285714283,
		"sharpness": 0.53909973057740268, "sharpness_rms": 0.54435003838129226,
	})
}

// The CRPS of a mixture is the integral of (F(x) − 1[x ≥ y])².
func TestCRPSByQuadrature(t *testing.T) {
	for seed := range uint32(3) {
		p := drawn(1+2*int(seed), 8, 1, seed)
		e := p.evaluate(t, 5)
		for i, y := range p.y {
			square := func(above float64) func(float64) float64 {
				return func(x float64) float64 {
					f := 0.0
					for k := range p.means {
						f += distuv.Normal{Mu: p.means[k][i], Sigma: math.Sqrt(p.variance[k][i])}.CDF(x) / float64(len(p.means))
					}
					return (f - above) * (f - above)
				}
			}
			want := 0.0
			for off := -64.; off < 64; off++ {
				above := 0.0
				if off >= 0 {
					above = 1
				}
				want += quad.Fixed(square(above), y+off, y+off+1, 32, nil, 0)
			}
			if got := e.PointCRPS(i); math.Abs(got-want) > 1e-8 {
				t.Errorf("seed %d, target %d: CRPS %.12g, by quadrature %.12g", seed, i, got, want)
			}
		}
	}
}

// Many draws of a mixture have its CRPS: the estimate from them, which is unbiased, is off by its
// sampling error.
func TestSampleCRPSAgainstClosedForm(t *testing.T) {
	const draws = 4000
	p := drawn(3, 20, 1, 1)
	closed := p.evaluate(t, 7)
	s := numbers{n: p.n, d: p.d, y: p.y}
	z, u := make([]float32, p.n), make([]uint32, p.n)
	for k := range uint32(draws) {
		rng.Normal(z, rng.Key{2, 2}, k)
		rng.Bits(u, rng.Key{3, 3}, k)
		row := make([]float64, p.n)
		for i := range row {
			m := u[i] % 3
			row[i] = p.means[m][i] + math.Sqrt(p.variance[m][i])*float64(z[i])
		}
		s.means = append(s.means, row)
	}
	e := s.samples(t, 0)
	// One target's estimate has a standard deviation of about sd/√draws.
	error1 := closed.Sharpness() / math.Sqrt(draws) / math.Sqrt(float64(p.n))
	if got, want := e.FairCRPS(), closed.CRPS(); math.Abs(got-want) > 4*error1 {
		t.Errorf("CRPS of %d draws %.6g, of the mixture %.6g, want within %.2g", draws, got, want, 4*error1)
	}
	if e.CRPS() <= e.FairCRPS() {
		t.Errorf("CRPS of the empirical distribution %v, want more than the unbiased %v", e.CRPS(), e.FairCRPS())
	}
}

// In a unit a quarter as large, so that numbers are four times as large, lengths are too, each
// target costs log 4 nats more, and shares stay.
func TestChangeOfUnits(t *testing.T) {
	const scale, offset = 4, 1024
	for _, d := range []int{1, 3} {
		p := drawn(4, 30, d, 7)
		want := p.scores(t, 9)
		q := numbers{n: p.n, d: p.d}
		for _, y := range p.y {
			q.y = append(q.y, offset+scale*y)
		}
		for k := range p.means {
			var mean, variance []float64
			for i, m := range p.means[k] {
				mean, variance = append(mean, offset+scale*m), append(variance, scale*scale*p.variance[k][i])
			}
			q.means, q.variance = append(q.means, mean), append(q.variance, variance)
		}
		for unit, got := range q.scores(t, 9) {
			w := want[unit]
			switch unit {
			case "nll", "nll-gaussian", "member_nll":
				w += float64(d) * math.Log(scale)
			case "rmse", "crps", "crps-gaussian", "mpiw95", "mpiw95-gaussian", "sharpness", "sharpness_rms", "noise_sd", "member_sd":
				w *= scale
			}
			if math.Abs(got-w) > 1e-9 {
				t.Errorf("%d targets: %s = %.12g, want %.12g", d, unit, got, w)
			}
		}
	}
}

// A mixture of one Gaussian is it, and so is one of its copies.
func TestMixtureOfOne(t *testing.T) {
	one := drawn(1, 40, 2, 3)
	copies := one
	for range 9 {
		copies.means, copies.variance = append(copies.means, one.means[0]), append(copies.variance, one.variance[0])
	}
	for name, p := range map[string]numbers{"one": one, "copies": copies} {
		got := p.scores(t, 11)
		for unit, v := range got {
			if same, ok := got[unit+"-gaussian"]; ok && math.Abs(same-v) > 1e-9 {
				t.Errorf("%s: %s of the mixture %v, of its moments %v", name, unit, v, same)
			}
		}
		if name == "copies" && (math.Abs(got["ambiguity"]) > 1e-9 || math.Abs(got["member_sd"]) > 1e-9) {
			t.Errorf("copies: ambiguity %v, member_sd %v, want 0", got["ambiguity"], got["member_sd"])
		}
		if _, ok := got["ambiguity"]; ok && name == "one" {
			t.Error("one member has an ambiguity")
		}
	}
}

// Targets drawn from the predictive are calibrated within sampling error, and those of half the
// standard deviation are not.
func TestQCEOfTheTrueModel(t *testing.T) {
	const n = 20000
	p := drawn(1, n, 1, 11)
	got := p.scores(t, n)
	// A share has a standard deviation of at most 1/√(4n); the 15 of them move together.
	most := 4 / math.Sqrt(4*n)
	if got["qce15"] > most || got["qce15_max"] > most || math.Abs(got["picp95"]-0.95) > most {
		t.Errorf("qce15 %v, its maximum %v, picp95 %v, want 0, 0, 0.95 within %.2g", got["qce15"], got["qce15_max"], got["picp95"], most)
	}
	for i, y := range p.y {
		p.y[i] = p.means[0][i] + (y-p.means[0][i])/2
	}
	// ĉ(α) is then 2Φ(2z) − 1 with 2Φ(z) − 1 = α.
	want := 0.0
	for _, level := range QCELevels() {
		z := distuv.UnitNormal.Quantile((1 + level) / 2)
		want += math.Abs(2*distuv.UnitNormal.CDF(2*z)-1-level) / 15
	}
	if got := p.scores(t, n)["qce15"]; math.Abs(got-want) > most {
		t.Errorf("qce15 of half the deviation %v, want %v", got, want)
	}
}

// shuffled returns the predictions in another order of members and of inputs.
func (p numbers) shuffled(seed uint32) numbers {
	q := numbers{n: p.n, d: p.d}
	order := rng.Perm(p.n, rng.Key{seed, 8}, 0)
	move := func(x []float64) (moved []float64) {
		for _, i := range order {
			moved = append(moved, x[int(i)*p.d:(int(i)+1)*p.d]...)
		}
		return moved
	}
	q.y = move(p.y)
	for _, k := range rng.Perm(len(p.means), rng.Key{seed, 9}, 0) {
		q.means, q.variance = append(q.means, move(p.means[k])), append(q.variance, move(p.variance[k]))
	}
	return q
}

func TestGaussianIgnoresOrder(t *testing.T) {
	for seed := range uint32(6) {
		p := drawn(1+3*int(seed), 23, 1+int(seed%3), seed)
		want := p.scores(t, 23)
		closeTo(t, "in batches", p.scores(t, 2), want, 0)
		closeTo(t, "shuffled", p.shuffled(seed).scores(t, 5), want, 1e-9)
		sampled := values(p.samples(t, 0).Score())
		closeTo(t, "samples shuffled", values(p.shuffled(seed).samples(t, 0).Score()), sampled, 1e-9)
	}
}

// Where members are more than are kept, the score of all is approached by those that the hash
// chooses, which are the same in every order.
func TestMoreMembersThanAreKept(t *testing.T) {
	const n, k, most = 30, 800, 50
	p := drawn(k, n, 1, 4)
	exact, part := 0.0, 0.0
	for i := range n {
		var all, kept, turned components
		for m := range k {
			all.add(component{mean: p.means[m][i], variance: p.variance[m][i], count: 1}, k)
			kept.add(component{mean: p.means[m][i], variance: p.variance[m][i], count: 1}, most)
			last := k - 1 - m
			turned.add(component{mean: p.means[last][i], variance: p.variance[last][i], count: 1}, most)
		}
		if len(kept) != most || !slices.Equal(kept, turned) {
			t.Fatalf("target %d: %d components are kept, or others in another order", i, len(kept))
		}
		exact += all.spread(all.variance()) / n
		part += kept.spread(all.variance()) / n
	}
	// Without the scale, the standard deviation would be about 1/√(most·n).
	if off := math.Abs(part/exact - 1); off > 1/math.Sqrt(most*n) {
		t.Errorf("E|X − X'| %.6g, of all members %.6g: off by %.2g", part, exact, off)
	}
	if got := mostComponents(1); got != mostKept {
		t.Errorf("%d components of one mixture, want %d", got, mostKept)
	}
	if got := mostComponents(1e6); got != fewestComponents {
		t.Errorf("%d components of each of a million mixtures, want %d", got, fewestComponents)
	}
	// Copies take the room of one, as often as they come between others.
	var few components
	for m := range 3 * k {
		few.add(component{mean: float64(m % 7), variance: 1, count: 1}, 64)
	}
	if len(few) != 7 || few.weight() != 3*k {
		t.Errorf("%d components of weight %v, want 7 of %d", len(few), few.weight(), 3*k)
	}
}

func TestMixtureQuantile(t *testing.T) {
	c := components{}
	for _, x := range []component{{mean: -50, variance: 1e-4, count: 3}, {mean: 0, variance: 1, count: 1}, {mean: 1e3, variance: 100, count: 4}} {
		c.add(x, 8)
	}
	for _, p := range []float64{1e-6, .025, .37, .375, .4, .5, .6, .975, 1 - 1e-9} {
		at, f := c.quantile(p), 0.0
		for _, x := range c {
			f += x.count / 8 * distuv.Normal{Mu: x.mean, Sigma: math.Sqrt(x.variance)}.CDF(at)
		}
		if math.Abs(f-p) > 1e-12 {
			t.Errorf("quantile %v is %v, where the distribution function is %v", p, at, f)
		}
	}
}

func TestGaussianErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, v := range []struct {
		mean, variance []float64
		want           string
	}{
		{[]float64{1, 2, 3, 4}, []float64{1, 1, 1, 0}, "member 0, row 1, target 1: variance is 0, want a positive number"},
		{[]float64{1, 2, 3, 4}, []float64{1, 1, -1, 1}, "member 0, row 1, target 0: variance is -1"},
		{[]float64{1, 2}, []float64{nan, 1}, "member 0, row 0, target 0: variance is NaN"},
		{[]float64{1, 2}, []float64{inf, 1}, "variance is +Inf"},
		{[]float64{1, 2, 3, 4, 5, -inf}, []float64{1, 1, 1, 1, 1, 1}, "member 1, row 0, target 1: mean is -Inf"},
		{[]float64{nan, 2}, []float64{1, 1}, "mean is NaN"},
		{[]float64{1, 2, 3}, []float64{1, 2, 3}, "3 numbers are not whole rows of 2 targets"},
		{[]float64{1, 2}, []float64{1}, "want as many variances as means, found 1 and 2"},
	} {
		g, err := NewGaussian(2, 2, []float64{1, 2, 3, 4})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Add(v.mean, v.variance); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%v %v: %v, want %q", v.mean, v.variance, err, v.want)
		}
	}
	for _, y := range [][]float64{{1, nan}, {inf, 1}, {1}, {1, 2, 3}} {
		if _, err := NewGaussian(2, 1, y); err == nil {
			t.Errorf("targets %v were taken", y)
		}
		if _, err := NewSamples(2, 1, y, 0); err == nil {
			t.Errorf("targets %v were taken for samples", y)
		}
	}
	g, err := NewGaussian(2, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Evaluate(); err == nil {
		t.Error("no member was evaluated")
	}
	if err := g.Add([]float64{1, 2, 3}, []float64{1, 1, 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Evaluate(); err == nil {
		t.Error("half a member was evaluated")
	}
	if err := g.Add([]float64{4}, []float64{1}); err != nil {
		t.Fatal(err)
	}
	e, err := g.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	if e.Mean[1] != 3 || e.Variance[1] != 2 || e.Noise[1] != 1 {
		t.Errorf("mean %v, variance %v, noise %v, want 3, 2, 1", e.Mean[1], e.Variance[1], e.Noise[1])
	}
	if _, err := e.Score(); err == nil {
		t.Error("predictions without targets were scored")
	}
	s, err := NewSamples(2, 1, []float64{0, 0}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add([]float64{1, 2, nan}); err == nil || !strings.Contains(err.Error(), "member 1, row 0, target 0: sample is NaN") {
		t.Errorf("a NaN among samples: %v", err)
	}
}

// Densities that are 0 in float64 cost infinitely much and not NaN, one member that gives the
// target a chance is enough, and a mean far away keeps the digits of the variance between members.
func TestExtremePredictions(t *testing.T) {
	hopeless := numbers{n: 1, d: 1, y: []float64{1e160}, means: [][]float64{{0}, {1}}, variance: [][]float64{{1}, {1e-3}}}
	if got := hopeless.evaluate(t, 1).NLL(); !math.IsInf(got, 1) {
		t.Errorf("NLL of a target out of reach is %v, want +Inf", got)
	}
	half := numbers{n: 1, d: 1, y: []float64{1e160}, means: [][]float64{{0}, {1e160}, {1}}, variance: [][]float64{{1}, {1}, {1}}}
	if got, want := half.evaluate(t, 1).NLL(), math.Log(3)+0.5*math.Log(2*math.Pi); math.Abs(got-want) > 1e-12 {
		t.Errorf("NLL with one member in reach is %v, want %v", got, want)
	}
	far := numbers{n: 1, d: 1, y: []float64{1e9}, means: [][]float64{{1e9}, {1e9 + 1}, {1e9 + 2}}, variance: [][]float64{{1e-6}, {1e-6}, {1e-6}}}
	if got := far.evaluate(t, 1).Between[0]; math.Abs(got-2./3) > 1e-9 {
		t.Errorf("variance between members far from 0 is %v, want 2/3", got)
	}
}

// The floor stands for the variance of draws that are all equal.
func TestSampleFloor(t *testing.T) {
	p := numbers{n: 2, d: 1, y: []float64{0, 1}, means: [][]float64{{1, 1}, {1, 3}}}
	if got, ok := values(p.samples(t, 0).Score())["nll-gaussian"]; ok {
		t.Errorf("nll-gaussian %v of draws that are all equal", got)
	}
	got := values(p.samples(t, 0.25).Score())["nll-gaussian"]
	want := 0.5*math.Log(2*math.Pi) + (0.5*math.Log(.25)+2+0.5)/2
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("nll-gaussian with a floor is %v, want %v", got, want)
	}
}

func TestKindOf(t *testing.T) {
	has := func(units ...string) func(string) bool {
		return func(unit string) bool { return slices.Contains(units, unit) }
	}
	for want, units := range map[Kind][]string{
		KindCategorical: {"nll", "error"}, KindGaussian: {"nll", "rmse"}, KindSamples: {"rmse", "crps"}, KindNone: {"flops"},
	} {
		if got := KindOf(has(units...)); got != want {
			t.Errorf("records with %v are %q, want %q", units, got, want)
		}
		for _, unit := range want.Headline() {
			if !slices.ContainsFunc(List(), func(m Metric) bool { return m.Unit == unit && m.Kind == want }) {
				t.Errorf("%s: headline %s is no metric of it", want, unit)
			}
		}
		if first := want.Headline(); len(first) > 0 && KindOf(has(first...)) != want {
			t.Errorf("%s: the headline %v is taken for %s", want, first, KindOf(has(first...)))
		}
	}
}

func BenchmarkGaussian(b *testing.B) {
	for _, shape := range [][2]int{{51, 1000}, {957, 1000}} {
		b.Run(fmt.Sprintf("N=%d,K=%d", shape[0], shape[1]), func(b *testing.B) {
			p := drawn(shape[1], shape[0], 1, 1)
			for b.Loop() {
				g, err := NewGaussian(p.n, p.d, p.y)
				if err != nil {
					b.Fatal(err)
				}
				for k := range p.means {
					if err := g.Add(p.means[k], p.variance[k]); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := g.Evaluate(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The reliability and the residuals that figures are drawn from hold each target once.
func TestCoverageAndResiduals(t *testing.T) {
	p := numbers{n: 4, d: 1, y: []float64{0, -3, 100, -100}, means: [][]float64{{0, -1, 0, 0}}, variance: [][]float64{{1, 4, 1, 1}}}
	e := p.evaluate(t, 1)
	// The distances from the mean, in standard deviations, are 0, 1 and 100 twice; 1 lies within
	// the central 68.3 %.
	c := e.Coverage()
	for i, level := range c.Levels {
		want := 0.25
		if level > 0.6827 {
			want = 0.5
		}
		if c.Shares[i] != want {
			t.Errorf("%v of the targets in the interval of level %v, want %v", c.Shares[i], level, want)
		}
	}
	if c.Samples != 1 || c.Targets != 4 || len(c.Levels) != 15 {
		t.Errorf("coverage at %d samples of %d targets at %d levels", c.Samples, c.Targets, len(c.Levels))
	}
	h := e.Residuals("set")
	if h.Data != "set" || len(h.Edges) != len(h.Counts)+1 || h.Edges[0] != -5 || h.Edges[len(h.Counts)] != 5 {
		t.Errorf("histogram %+v", h)
	}
	for i, count := range h.Counts {
		want := 0
		if i == 0 || i == len(h.Counts)-1 || h.Edges[i] == 0 || h.Edges[i] == -1 {
			want = 1
		}
		if count != want {
			t.Errorf("%d residuals from %v to %v, want %d", count, h.Edges[i], h.Edges[i+1], want)
		}
	}
}

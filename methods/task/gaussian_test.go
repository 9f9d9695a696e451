package task_test

import (
	"math"
	"slices"
	"testing"

	"bayesbench/backends"
	_ "bayesbench/backends/gomlx"
	_ "bayesbench/backends/gonum"
	_ "bayesbench/backends/gorgonia"
	"bayesbench/methods/task"

	"gonum.org/v1/gonum/stat/distuv"
)

// Means, second outputs, targets, and log p by torch.distributions.Normal in float64 with the
// variance exp(r), and softplus(r) + 1e-6.
var normals = []struct{ mean, r, y, exp, softplus float64 }{
	{0.16015625, -6, 0.09765625, 1.293114604504829, 1.2928741102998567},
	{-2.44921875, 5, -2.88671875, -3.4195833757885694, -1.743443622049764},
	{1.984375, -1.67578125, 2.0703125, -0.10077749478944831, -0.059069380462740934},
	{0.125, 0.37890625, 0.49609375, -1.1555306609758824, -0.9429717173007685},
	{-1.765625, -1.3828125, -1.78515625, -0.2282925708279098, -0.17138297639885325},
	{1.734375, -2.265625, 1.71875, 0.21269755737937798, 0.23751732394511454},
	{1.47265625, -1.2265625, 0.0703125, -3.6581534991857176, -4.06305456245345},
	{-2.17578125, -1.03125, -2.05859375, -0.42257098270276156, -0.3476574269334582},
}

// In float64 the log-density is torch's to 1e-10.
func TestLogProbOfTorch(t *testing.T) {
	var f, y []float64
	for _, c := range normals {
		f, y = append(f, c.mean, c.r), append(y, c.y)
	}
	for _, link := range []task.Link{task.Exp, task.Softplus} {
		l := task.Gaussian{Noise: task.Heteroscedastic, Link: link, Width: 1}
		logp := compile(t, l, len(normals)).at(nil, f, y)["logp"]
		for i, c := range normals {
			want := c.exp
			if link == task.Softplus {
				want = c.softplus
			}
			if math.Abs(logp[i]-want) > 1e-10 {
				t.Errorf("%s, row %d: log p is %v, want %v", link, i, logp[i], want)
			}
		}
	}
}

// Every backend agrees with float64 in all that a likelihood computes, to 1e-6.
func TestBackends(t *testing.T) {
	const rows = 64
	for _, driver := range backends.Drivers() {
		for _, name := range driver.Configs {
			t.Run(name, func(t *testing.T) {
				be, err := backends.Open(name)
				if err != nil {
					t.Skip(err) // says which plugin is missing
				}
				defer be.Close()
				for _, c := range likelihoodCases {
					p := compile(t, c.l, rows)
					f := make([]float64, 0, rows*len(c.f))
					y := make([]float64, c.l.Target(rows).Size())
					for row := range rows {
						for _, x := range c.f { // float32 holds them
							f = append(f, float64(float32(x+0.7*math.Sin(float64(len(f))))))
						}
						for i := range len(y) / rows {
							y[row*len(y)/rows+i] = float64(float32(math.Abs(math.Cos(float64(3*row + i)))))
						}
					}
					noise := make([]float64, len(c.noise))
					for i, x := range c.noise {
						noise[i] = float64(float32(x))
					}
					want := p.at(noise, f, y)
					for i, found := range run(t, be, p, map[string][]float64{"f": f, "y": y, "noise.log_var": noise}) {
						of := p.p.Results[i].Name
						size := 1.0 // of the sums' terms
						if len(found) < rows {
							size = rows
						}
						for k, x := range found {
							if w := want[of][k]; math.Abs(float64(x)-w) > 1e-6*(size+math.Abs(w)) {
								t.Fatalf("%s: %s[%d] is %v, want %v", c.name, of, k, x, w)
							}
						}
					}
				}
			})
		}
	}
}

// run evaluates the program on a backend.
func run(t *testing.T, be backends.Backend, p program, values map[string][]float64) [][]float32 {
	t.Helper()
	exe, err := be.Compile(p.p)
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	var args, results []backends.Buffer
	for _, v := range p.p.Params() {
		b, err := be.Alloc(p.p.Type(v))
		if err != nil {
			t.Fatal(err)
		}
		var narrow []float32
		for _, x := range values[p.p.Instrs[v].Name] {
			narrow = append(narrow, float32(x))
		}
		if err := b.Write(backends.Data{F32: narrow}); err != nil {
			t.Fatal(err)
		}
		args = append(args, b)
	}
	for _, r := range p.p.Results {
		b, err := be.Alloc(p.p.Type(r.Value))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, b)
	}
	if err := exe.Run(args, results); err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(results))
	for i, b := range results {
		out[i] = make([]float32, b.Type().Size())
		if err := b.Read(backends.Data{F32: out[i]}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The three noises meet where they say the same: an output, a parameter or a constant that gives a
// variance v. At small and large v too.
func TestNoisesMeet(t *testing.T) {
	y := []float64{0.3, -1.1}
	for _, v := range []float64{1e-6, 1e-3, 1, 7.5, 1e6} {
		s := math.Log(v)
		want := compile(t, task.Gaussian{Noise: task.Fixed, Width: 2, Variance: []float64{v, v}}, 1).at(nil, []float64{0.31, -1}, y)
		for name, found := range map[string]map[string][]float64{
			"exp":           compile(t, task.Gaussian{Noise: task.Heteroscedastic, Link: task.Exp, Width: 2}, 1).at(nil, []float64{0.31, -1, s, s}, y),
			"homoscedastic": compile(t, task.Gaussian{Noise: task.Homoscedastic, Width: 2}, 1).at([]float64{s, s}, []float64{0.31, -1}, y),
		} {
			for _, of := range []string{"logp", "gradient", "predict/mean", "predict/log_var"} {
				for i, w := range want[of] {
					if x := found[of][i]; math.Abs(x-w) > 1e-9*(1+math.Abs(w)) {
						t.Errorf("v = %v, %s: %s[%d] is %v, of fixed noise %v", v, name, of, i, x, w)
					}
				}
			}
		}
	}
}

// Beyond its bounds a log variance counts as the bound, and its gradient leads back: at the floor
// an error that is larger than the floor pushes the variance up, whatever the output is.
func TestVarianceIsBounded(t *testing.T) {
	p := compile(t, task.Gaussian{Noise: task.Heteroscedastic, Link: task.Exp, Width: 1}, 1)
	for _, c := range []struct{ r, v float64 }{
		{-14, 1e-6}, {-100, 1e-6}, {-1e30, 1e-6}, {14, 1e6}, {100, 1e6}, {1e30, 1e6},
	} {
		at := p.at(nil, []float64{0, c.r}, []float64{0.1})
		logp := distuv.Normal{Mu: 0, Sigma: math.Sqrt(c.v)}.LogProb(0.1)
		if math.Abs(at["logp"][0]-logp) > 1e-9*math.Abs(logp) {
			t.Errorf("r = %v: log p is %v, with the variance %v it is %v", c.r, at["logp"][0], c.v, logp)
		}
		if found := at["predict/log_var"][0]; math.Abs(found-math.Log(c.v)) > 1e-12 {
			t.Errorf("r = %v: the log variance is %v", c.r, found)
		}
		if g, want := at["gradient"][1], (0.01/c.v-1)/2; math.Abs(g-want) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("r = %v: the gradient of the log variance is %v, want %v", c.r, g, want)
		}
	}
	soft := compile(t, task.Gaussian{Noise: task.Heteroscedastic, Link: task.Softplus, Width: 1}, 1)
	for _, r := range []float64{-1e4, 1e4} {
		at := soft.at(nil, []float64{0, r}, []float64{0.1})
		if v := math.Exp(at["predict/log_var"][0]); math.Abs(v/(max(r, 0)+1e-6)-1) > 1e-9 {
			t.Errorf("softplus(%v) + 1e-6 is %v", r, v)
		}
	}
}

// −log p of the log variance is that of Gamma(1, 0.1) on the precision, with the density's change
// of variables, up to a constant.
func TestPriorOfTheNoise(t *testing.T) {
	l := task.Gaussian{Noise: task.Homoscedastic, Width: 2}
	p := compile(t, l, 1)
	prior := func(s ...float64) float64 { return p.at(s, []float64{0, 0}, []float64{0, 0})["prior"][0] }
	want := func(s float64) float64 { return -distuv.Gamma{Alpha: 1, Beta: 0.1}.LogProb(math.Exp(-s)) + s } // |dλ/ds| = λ
	for _, s := range []float64{-2.5, -0.4, 0.3, 1.9} {
		if found, want := prior(s, 0)-prior(0, 0), want(s)-want(0); math.Abs(found-want) > 1e-10 {
			t.Errorf("−log p(%v) + log p(0) is %v, want %v", s, found, want)
		}
		if both, each := prior(s, s)-prior(0, 0), 2*(prior(s, 0)-prior(0, 0)); math.Abs(both-each) > 1e-10 {
			t.Errorf("the prior of two numbers is %v, want twice that of one, %v", both, each)
		}
	}
	for _, other := range []task.Gaussian{{Noise: task.Heteroscedastic, Width: 1}, {Noise: task.Fixed, Width: 1, Variance: []float64{1}}} {
		if x := compile(t, other, 1).at(nil, make([]float64, other.Outputs()), []float64{0})["prior"][0]; x != 0 {
			t.Errorf("%s noise has a prior, %v", other.Noise, x)
		}
	}
}

// Of a mixture of Gaussians as teacher nothing but mean and variance enters.
func TestTaughtByAMixture(t *testing.T) {
	l := task.Gaussian{Noise: task.Heteroscedastic, Link: task.Exp, Width: 1}
	own, taught := compile(t, l, 1), compile(t, l.Taught(), 1)
	student := []float64{0.2, -0.5}
	want, mean, square := 0.0, 0.0, 0.0
	for _, member := range [][]float64{{-2, -3}, {1, 0.2}, {1.5, -1}} {
		c := likelihoodCase{"", l, nil, member}
		for _, o := range c.outcomes(t) {
			want += o.weight / 3 * own.at(nil, student, o.y)["logp"][0]
			mean += o.weight / 3 * o.y[0]
			square += o.weight / 3 * o.y[0] * o.y[0]
		}
	}
	found := taught.at(nil, student, []float64{mean, square - mean*mean})["logp"][0]
	if math.Abs(found-want) > 1e-10 {
		t.Errorf("log-density %v, the expectation over the mixture is %v", found, want)
	}
}

// The predictions of a row depend on no other row, and the order of y's numbers is that of f's.
func TestColumns(t *testing.T) {
	l := task.Gaussian{Noise: task.Heteroscedastic, Link: task.Exp, Width: 2}
	two := compile(t, l, 2).at(nil, []float64{1, 2, -1, -2, 3, 4, -3, -4}, []float64{0, 0, 0, 0})
	if m := two["predict/mean"]; !slices.Equal(m, []float64{1, 2, 3, 4}) {
		t.Errorf("means %v", m)
	}
	if s := two["predict/log_var"]; !slices.Equal(s, []float64{-1, -2, -3, -4}) {
		t.Errorf("log variances %v", s)
	}
}

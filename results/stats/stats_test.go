package stats

import (
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/internal/neartest"
)

// The numbers below were computed with scipy 1.17.1 by the function named at
// each. Bootstraps were given our resamples: the generator was written again in
// Python and handed to scipy.stats.bootstrap as its source of indices.

var diffs = []float64{0.5, -0.1, 0.7, 0.3, 0.9, 0.2, -0.05}

func TestPair(t *testing.T) {
	p := Pair(
		map[string]float64{"ten": 1, "b": 2, "seven": 3, "four": 4},
		map[string]float64{"b": 5, "ten": 6, "four": 7, "eight": 8},
		func(a, b string) int { return len(a) - len(b) })
	if !slices.Equal(p.Keys, []string{"b", "ten", "four"}) || !slices.Equal(p.Differences(), []float64{-3, -5, -3}) {
		t.Errorf("paired %v, differences %v", p.Keys, p.Differences())
	}
	if !slices.Equal(p.OnlyA, []string{"seven"}) || !slices.Equal(p.OnlyB, []string{"eight"}) {
		t.Errorf("unpaired %v and %v", p.OnlyA, p.OnlyB)
	}
}

func TestPairedT(t *testing.T) {
	test, ci := PairedT(diffs, 0.95) // ttest_1samp and its confidence_interval
	neartest.Within(t, "p", test.P, 0.04765838699049719, 1e-9)
	neartest.Within(t, "low", ci.Lo, 0.004985842178918842, 1e-9)
	neartest.Within(t, "high", ci.Hi, 0.6950141578210813, 1e-9)

	if test, ci := PairedT([]float64{1}, 0.95); test.P != 1 || !math.IsInf(ci.Hi, 1) || len(test.Warnings) == 0 {
		t.Errorf("one pair: %+v %+v", test, ci)
	}
	if test, _ := PairedT([]float64{2, 2, 2}, 0.95); test.P != 0 {
		t.Errorf("p of equal differences = %v, want 0", test.P)
	}
	if test, _ := PairedT([]float64{0, 0, 0}, 0.95); test.P != 1 {
		t.Errorf("p of no differences = %v, want 1", test.P)
	}
}

func TestSignFlip(t *testing.T) {
	neartest.Within(t, "p", SignFlip(diffs).P, 0.0625, 1e-9) // permutation_test(..., permutation_type="samples")
	for n := 1; n <= 8; n++ {
		d := make([]float64, n)
		for i := range d {
			d[i] = 0.1 * float64(i+1)
		}
		test := Paired(d)
		want := math.Pow(2, float64(1-n))
		neartest.Within(t, "smallest p", test.MinP, want, 1e-9)
		neartest.Within(t, "p of all positive", test.P, want, 1e-9)
		if few := n < 6; test.TooFew(0.05) != few || (test.P <= 0.05) == few || (len(test.Warnings) > 0) != few {
			t.Errorf("%d pairs: %+v", n, test)
		}
	}
	if p := SignFlip([]float64{0.1, -0.1, 0.2, -0.2}).P; p != 1 {
		t.Errorf("p of balanced differences = %v, want 1", p)
	}
	// Rounding must not break the tie of 0.1+0.2 with 0.3.
	if p := SignFlip([]float64{0.1, 0.2, -0.3}).P; p != 1 {
		t.Errorf("p of a sum of 0 but for rounding = %v, want 1", p)
	}
}

// A difference that is not finite decides nothing, in any test.
func TestInfiniteDifferences(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		d := []float64{1, 2, 3, 4, 5, 6, bad}
		student, _ := PairedT(d, 0.95)
		for _, test := range []Test{SignFlip(d), student} {
			if test.P != 1 || len(test.Warnings) != 1 {
				t.Errorf("%v among the differences: %+v", bad, test)
			}
		}
	}
}

// The Monte Carlo form against the normal approximation of 40 flips of ±1.
func TestSignFlipMonteCarlo(t *testing.T) {
	d := make([]float64, 40)
	for i := range d {
		d[i] = 1
		if i < 14 {
			d[i] = -1
		}
	}
	// |Σ| ≥ 12 of 40 fair signs: binomtest(14, 40).pvalue
	if got := SignFlip(d).P; math.Abs(got-0.08069) > 0.004 {
		t.Errorf("p = %v, want 0.0807", got)
	}
	if a, b := SignFlip(d).P, SignFlip(d).P; a != b {
		t.Errorf("p = %v, then %v", a, b)
	}
}

func TestUnpaired(t *testing.T) {
	a, b := []float64{4, 2, 3, 1}, []float64{5, 9, 7, 6}
	test := Unpaired(a, b)
	neartest.Within(t, "p", test.P, 0.02857142857142857, 1e-9) // mannwhitneyu(method="exact")
	neartest.Within(t, "smallest p", test.MinP, 0.02857142857142857, 1e-9)
	if !slices.Equal(a, []float64{4, 2, 3, 1}) {
		t.Errorf("the sample was sorted in place: %v", a)
	}
	if !Unpaired(a[:3], b[:3]).TooFew(0.05) {
		t.Error("3 and 3 runs were said to suffice")
	}
}

func TestBootstrapAgainstScipy(t *testing.T) {
	x := []float64{0.3, 1.2, 0.8, 5.1, 2.2, 0.1, 3.3, 0.9, 1.7}
	median := func(x []float64) float64 {
		s := slices.Sorted(slices.Values(x))
		return s[len(s)/2]
	}
	key := rng.Key{3, 4}
	for _, v := range []struct {
		name   string
		got    Interval
		lo, hi float64
	}{
		{"percentile of the mean", interval(x, Mean, 0.9, 500, key), 0.9444444444444444, 2.5894444444444447},
		{"percentile of the median", interval(x, median, 0.9, 500, key), 0.8, 2.2},
	} {
		neartest.Within(t, v.name+", low", v.got.Lo, v.lo, 1e-9)
		neartest.Within(t, v.name+", high", v.got.Hi, v.hi, 1e-9)
	}
}

// interval is the percentile interval of a statistic.
func interval(x []float64, statistic func([]float64) float64, confidence float64, reps int, key rng.Key) Interval {
	return percentile(replicates(x, statistic, reps, key), statistic(x), confidence)
}

// The 90 % intervals of the mean of 30 exponentials hold the true mean about
// that often.
func TestBootstrapCoverage(t *testing.T) {
	const trials = 400
	u := make([]float32, 30)
	x := make([]float64, 30)
	covered := 0
	for trial := range trials {
		rng.Uniform(u, rng.Key{9, 9}, uint32(trial))
		for i, v := range u {
			x[i] = -math.Log(1 - float64(v))
		}
		key := rng.Key{10, uint32(trial)}
		if ci := interval(x, Mean, 0.9, 400, key); ci.Lo <= 1 && 1 <= ci.Hi {
			covered++
		}
	}
	if share := float64(covered) / trials; share < 0.83 || share > 0.94 {
		t.Errorf("percentile intervals cover %.3f of the time, want about 0.9", share)
	}
}

func TestResampleIsUniform(t *testing.T) {
	counts := make([]int, 7)
	index := make([]int, 7)
	for r := range 3000 {
		resample(index, rng.Key{1, 2}, r)
		for _, i := range index {
			counts[i]++
		}
	}
	chi := 0.0
	for _, c := range counts {
		chi += (float64(c) - 3000) * (float64(c) - 3000) / 3000
	}
	if chi > 22.5 { // 0.999 quantile of 6 degrees of freedom
		t.Errorf("chi-squared %v of counts %v", chi, counts)
	}
}

func TestPairedBootstrap(t *testing.T) {
	a := []float64{.125, .5, .25, .875, .375, .25}
	b := []float64{.25, .375, .625, .75, .875, .375}
	test, ci, err := PairedBootstrap(a, b, 0.9, 200, rng.Key{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "p", test.P, 0.208955223880597, 1e-9)
	neartest.Within(t, "low", ci.Lo, -0.2916666666666667, 1e-9)
	neartest.Within(t, "high", ci.Hi, 0.0010416666666663113, 1e-9)
	if _, _, err := PairedBootstrap(a, b[:5], 0.9, 200, rng.Key{}); err == nil {
		t.Error("unequal numbers of points gave no error")
	}
}

func TestMcNemar(t *testing.T) {
	for _, v := range []struct {
		onlyA, n int
		p        float64 // binomtest(onlyA, n, 0.5).pvalue
	}{{3, 12, 0.14599609375}, {5, 10, 1}, {0, 4, 0.125}, {4, 4, 0.125}, {40, 110, 0.005447429511444476}, {0, 0, 1}} {
		var a, b []bool
		for i := range v.n {
			a, b = append(a, i < v.onlyA), append(b, i >= v.onlyA)
		}
		a, b = append(a, true, false), append(b, true, false)
		test, err := McNemar(a, b)
		if err != nil {
			t.Fatal(err)
		}
		neartest.Within(t, "p", test.P, v.p, 1e-9)
		if test.N != v.n {
			t.Errorf("%d points differ, want %d", test.N, v.n)
		}
	}
	if _, err := McNemar([]bool{true}, nil); err == nil {
		t.Error("unequal numbers of points gave no error")
	}
}

func TestMultiple(t *testing.T) {
	p := []float64{0.01, 0.04, 0.03, 0.005, 0.2}
	for i, want := range []float64{0.025, 0.05, 0.05, 0.025, 0.2} { // false_discovery_control
		neartest.Within(t, "Benjamini-Hochberg", BenjaminiHochberg(p)[i], want, 1e-9)
	}
	// by hand: 5·.005, 4·.01, 3·.03, max(·, 2·.04), .2
	for i, want := range []float64{0.04, 0.09, 0.09, 0.025, 0.2} {
		neartest.Within(t, "Holm", Holm(p)[i], want, 1e-9)
	}
	if len(Holm(nil)) != 0 || len(BenjaminiHochberg(nil)) != 0 {
		t.Error("no tests gave adjusted values")
	}
}

func TestTOST(t *testing.T) {
	ours := []float64{1.90, 1.95, 1.88, 1.99, 1.93}
	for _, v := range []struct {
		published    Published
		p, different float64
		warns        string
	}{
		// ttest_ind_from_stats(equal_var=False), one-sided at ∓0.1 and two-sided
		{Published{1.92, 0.05, SD, 5}, 0.008105151493217638, 0.7435040220917445, ""},
		{Published{1.92, 0.05 / math.Sqrt(5), SE, 5}, 0.008105151493217638, 0.7435040220917445, ""},
		// ttest_1samp
		{Published{Mean: 1.92}, 0.0047278044965235674, 0.6305953529779117, "taken as exact"},
		{Published{Mean: 1.92, Spread: 0.05}, 0.0047278044965235674, 0.6305953529779117, "does not say"},
		{Published{Mean: 1.92, Spread: 0.05, Kind: SD}, 0.0047278044965235674, 0.6305953529779117, "runs is unknown"},
	} {
		e, err := TOST(ours, v.published, 0.1, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		neartest.Within(t, "p of equivalence", e.P, v.p, 1e-9)
		neartest.Within(t, "p of difference", e.PDifferent, v.different, 1e-9)
		if e.Verdict != Equivalent || e.Difference.Lo < -0.1 || e.Difference.Hi > 0.1 {
			t.Errorf("%+v", e)
		}
		if v.warns == "" && len(e.Warnings) > 0 || v.warns != "" && (len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0].Error(), v.warns)) {
			t.Errorf("%+v: warnings %v, want %q", v.published, e.Warnings, v.warns)
		}
	}
	// ttest_1samp(...).confidence_interval(0.9), minus 1.92
	e, err := TOST(ours, Published{Mean: 1.92}, 0.1, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "low", e.Difference.Lo, 1.8889931083043672-1.92, 1e-9)
	neartest.Within(t, "high", e.Difference.Hi, 1.9710068916956331-1.92, 1e-9)

	if e, _ := TOST(ours, Published{Mean: 1.5}, 0.1, 0.05); e.Verdict != Different {
		t.Errorf("0.43 away: %v", e.Verdict)
	}
	if e, _ := TOST([]float64{1, 3}, Published{Mean: 1.9}, 0.1, 0.05); e.Verdict != Undecided {
		t.Errorf("two scattered runs: %v", e.Verdict)
	}
	if _, err := TOST(ours[:1], Published{Mean: 1.9}, 0.1, 0.05); err == nil {
		t.Error("one run was tested")
	}
	if _, err := TOST(ours, Published{Mean: 1.9}, 0, 0.05); err == nil {
		t.Error("a margin of 0 was taken")
	}
}

func TestAggregates(t *testing.T) {
	neartest.Within(t, "IQM", IQM([][]float64{{1, 2, 3, 4, 5}, {6, 7, 8, 9, 100}}), 5.5, 1e-9) // trim_mean(..., 0.25)
	neartest.Within(t, "IQM of three", IQM([][]float64{{3, 1, 2}}), 2, 1e-9)
	a := [][]float64{{.1, .5, .2}, {.9, .4, .3, .8}}
	b := [][]float64{{.3, .1}, {.5, .2, .4}}
	iqm := IQMInterval(a, 0.95, 300, rng.Key{5, 6})
	neartest.Within(t, "IQM", iqm.Center, 0.44000000000000006, 1e-9)
	neartest.Within(t, "IQM, low", iqm.Lo, 0.26, 1e-9)
	neartest.Within(t, "IQM, high", iqm.Hi, 0.68, 1e-9)
	pi := ImprovementInterval(a, b, 0.95, 300, rng.Key{5, 6}) // mannwhitneyu(x, y).statistic / (n·m), averaged
	neartest.Within(t, "probability of improvement", pi.Center, 0.6458333333333334, 1e-9)
	neartest.Within(t, "probability of improvement, low", pi.Lo, 0.25, 1e-9)
	neartest.Within(t, "probability of improvement, high", pi.Hi, 0.9166666666666667, 1e-9)
}

func TestSummary(t *testing.T) {
	mean, sd := Summarise([]float64{1.90, 1.95, 1.88, 1.99, 1.93})
	neartest.Within(t, "mean", mean, 1.93, 1e-9)
	neartest.Within(t, "sd", SD.Of(sd, 5), 0.043011626335213174, 1e-9)
	neartest.Within(t, "se", SE.Of(sd, 5), 0.043011626335213174/math.Sqrt(5), 1e-9)
	neartest.Within(t, "ci95", CI95.Of(sd, 5), 0.0534059879246271, 1e-9) // t.ppf(.975, 4)·sd/√5
	if mean, sd := Summarise([]float64{1.9}); mean != 1.9 || !math.IsNaN(sd) || !math.IsNaN(SE.Of(sd, 1)) {
		t.Errorf("one seed: %v ± %v", mean, sd)
	}
}

// Under the null hypothesis no test rejects more often than it says.
func TestNoFalseStars(t *testing.T) {
	const trials = 2000
	z := make([]float32, 8)
	d := make([]float64, 8)
	rejected := map[string]int{}
	for trial := range trials {
		rng.Normal(z, rng.Key{20, 0}, uint32(trial))
		for i, v := range z {
			d[i] = float64(v)
		}
		student, _ := PairedT(d, 0.95)
		for name, test := range map[string]Test{"sign flip": SignFlip(d), "t": student, "Mann-Whitney": Unpaired(d[:4], d[4:])} {
			if test.P <= 0.05 {
				rejected[name]++
			}
			if test.P < test.MinP-1e-12 || test.P > 1 {
				t.Fatalf("%s: p = %v, smallest %v", name, test.P, test.MinP)
			}
		}
	}
	// 0.05 + 3 standard errors of 2000 trials
	for name, n := range rejected {
		if share := float64(n) / trials; share > 0.065 {
			t.Errorf("%s rejects a true null hypothesis %.3f of the time", name, share)
		}
	}
	if n := rejected["t"]; n < 70 {
		t.Errorf("the t test rejects only %d of %d times", n, trials)
	}
}

// Equal values have no spread, however their sum rounds.
func TestSummariseEqualValues(t *testing.T) {
	for _, v := range []float64{12.738853503184714, 0.1, 1e300, 5e-324, math.Inf(1)} {
		if mean, sd := Summarise([]float64{v, v, v}); mean != v || sd != 0 {
			t.Errorf("three times %v: mean %v, deviation %v", v, mean, sd)
		}
	}
	if _, sd := Summarise([]float64{0.3, 0.1 + 0.2, 0.3}); sd != 0 {
		t.Errorf("values that differ in their last bit have the deviation %v", sd)
	}
	if _, sd := Summarise([]float64{0.3, 0.3 + 1e-12, 0.3}); sd == 0 {
		t.Error("values that differ by 1e-12 have no deviation")
	}
}

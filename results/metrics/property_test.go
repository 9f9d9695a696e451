package metrics

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/results"
	"golang.org/x/perf/benchproc"
	"golang.org/x/perf/benchunit"
)

// randomMembers returns k matrices of logits with ties in neither confidence
// nor class, and labels that the first classes of the rows make likely.
func randomMembers(k, n, c int, seed uint32) (members [][][]float64, labels []int) {
	z := make([]float32, c)
	for i := range k {
		m := make([][]float64, n)
		for r := range m {
			rng.Normal(z, rng.Key{seed, uint32(i)}, uint32(r))
			for _, x := range z {
				m[r] = append(m[r], 3*float64(x))
			}
		}
		members = append(members, m)
	}
	y := make([]uint32, n)
	rng.Bits(y, rng.Key{seed, 77}, 0)
	for r, w := range y {
		label := slices.Index(members[0][r], slices.Max(members[0][r]))
		if w%3 == 0 {
			label = int(w>>8) % c
		}
		labels = append(labels, label)
	}
	return members, labels
}

func scores(t *testing.T, e *Evaluation) map[string]float64 {
	t.Helper()
	s, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	return values(s)
}

// all returns the scores of every family that predictions have.
func all(t *testing.T, labels []int, members [][][]float64) map[string]float64 {
	t.Helper()
	e := evaluate(t, Logits, labels, members...)
	other, _ := randomMembers(2, len(labels), e.C, 99)
	out := evaluate(t, Logits, labels, other...)
	s, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []func(a, b *Evaluation) ([]results.Value, error){ScoreOOD, ScoreAdversarial} {
		more, err := f(e, out)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, more...)
	}
	return values(s)
}

func equal(t *testing.T, what string, got, want map[string]float64, except ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d metrics, want %d", what, len(got), len(want))
	}
	for unit, w := range want {
		if slices.ContainsFunc(except, func(p string) bool { return strings.HasPrefix(unit, p) }) {
			continue
		}
		if g, ok := got[unit]; !ok || math.Abs(g-w) > 1e-9 {
			t.Errorf("%s: %s = %v, want %v", what, unit, g, w)
		}
	}
}

func TestPermutationOfClasses(t *testing.T) {
	for seed := range uint32(5) {
		members, labels := randomMembers(3, 101, 7, seed)
		perm := rng.Perm(7, rng.Key{seed, 6}, 1)
		moved := make([][][]float64, 3)
		movedLabels := make([]int, len(labels))
		for k := range members {
			for _, row := range members[k] {
				r := make([]float64, 7)
				for c, to := range perm {
					r[to] = row[c]
				}
				moved[k] = append(moved[k], r)
			}
		}
		for n, y := range labels {
			movedLabels[n] = int(perm[y])
		}
		want := scores(t, evaluate(t, Logits, labels, members...))
		equal(t, "classes permuted", scores(t, evaluate(t, Logits, movedLabels, moved...)), want)
	}
}

func TestOrderOfMembers(t *testing.T) {
	members, labels := randomMembers(4, 60, 6, 1)
	want := all(t, labels, members)
	slices.Reverse(members)
	equal(t, "members reversed", all(t, labels, members), want)
}

func TestCopiesOfOneMember(t *testing.T) {
	members, labels := randomMembers(1, 80, 6, 2)
	one := all(t, labels, members)
	for _, k := range []int{2, 3, 10} {
		var copies [][][]float64
		for range k {
			copies = append(copies, members[0])
		}
		many := all(t, labels, copies)
		for unit, v := range many {
			w, ok := one[unit]
			switch {
			case ok && math.Abs(v-w) > 1e-9:
				t.Errorf("%d copies: %s = %v, one has %v", k, unit, v, w)
			case !ok && strings.HasSuffix(unit, "-mi"):
				// the scores of the other set vary, those of this one are 0
			case !ok && math.Abs(v) > 1e-9:
				t.Errorf("%d copies: %s = %v, want 0", k, unit, v)
			}
		}
	}
}

func TestPerfectPredictor(t *testing.T) {
	const n, c = 40, 8
	rows, labels := make([][]float64, n), make([]int, n)
	for i := range rows {
		rows[i] = make([]float64, c)
		labels[i] = i % c
		rows[i][labels[i]] = 1
	}
	got := scores(t, evaluate(t, Probabilities, labels, rows))
	for unit, want := range map[string]float64{
		"accuracy": 1, "error": 0, "top5": 1, "nll": 0, "brier_sum": 0, "brier_mean": 0,
		"ece15-lorc": 0, "mce15-lorc": 0, "rmsce15-lorc": 0, "adaptive_ece15": 0, "sce15-lorc": 0,
		"ace15": 0, "tace15-1e-3": 0, "confidence": 1, "entropy": 0, "aurc": 0, "eaurc": 0,
		"aurc-trapz": 0, "augrc": 0, "eaugrc": 0, "augrc-trapz": 0, "calibrated_ll": 0, "calibrated_brier_sum": 0,
		"accuracy-reject10": 1, "accuracy-reject50": 1, "member_nll": 0, "member_error": 0,
	} {
		if v, ok := got[unit]; !ok || math.Abs(v-want) > 1e-9 {
			t.Errorf("%s = %v, want %v", unit, v, want)
		}
	}
	for _, unit := range []string{"misclass-auroc-entropy", "disagreement-normalised"} {
		if v, ok := got[unit]; ok {
			t.Errorf("%s = %v without an error to detect", unit, v)
		}
	}
}

func TestUniformPredictor(t *testing.T) {
	const n, c = 40, 8
	rows, labels := make([][]float64, n), make([]int, n)
	for i := range rows {
		rows[i] = slices.Repeat([]float64{math.Log(1. / c)}, c)
		labels[i] = i % c
	}
	got := scores(t, evaluate(t, LogProbs, labels, rows))
	for unit, want := range map[string]float64{
		"accuracy": 1. / c, "nll": math.Log(c), "entropy": math.Log(c), "top5": 5. / c,
		"brier_sum": 1 - 1./c, "brier_mean": (1 - 1./c) / c, "ece15-lorc": 0, "sce15-lorc": 0,
		"confidence": 1. / c, "calibrated_ll": -math.Log(c),
	} {
		if v, ok := got[unit]; !ok || math.Abs(v-want) > 1e-9 {
			t.Errorf("%s = %v, want %v", unit, v, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for seed := range uint32(20) {
		members, labels := randomMembers(1+int(seed%4), 30+int(seed), 2+int(seed%9), seed)
		for unit, v := range all(t, labels, members) {
			lo, hi := 0.0, 1.0
			switch {
			case unit == "nll" || unit == "member_nll":
				hi = -logFloor
			case unit == "calibrated_ll":
				lo, hi = logFloor, 0
			case unit == "brier_sum" || unit == "calibrated_brier_sum":
				hi = 2
			case unit == "entropy" || unit == "mutual_information":
				hi = math.Log(float64(len(members[0][0])))
			case unit == "temperature":
				lo, hi = minTemperature, maxTemperature
			case unit == "ambiguity" || unit == "pairwise_kl" || unit == "adv-nll" || unit == "disagreement-normalised":
				hi = math.Inf(1)
			}
			if v < lo-1e-12 || v > hi+1e-12 {
				t.Errorf("seed %d: %s = %v, outside [%v, %v]", seed, unit, v, lo, hi)
			}
		}
	}
}

// Detect against its definition, pair by pair, with many ties.
func TestDetectByDefinition(t *testing.T) {
	for seed := range uint32(20) {
		var words [60]uint32
		rng.Bits(words[:], rng.Key{seed, 0}, 0)
		var neg, pos []float64
		for i, w := range words {
			if i%3 == 0 {
				pos = append(pos, float64(w%7))
			} else {
				neg = append(neg, float64(w%6))
			}
		}
		wins := 0.0
		fpr := 1.0
		for _, p := range pos {
			for _, n := range neg {
				switch {
				case p > n:
					wins++
				case p == n:
					wins += 0.5
				}
			}
			tp, fp := above(pos, p), above(neg, p)
			if float64(tp) >= 0.95*float64(len(pos)) {
				fpr = min(fpr, float64(fp)/float64(len(neg)))
			}
		}
		d := Detect(neg, pos)
		if want := wins / float64(len(neg)*len(pos)); math.Abs(d.AUROC-want) > 1e-12 {
			t.Errorf("AUROC = %v, want %v", d.AUROC, want)
		}
		if d.FPR95 != fpr {
			t.Errorf("FPR95 = %v, want %v", d.FPR95, fpr)
		}
		// Positives and negatives exchanged and the score turned round.
		minus := func(x []float64) []float64 {
			y := slices.Clone(x)
			for i := range y {
				y[i] = -y[i]
			}
			return y
		}
		turned := Detect(minus(pos), minus(neg))
		if math.Abs(turned.AUROC-d.AUROC) > 1e-12 || turned.APPositive != d.APNegative || turned.TrapezoidPositive != d.TrapezoidNegative {
			t.Errorf("turned round: %+v, straight: %+v", turned, d)
		}
	}
}

func above(x []float64, threshold float64) (n int) {
	for _, v := range x {
		if v >= threshold {
			n++
		}
	}
	return n
}

// A member may come in pieces of any number of rows, in float32 or float64.
func TestChunks(t *testing.T) {
	members, labels := randomMembers(3, 50, 4, 8)
	var flat []float64
	var flat32 []float32
	for _, m := range members {
		for _, row := range m {
			for _, x := range row {
				flat = append(flat, float64(float32(x)))
				flat32 = append(flat32, float32(x))
			}
		}
	}
	whole, pieces := NewPredictive(50, 4), NewPredictive(50, 4)
	if err := whole.Add64(Logits, flat); err != nil {
		t.Fatal(err)
	}
	for rows := 1; len(flat32) > 0; rows++ {
		end := min(4*rows, len(flat32))
		if err := pieces.Add(Logits, flat32[:end]); err != nil {
			t.Fatal(err)
		}
		flat32 = flat32[end:]
		if _, err := pieces.Evaluate(labels); len(flat32) > 0 && pieces.row != 0 && err == nil {
			t.Error("half a member was evaluated")
		}
	}
	a, err := whole.Evaluate(labels)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pieces.Evaluate(labels)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range scores(t, a) {
		if got := scores(t, b)[i]; got != s {
			t.Errorf("%s = %v in pieces, %v whole", i, got, s)
		}
	}
}

// Scores at a smaller K do not disturb those at a larger one.
func TestScoresOnTheWay(t *testing.T) {
	members, labels := randomMembers(4, 50, 6, 3)
	p := NewPredictive(50, 6)
	for k, m := range members {
		for _, row := range m {
			if err := p.Add64(Logits, row); err != nil {
				t.Fatal(err)
			}
		}
		if p.Members() != k+1 {
			t.Fatalf("%d members, want %d", p.Members(), k+1)
		}
		e, err := p.Evaluate(labels)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("K=", k+1), scores(t, e), scores(t, evaluate(t, Logits, labels, members[:k+1]...)))
	}
}

func TestBadPredictions(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, v := range []struct {
		form Form
		rows []float64
		want string
	}{
		{LogProbs, []float64{math.Log(.5), math.Log(.5), nan, 0}, "member 0, row 1, class 0: log-probability is NaN"},
		{LogProbs, []float64{1.1, 2}, "member 0, row 0: log-probabilities sum to 10.3932, want 1 within 0.001"},
		{LogProbs, []float64{1, 2}, "member 0, row 0: log-probabilities sum to 10.1073, want 1 within 0.0156"}, // both fit bfloat16
		{LogProbs, []float64{inf, 0}, "member 0, row 0: log-probabilities sum to +Inf"},
		{Probabilities, []float64{.5, .5, .5, .4}, "member 0, row 1: probabilities sum to 0.9, want 1"},
		{Probabilities, []float64{1.5, -.5}, "member 0, row 0, class 1: probability is -0.5"},
		{Logits, []float64{1, 2, 3, 4, 5, -inf}, "member 1, row 0, class 1: logit is -Inf"},
		{Logits, []float64{1, 2, 3}, "3 numbers are not whole rows of 2 classes"},
	} {
		err := NewPredictive(2, 2).Add64(v.form, v.rows)
		if err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%v %v: %v, want %q", v.form, v.rows, err, v.want)
		}
	}
	p := NewPredictive(2, 2)
	if _, err := p.Evaluate(nil); err == nil {
		t.Error("no member was evaluated")
	}
	if err := p.Add64(Logits, []float64{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	for _, labels := range [][]int{{0}, {0, 2}, {-1, 0}} {
		if _, err := p.Evaluate(labels); err == nil {
			t.Errorf("labels %v were taken", labels)
		}
	}
	e, err := p.Evaluate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Score(); err == nil {
		t.Error("predictions without labels were scored")
	}
}

// Units must pass unchanged through benchstat: no rescaling, and no quoting in
// a filter.
func TestUnitsAreBenchstatSafe(t *testing.T) {
	for _, m := range List() {
		if v, unit := benchunit.Tidy(1, m.Unit); v != 1 || unit != m.Unit {
			t.Errorf("%s becomes %v %s", m.Unit, v, unit)
		}
		if strings.ContainsFunc(m.Unit, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("unit %q holds blanks or non-ASCII characters", m.Unit)
		}
		if _, err := benchproc.NewFilter(".unit:" + m.Unit); err != nil {
			t.Errorf("%s in a filter: %v", m.Unit, err)
		}
		if m.Short == "" || strings.Contains(m.Short, "\n") {
			t.Errorf("%s: description %q is not one line", m.Unit, m.Short)
		}
		if got, ok := Lookup(m.Unit); !ok || got.Unit != m.Unit {
			t.Errorf("%s is not found", m.Unit)
		}
	}
}

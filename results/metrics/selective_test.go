package metrics

import (
	"math"
	"testing"

	"bayesbench/internal/neartest"
)

// twoClass returns an evaluation of two classes: input n is predicted as class
// 0 with the given confidence, and is of class 0 where right.
func twoClass(t *testing.T, confidence []float64, right []bool) *Evaluation {
	t.Helper()
	rows, labels := make([][]float64, len(right)), make([]int, len(right))
	for n, q := range confidence {
		rows[n] = []float64{q, 1 - q}
		if !right[n] {
			labels[n] = 1
		}
	}
	return evaluate(t, Probabilities, labels, rows)
}

func TestAccuracyAtRejection(t *testing.T) {
	e := twoClass(t,
		[]float64{.55, .95, .6, .9, .65, .85, .7, .8, .75, .99},
		[]bool{false, true, false, true, true, true, false, true, true, true})
	for share, want := range map[float64]float64{0: .7, .1: 7. / 9, .2: 7. / 8, .29: 7. / 8, .3: 6. / 7, .5: 1, .9: 1} {
		if got := Risks(e).AccuracyAtRejection(share); math.Abs(got-want) > 1e-15 {
			t.Errorf("accuracy at %v rejected = %v, want %v", share, got, want)
		}
	}
}

// Among equal confidences each input counts as the error rate of them all.
func TestRisksOfTies(t *testing.T) {
	e := twoClass(t, []float64{.8, .9, .8, .8, .8}, []bool{true, true, false, true, false})
	for i, want := range []float64{0, 1. / 4, 1. / 3, 3. / 8, 2. / 5} {
		if got := Risks(e)[i]; math.Abs(got-want) > 1e-15 {
			t.Errorf("risk %d = %v, want %v", i, got, want)
		}
	}
	// AURC* of two errors in five: (0 + 0 + 0 + 1/4 + 2/5)/5
	if got, want := Risks(e).Excess(), Risks(e).Area()-(1./4+2./5)/5; math.Abs(got-want) > 1e-15 {
		t.Errorf("E-AURC = %v, want %v", got, want)
	}
}

// AUGRC is (1 − AUROC)·e(1 − e) + e²/2, with and without ties.
func TestGeneralisedRiskByAUROC(t *testing.T) {
	for _, v := range []struct {
		confidence []float64
		right      []bool
	}{
		{[]float64{.55, .95, .6, .9, .65, .85, .7, .8, .75, .99}, []bool{false, true, false, true, true, true, false, true, true, true}},
		{[]float64{.8, .9, .8, .8, .8, .9, .6}, []bool{true, true, false, true, false, false, true}},
		{[]float64{.8, .8, .8}, []bool{true, false, false}},
		{[]float64{.9, .8, .7, .6}, []bool{true, true, false, false}},
		{[]float64{.6, .7, .8, .9}, []bool{true, true, false, false}},
	} {
		got := scores(t, twoClass(t, v.confidence, v.right))
		e, auroc := got["error"], got["misclass-auroc-maxprob"]
		neartest.Within(t, "AUGRC", got["augrc"], (1-auroc)*e*(1-e)+e*e/2, 1e-9)
		neartest.Within(t, "e-AUGRC", got["eaugrc"], (1-auroc)*e*(1-e), 1e-9)
	}
	for _, right := range []bool{true, false} {
		got, want := scores(t, twoClass(t, []float64{.9, .8}, []bool{right, right})), 0.
		if !right {
			want = 0.5
		}
		neartest.Within(t, "AUGRC of one outcome", got["augrc"], want, 1e-9)
		neartest.Within(t, "e-AUGRC of one outcome", got["eaugrc"], 0, 1e-9)
		if v, ok := got["misclass-auroc-maxprob"]; ok {
			t.Errorf("failure AUROC %v of one outcome", v)
		}
	}
}

// By hand: of five accepted in turn, 0, 1, 1, 1, 2 are wrong; (0/2 + 1 + 1 + 1 + 2/2)/25 of them,
// the trapezoids from (0, 0) on.
func TestGeneralisedRiskByHand(t *testing.T) {
	e := twoClass(t, []float64{.95, .9, .85, .8, .75}, []bool{true, false, true, true, false})
	neartest.Within(t, "AUGRC", Risks(e).Generalised(), 4./25, 1e-9)
	neartest.Within(t, "e-AUGRC", Risks(e).GeneralisedExcess(), 4./25-.08, 1e-9)
}

func TestAdversarial(t *testing.T) {
	clean := twoClass(t, []float64{.9, .8, .7, .6}, []bool{true, true, false, true})
	attacked := evaluate(t, Probabilities, clean.Labels, [][]float64{{.4, .6}, {.8, .2}, {.1, .9}, {.3, .7}})
	scores, err := ScoreAdversarial(clean, attacked)
	if err != nil {
		t.Fatal(err)
	}
	got := values(scores)
	for unit, want := range map[string]float64{
		"adv-accuracy": 0.5, "adv-success": 2. / 3,
		// uncertainty clean .1 .2 .3 .4, attacked .4 .2 .1 .3
		"adv-auroc-maxprob": 0.5,
	} {
		if math.Abs(got[unit]-want) > 1e-12 {
			t.Errorf("%s = %v, want %v", unit, got[unit], want)
		}
	}
	if _, err := ScoreAdversarial(clean, twoClass(t, []float64{.9, .8, .7, .6}, []bool{true, true, true, true})); err == nil {
		t.Error("attacked inputs of other labels were scored")
	}
	if _, err := ScoreReference(clean, twoClass(t, []float64{.9}, []bool{true})); err == nil {
		t.Error("a reference of other inputs was scored")
	}
	if _, err := ScoreOOD(clean, evaluate(t, Probabilities, nil, [][]float64{{.2, .3, .5}})); err == nil {
		t.Error("out-of-distribution predictions of other classes were scored")
	}
}

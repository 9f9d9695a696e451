package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"bayesbench/internal/neartest"
	"bayesbench/results"
)

// golden holds values computed in float64 with numpy, scipy and scikit-learn
// from the logits beside them; "ensemble" is the average of the probabilities
// of logits and other_members.
type golden struct {
	Logits, OODLogits [][]float64
	Labels            []int
	Single            map[string]json.RawMessage
	Ensemble          map[string]float64
	OOD               map[string]map[string]float64
	Others            [][][]float64 `json:"other_members"`
	Folds             [][]int32
	Calibrated        struct {
		TFull      float64 `json:"T_full"`
		NLLFullFit float64 `json:"nll_full_fit"`
		Runs       []struct{ T, NLL, Brier, ECE15, Accuracy float64 }
		NLL        float64 `json:"calibrated_nll"`
		Brier      float64 `json:"calibrated_brier"`
		ECE15      float64 `json:"calibrated_ece15"`
		Accuracy   float64 `json:"calibrated_acc"`
	} `json:"single_calibrated"`
	Edge struct {
		Probs       [][]float64
		Labels      []int
		ECE5, ECE10 float64
	} `json:"edge_case"`
	DEE map[string][]float64
}

func load(t testing.TB) *golden {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	g := new(golden)
	var named struct {
		OODLogits [][]float64 `json:"ood_logits"`
	}
	if err := json.Unmarshal(text, g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &named); err != nil {
		t.Fatal(err)
	}
	g.OODLogits = named.OODLogits
	return g
}

// single reads a number of the section on the single network.
func (g *golden) single(t *testing.T, key string) (v float64) {
	t.Helper()
	if err := json.Unmarshal(g.Single[key], &v); err != nil {
		t.Fatalf("single %s: %v", key, err)
	}
	return v
}

// evaluate averages members of the given form.
func evaluate(t testing.TB, form Form, labels []int, members ...[][]float64) *Evaluation {
	t.Helper()
	p := NewPredictive(len(members[0]), len(members[0][0]))
	for _, m := range members {
		for _, row := range m {
			if err := p.Add64(form, row); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, err := p.Evaluate(labels)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func values(scores []results.Value) map[string]float64 {
	m := make(map[string]float64)
	for _, s := range scores {
		m[s.Unit] = s.Value
	}
	return m
}

func TestGoldenSingle(t *testing.T) {
	g := load(t)
	e := evaluate(t, Logits, g.Labels, g.Logits)
	scores, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	got := values(scores)
	for unit, key := range map[string]string{
		"accuracy": "accuracy", "error": "error", "top5": "top5", "nll": "nll", "brier_sum": "brier",
		"ece15-lorc": "ece15", "mce15-lorc": "mce15", "rmsce15-lorc": "rmsce15",
		"adaptive_ece15": "adaptive_ece15", "sce15-lorc": "classwise_sce15", "ace15": "classwise_ace15",
		"tace15-1e-3": "tace15_1e3", "confidence": "mean_confidence", "entropy": "mean_entropy",
		"aurc": "aurc", "aurc-trapz": "aurc_trapz_normalised", "augrc-trapz": "augrc_trapz_normalised",
		"eaurc": "eaurc", "misclass-auroc-maxprob": "misclass_auroc_maxprob",
		"misclass-auroc-entropy": "misclass_auroc_entropy",
	} {
		neartest.Within(t, unit, got[unit], g.single(t, key), 1e-9)
	}
	neartest.Within(t, "ece10", ECE(Reliability(e, 10)), g.single(t, "ece10"), 1e-9)
	neartest.Within(t, "brier_mean", got["brier_mean"], g.single(t, "brier")/10, 1e-9)
	for _, unit := range []string{"mutual_information", "disagreement", "ambiguity"} {
		if v, ok := got[unit]; ok {
			t.Errorf("%s of one member is %v, want none", unit, v)
		}
	}

	var bins []struct {
		Count     int
		Acc, Conf float64
	}
	if err := json.Unmarshal(g.Single["bins15"], &bins); err != nil {
		t.Fatal(err)
	}
	for i, b := range Reliability(e, 15) {
		if b.Count != bins[i].Count {
			t.Errorf("bin %d holds %d, want %d", i, b.Count, bins[i].Count)
		}
		neartest.Within(t, "bin accuracy", b.Accuracy, bins[i].Acc, 1e-9)
		neartest.Within(t, "bin confidence", b.Confidence, bins[i].Conf, 1e-9)
	}
	right, wrong := byOutcome(e, MaxProbScore(e))
	neartest.Within(t, "AUPR of errors", Detect(right, wrong).APPositive, g.single(t, "misclass_aupr_error_maxprob"), 1e-9)
}

func byOutcome(e *Evaluation, score []float64) (right, wrong []float64) {
	for n, y := range e.Labels {
		if e.Predicted[n] == y {
			right = append(right, score[n])
		} else {
			wrong = append(wrong, score[n])
		}
	}
	return right, wrong
}

// The confidences lie exactly on bin edges: (lo,hi] and [lo,hi) differ by 0.02
// at 10 bins.
func TestGoldenBinEdges(t *testing.T) {
	g := load(t)
	logs := make([][]float64, len(g.Edge.Probs))
	for i, row := range g.Edge.Probs {
		for _, q := range row {
			logs[i] = append(logs[i], math.Log(q))
		}
	}
	for _, e := range []*Evaluation{
		evaluate(t, Probabilities, g.Edge.Labels, g.Edge.Probs),
		evaluate(t, Probabilities, g.Edge.Labels, g.Edge.Probs, g.Edge.Probs, g.Edge.Probs),
		evaluate(t, LogProbs, g.Edge.Labels, logs),
		evaluate(t, LogProbs, g.Edge.Labels, logs, logs, logs, logs, logs, logs, logs),
	} {
		neartest.Within(t, "ece5", ECE(Reliability(e, 5)), g.Edge.ECE5, 1e-9)
		neartest.Within(t, "ece10", ECE(Reliability(e, 10)), g.Edge.ECE10, 1e-9)
	}
}

func TestGoldenEnsemble(t *testing.T) {
	g := load(t)
	members := append([][][]float64{g.Logits}, g.Others...)
	e := evaluate(t, Logits, g.Labels, members...)
	scores, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	reference, err := ScoreReference(e, evaluate(t, Logits, nil, g.Logits))
	if err != nil {
		t.Fatal(err)
	}
	got := values(append(scores, reference...))
	got["energy"] = average(e.Energy)
	for unit, want := range g.Ensemble {
		neartest.Within(t, unit, got[unit], want, 1e-9)
	}
}

func TestGoldenOOD(t *testing.T) {
	g := load(t)
	in, out := evaluate(t, Logits, g.Labels, g.Logits), evaluate(t, Logits, nil, g.OODLogits)
	scores, err := ScoreOOD(in, out)
	if err != nil {
		t.Fatal(err)
	}
	got := values(scores)
	for by, want := range g.OOD {
		for metric, key := range map[string]string{
			"auroc": "auroc", "aupr_out-ap": "aupr_ood", "aupr_in-ap": "aupr_id", "fpr95": "fpr_at_95tpr",
			"aupr_out-trapz": "aupr_ood_trapz", "aupr_in-trapz": "aupr_id_trapz",
		} {
			neartest.Within(t, metric+" by "+by, got["ood-"+metric+"-"+by], want[key], 1e-9)
		}
	}
	if _, ok := got["ood-auroc-mi"]; ok {
		t.Error("mutual information of one member was scored")
	}
}

func TestGoldenCalibrated(t *testing.T) {
	g := load(t)
	e := evaluate(t, Logits, g.Labels, g.Logits)
	all := make([]int32, e.N)
	for i := range all {
		all[i] = int32(i)
	}
	// The golden temperatures come from a minimiser that compares values, and
	// so are known to about the root of the machine epsilon only; ours must be
	// that close and no worse as a minimum. At the golden temperature itself
	// all metrics must be those of the golden file.
	temperature := func(fit []int32, want float64) {
		got := FitTemperature(e, fit)
		if math.Abs(got-want) > 1e-7 {
			t.Errorf("T = %.12g, want %.12g", got, want)
		}
		if ours, theirs := NLL(e.scaled(got, fit)), NLL(e.scaled(want, fit)); ours > theirs+1e-15 {
			t.Errorf("NLL at T = %.12g is %.17g, at %.12g it is lower, %.17g", got, ours, want, theirs)
		}
	}
	temperature(all, g.Calibrated.TFull)
	neartest.Within(t, "NLL on all", NLL(e.scaled(g.Calibrated.TFull, all)), g.Calibrated.NLLFullFit, 1e-9)
	for r, want := range g.Calibrated.Runs {
		fit, score := g.Folds[r/2][:100], g.Folds[r/2][100:]
		if r%2 == 1 {
			fit, score = score, fit
		}
		temperature(fit, want.T)
		scaled := e.scaled(want.T, score)
		neartest.Within(t, "NLL", NLL(scaled), want.NLL, 1e-9)
		neartest.Within(t, "Brier", BrierSum(scaled), want.Brier, 1e-9)
		neartest.Within(t, "ECE", ECE(Reliability(scaled, bins15)), want.ECE15, 1e-9)
		neartest.Within(t, "accuracy", Accuracy(scaled), want.Accuracy, 1e-9)
	}
	c := Calibrate(e, g.Folds)
	neartest.Within(t, "calibrated NLL", -c.LL, g.Calibrated.NLL, 1e-9)
	neartest.Within(t, "calibrated Brier", c.BrierSum, g.Calibrated.Brier, 1e-9)
	neartest.Within(t, "calibrated ECE", c.ECE15, g.Calibrated.ECE15, 1e-9)
	neartest.Within(t, "calibrated accuracy", c.Accuracy, g.Calibrated.Accuracy, 1e-9)
}

func TestGoldenDEE(t *testing.T) {
	g := load(t)
	sizes := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	negated := make([]float64, 10)
	for i, b := range g.DEE["deep_ensemble_brier"] {
		negated[i] = -b
	}
	ll := EnsembleCurve{Sizes: sizes, LL: g.DEE["deep_ensemble_ll"]}
	brier := EnsembleCurve{Sizes: sizes, LL: negated}
	for i, v := range g.DEE["method_ll"] {
		d, err := ll.Equivalent(v)
		if err != nil {
			t.Fatal(err)
		}
		neartest.Within(t, "DEE by LL", d.Value, g.DEE["dee_ll"][i], 1e-9)
		if d.Saturated != (v >= ll.LL[9]) {
			t.Errorf("LL %v: saturated = %v", v, d.Saturated)
		}
		d, err = brier.Equivalent(-g.DEE["method_brier"][i])
		if err != nil {
			t.Fatal(err)
		}
		neartest.Within(t, "DEE by Brier", d.Value, g.DEE["dee_brier"][i], 1e-9)
	}
}

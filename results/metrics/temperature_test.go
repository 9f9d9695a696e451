package metrics

import (
	"math"
	"slices"
	"testing"
)

// The splits are part of the metrics' definition: another split is another
// metric.
func TestFoldsAreFixed(t *testing.T) {
	folds := Folds(8)
	if len(folds) != 5 || slices.Equal(folds[0], folds[1]) {
		t.Fatalf("folds %v", folds)
	}
	for _, f := range folds {
		sorted := slices.Sorted(slices.Values(f))
		if !slices.Equal(sorted, []int32{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("%v is no permutation", f)
		}
	}
	if want := []int32{0, 4, 1, 5, 7, 6, 2, 3}; !slices.Equal(folds[0], want) {
		t.Errorf("first split %v, want %v", folds[0], want)
	}
}

// Two classes with logit ±a, right in a share r of the cases: the best
// temperature is a/log(r/(1−r)) for a the difference of the logits.
func TestTemperatureInClosedForm(t *testing.T) {
	for _, v := range []struct{ a, want float64 }{
		{3, 3 / math.Log(3)}, {0.1, 0.1 / math.Log(3)}, {0.001, 0.001 / math.Log(3)},
		// differences at which one probability is below 1e-12, and 0 in float64
		{45, 45 / math.Log(3)}, {2000, 2000 / math.Log(3)}, {1e6, maxTemperature},
	} {
		rows, labels := make([][]float64, 40), make([]int, 40)
		subset := make([]int32, 40)
		for n := range rows {
			rows[n] = []float64{0, v.a}
			if n%4 > 0 {
				labels[n] = 1
			}
			subset[n] = int32(n)
		}
		e := evaluate(t, Logits, labels, rows)
		if got := FitTemperature(e, subset); math.Abs(got-v.want) > 1e-9*v.want {
			t.Errorf("a = %v: T = %.12g, want %.12g", v.a, got, v.want)
		}
		wrong := evaluate(t, Logits, slices.Repeat([]int{0}, 40), rows)
		if got := FitTemperature(wrong, subset); got != maxTemperature {
			t.Errorf("always wrong: T = %v, want %v", got, maxTemperature)
		}
		right := evaluate(t, Logits, slices.Repeat([]int{1}, 40), rows)
		if got := FitTemperature(right, subset); got != minTemperature {
			t.Errorf("always right: T = %v, want %v", got, minTemperature)
		}
	}
}

func TestCalibrationOfOneInput(t *testing.T) {
	e := evaluate(t, Probabilities, []int{0}, [][]float64{{.5, .5}})
	s, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := values(s)["calibrated_ll"]; ok {
		t.Errorf("calibrated on one input: %v", v)
	}
}

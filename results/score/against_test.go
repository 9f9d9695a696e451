package score

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/neartest"
	"bayesbench/internal/npy/npytest"
	"bayesbench/results/metrics"
)

// The differences are those of the metrics. 12 and 2 points fall to just one
// side, for which the exact test gives 2·(1+14+91)/2¹⁴; the NLL and the Brier
// score of a point are ln 0.8 against ln 0.2, 2·0.2² against 2·0.8².
func TestAgainst(t *testing.T) {
	dir := t.TempDir()
	const n = 40
	var ours, theirs []float32
	for i := range n {
		a, b := float32(.8), float32(.8)
		switch {
		case i < 12:
			b = .2
		case i < 14:
			a = .2
		}
		ours, theirs = append(ours, a, 1-a), append(theirs, b, 1-b)
	}
	files := Files{Predictions: filepath.Join(dir, "a.npy"), Against: filepath.Join(dir, "b.npy"), Labels: filepath.Join(dir, "y.npy")}
	for path, file := range map[string][]byte{
		files.Predictions: npytest.File(npytest.Dict("<f4", "(40, 2)"), ours),
		files.Against:     npytest.File(npytest.Dict("<f4", "(1, 40, 2)"), theirs),
		files.Labels:      npytest.File(npytest.Dict("<i8", "(40,)"), make([]int64, n)),
	} {
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files.Form = metrics.Probabilities
	r, err := Score(files)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"error": -10.0 / n, "nll": 10 * math.Log(.2/.8) / n, "brier_sum": 10 * 2 * (.04 - .64) / n}
	for _, d := range r.Against.Differences {
		neartest.Within(t, d.Unit, d.Delta, want[d.Unit], 1e-7)
		if !(d.Lo < d.Delta && d.Delta < d.Hi && d.Hi < 0) {
			t.Errorf("%s: %g in [%g, %g], want an interval below 0", d.Unit, d.Delta, d.Lo, d.Hi)
		}
		delete(want, d.Unit)
	}
	if len(want) > 0 {
		t.Errorf("nothing about %v", want)
	}
	neartest.Within(t, "p of McNemar's test", r.Against.Differences[0].P, 2*(1+14+91)/math.Ldexp(1, 14), 1e-12)
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "error      -0.25  [") {
		t.Errorf("%v:\n%s", err, text.String())
	}

	// The points' order does not matter, not even to the interval.
	reversed := Files{Predictions: filepath.Join(dir, "ra.npy"), Against: filepath.Join(dir, "rb.npy"), Labels: filepath.Join(dir, "ry.npy")}
	slices.Reverse(ours) // also exchanges the classes
	slices.Reverse(theirs)
	for path, file := range map[string][]byte{
		reversed.Predictions: npytest.File(npytest.Dict("<f4", "(40, 2)"), ours),
		reversed.Against:     npytest.File(npytest.Dict("<f4", "(40, 2)"), theirs),
		reversed.Labels:      npytest.File(npytest.Dict("<i8", "(40,)"), slices.Repeat([]int64{1}, n)),
	} {
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	reversed.Form = metrics.Probabilities
	turned, err := Score(reversed)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range r.Against.Differences {
		other := turned.Against.Differences[i]
		neartest.Within(t, d.Unit+" reversed", other.Delta, d.Delta, 1e-12)
		neartest.Within(t, d.Unit+" reversed, low", other.Lo, d.Lo, 1e-12)
		neartest.Within(t, d.Unit+" reversed, high", other.Hi, d.Hi, 1e-12)
		neartest.Within(t, d.Unit+" reversed, p", other.P, d.P, 0)
	}

	files.Against = files.Predictions
	if r, err = Score(files); err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Against.Differences {
		if d.Delta != 0 || d.Lo != 0 || d.Hi != 0 || d.P != 1 {
			t.Errorf("against itself: %+v", d)
		}
	}
	files.Against = "testdata/logits_f4.npy"
	if _, err := Score(files); err == nil || !strings.Contains(err.Error(), "want 40 inputs of 2 classes") {
		t.Errorf("other inputs: %v", err)
	}
}

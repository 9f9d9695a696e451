package score

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"bayesbench/internal/npy/npytest"
	"bayesbench/results/metrics"
)

func TestReadPoints(t *testing.T) {
	dir := t.TempDir()
	files := Files{Predictions: filepath.Join(dir, "p.npy"), Labels: filepath.Join(dir, "y.npy"), Form: metrics.Probabilities}
	// Two samples of three points: averages (0.75, 0.25), (0.4, 0.6), (0, 1).
	predictions := npytest.File(npytest.Dict("<f8", "(2, 3, 2)"), []float64{0.5, 0.5, 0.2, 0.8, 0, 1, 1, 0, 0.6, 0.4, 0, 1})
	if err := os.WriteFile(files.Predictions, predictions, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.Labels, npytest.File(npytest.Dict("<i8", "(3,)"), []int64{0, 0, 0}), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := ReadPoints(files)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []struct{ err, nll float64 }{{0, -math.Log(0.75)}, {1, -math.Log(0.4)}, {1, -math.Log(1e-12)}} {
		if p.Error[n] != want.err || math.Abs(p.NLL[n]-want.nll) > 1e-12 {
			t.Errorf("point %d: error %v, nll %v, want %v", n, p.Error[n], p.NLL[n], want)
		}
	}
	if _, err := ReadPoints(Files{Predictions: files.Labels, Labels: files.Labels}); err == nil {
		t.Error("labels were read as predictions")
	}
}

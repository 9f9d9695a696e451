//go:build unix

package score

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bayesbench/internal/npy/npytest"
	"bayesbench/results/metrics"
)

// A pipe is refused and not waited for.
func TestPipesAreRefused(t *testing.T) {
	dir := t.TempDir()
	predictions, labels, pipe := filepath.Join(dir, "p.npy"), filepath.Join(dir, "y.npy"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(predictions, npytest.File(npytest.Dict("<f4", "(1, 2)"), []float32{1, 0}), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(labels, npytest.File(npytest.Dict("<i8", "(1,)"), []int64{0}), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range []Files{{Predictions: pipe, Labels: labels}, {Predictions: predictions, Labels: pipe}} {
		files.Form = metrics.Probabilities
		if _, err := Score(files); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%+v: %v", files, err)
		}
	}
}

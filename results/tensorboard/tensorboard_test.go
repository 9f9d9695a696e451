package tensorboard

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bayesbench/results"
)

// job is what testdata/golden.py writes, too.
func job() results.JobResult {
	record := func(samples int, sweep []results.Pair, values ...results.Value) results.Record {
		return results.Record{
			Data: "mnist", Model: "lenet-300-100", Method: "sparse-vd", Backend: "gomlx:xla:cpu",
			Sweep:   append([]results.Pair{{Key: "lr", Value: "1e-3"}}, sweep...),
			Samples: samples, Config: []results.Pair{{Key: "seed", Value: "3"}}, Values: values,
		}
	}
	j := results.JobResult{
		ID:       "abc",
		Manifest: results.Manifest{Started: time.Unix(1700000000, 5e8)},
		Records: []results.Record{
			record(0, nil, results.Value{Unit: "sparsity", Value: 0.98}),
			record(0, []results.Pair{{Key: "layer", Value: "fc1"}}, results.Value{Unit: "sparsity", Value: 0.99}),
			record(8, []results.Pair{{Key: "predict", Value: "sample"}}, results.Value{Unit: "error", Value: 0.0172}, results.Value{Unit: "nll", Value: -0.061}),
		},
		Curve: results.Curve{Columns: []string{"step", "epoch", "loss", "test-error", "seconds"}},
	}
	j.Curve.Append(600, 1, 0.25, math.NaN(), 1.5)
	j.Curve.Append(1200, 2, 0, 0.02, 3)
	return j
}

// TensorBoard's own writer gives the same bytes.
func TestWrite(t *testing.T) {
	want, err := os.ReadFile("testdata/job.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for range 2 { // the second time replaces
		if err := Write(dir, job()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "mnist", "lenet-300-100", "sparse-vd", "gomlx-xla-cpu", "lr=1e-3", "seed=3")
	files, err := os.ReadDir(path)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", err, files)
	}
	got, err := os.ReadFile(filepath.Join(path, "events.out.tfevents.abc"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\ngot  %x\nwant %x", err, got, want)
	}
}

func TestWriteNothing(t *testing.T) {
	if err := Write(t.TempDir(), results.JobResult{ID: "abc"}); err == nil {
		t.Error("a job without records passed")
	}
}

// RFC 3720, B.4: the sums of 32 zeros, 32 ones, and 0 to 31.
func TestMaskedCRC(t *testing.T) {
	rising := make([]byte, 32)
	for i := range rising {
		rising[i] = byte(i)
	}
	for _, c := range []struct {
		text []byte
		sum  uint32
	}{
		{make([]byte, 32), 0x8a9136aa},
		{bytes.Repeat([]byte{0xff}, 32), 0x62a8ab43},
		{rising, 0x46dd794e},
	} {
		masked := maskedCRC(c.text) - 0xa282ead8
		if sum := masked<<15 | masked>>17; sum != c.sum {
			t.Errorf("%x: %x, want %x", c.text, sum, c.sum)
		}
	}
}

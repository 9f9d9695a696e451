package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/internal/npy"
	"bayesbench/results"
)

// array reads an array whole.
func array(t *testing.T, path string) (shape []int, x []float64) {
	t.Helper()
	a, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if x, err = a.Float64s(); err != nil {
		t.Fatal(err)
	}
	return a.Shape, x
}

// A program that knows the exported arrays alone can fill the cells that a run fills: here it takes
// the class whose training images have the nearest mean, on test, shifted and other inputs.
func TestPredictionsOnExportedArrays(t *testing.T) {
	dir := t.TempDir()
	code, said, log := benchrun(t, "data", "export", "-out", dir, "-set", `eval.shift=["rotate-30"]`, "-set", `eval.ood=["blobs+rotate-60"]`,
		"-set", "data.validation=100", "blobs")
	if code != 0 || !strings.Contains(said, "shift-rotate-30-inputs.npy       500 rows") {
		t.Fatalf("exit %d\n%s%s", code, said, log)
	}
	at := func(name string) string { return filepath.Join(dir, "blobs", name) }
	var e bench.Exported
	text, err := os.ReadFile(at("arrays.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	if e.Data != "blobs" || e.Normalise != "unit255" || !strings.HasPrefix(e.Hash, "sha256:") || len(e.Arrays) != 8 {
		t.Errorf("arrays.json says %+v", e)
	}
	for _, a := range e.Arrays {
		if shape, _ := array(t, at(a.File)); shape[0] != a.Rows {
			t.Errorf("%s has shape %v, and arrays.json says %d rows", a.File, shape, a.Rows)
		}
	}
	shape, train := array(t, at("train-inputs.npy"))
	_, labels := array(t, at("train-labels.npy"))
	size := shape[1] * shape[2] * shape[3]
	classes := 0
	for _, y := range labels {
		classes = max(classes, int(y)+1)
	}
	means, count := make([]float64, classes*size), make([]float64, classes)
	for i, y := range labels {
		count[int(y)]++
		for j := range size {
			means[int(y)*size+j] += train[i*size+j]
		}
	}
	predict := func(inputs string) string {
		shape, x := array(t, at(inputs))
		logits := make([]float32, shape[0]*classes)
		for i := range shape[0] {
			for c := range classes {
				for j := range size {
					d := x[i*size+j] - means[c*size+j]/count[c]
					logits[i*classes+c] -= float32(d * d)
				}
			}
		}
		path := filepath.Join(dir, "predicted-"+inputs)
		if err := results.WriteFile(path, func(w io.Writer) error {
			return npy.Write(w, logits, shape[0], classes)
		}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	score := func(args ...string) results.Set {
		code, said, log := benchrun(t, append([]string{"score", "-logits", "-format", "bench", "-data", "blobs", "-labels", at("test-labels.npy")}, args...)...)
		if code != 0 {
			t.Fatal(log)
		}
		set, err := results.Read(strings.NewReader(said), "score")
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	clean := score("-probs", predict("test-inputs.npy"), "-ood", predict("ood-blobs+rotate-60-inputs.npy"), "-ood-data", "blobs+rotate-60")
	found := map[string]float64{}
	for _, r := range clean.Records {
		for _, v := range r.Values {
			found[v.Unit] = v.Value
		}
	}
	if e := found["error"]; !(e < 0.2) || math.IsNaN(found["ood-auroc"]) || len(clean.Records) != 2 {
		t.Errorf("scores %v in %d records", found, len(clean.Records))
	}
	shifted := score("-probs", predict("shift-rotate-30-inputs.npy"), "-shift", "rotate-30")
	if got := fmt.Sprint(shifted.Records[0].Sweep); got != "[{corruption rotate} {severity 30}]" {
		t.Errorf("shifted predictions are named by %s", got)
	}
}

// Sets in several splits have a folder for each.
func TestExportOfSplits(t *testing.T) {
	dir := t.TempDir()
	suite := write(t, dir, "s.toml", "name = \"s\"\nmodel = \"mlp-50\"\n[data]\nname = \"line\"\nsplit = [0, 3]\n[[method]]\nname = \"deterministic\"\n")
	if code, said, log := benchrun(t, "data", "export", "-out", dir, suite); code != 0 || strings.Count(said, "\n") != 10 {
		t.Fatalf("exit %d\n%s%s", code, said, log)
	}
	_, first := array(t, filepath.Join(dir, "line-split-0", "test-targets.npy"))
	_, other := array(t, filepath.Join(dir, "line-split-3", "test-targets.npy"))
	if len(first) != 50 || len(other) != 50 || first[0] == other[0] && first[1] == other[1] {
		t.Errorf("targets %v and %v", first, other)
	}
	for _, v := range []struct{ name, want string }{
		{"lines", `no data set "lines"; did you mean "line"?`},
		{"nowhere.toml", "nowhere.toml: no such file"},
	} {
		if code, _, log := benchrun(t, "data", "export", "-out", dir, v.name); code != 2 || !strings.Contains(log, v.want) {
			t.Errorf("%s: exit %d, %s", v.name, code, log)
		}
	}
}

package score

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/internal/neartest"
	"bayesbench/internal/npy/npytest"
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// The files in testdata were written by numpy 2.4, the numbers computed with it
// from the float32 logits: K=3, N=20, C=6, and 15 inputs in ood_f4.npy.
const (
	nllOfOne   = 3.520070161017381
	nllOfTwo   = 2.3083159031388236
	nllOfThree = 2.120761412989788
)

func value(t *testing.T, at At, unit string) float64 {
	t.Helper()
	i := slices.IndexFunc(at.Scores, func(s results.Value) bool { return s.Unit == unit })
	if i < 0 {
		t.Fatalf("no %s at K=%d", unit, at.Samples)
	}
	return at.Scores[i].Value
}

func TestScoreOfNumpyFiles(t *testing.T) {
	for _, files := range []Files{
		{Predictions: "logits_f4.npy", Labels: "labels_i8.npy", Form: metrics.Logits},
		{Predictions: "probs_f8_be.npy", Labels: "labels_u1.npy", Form: metrics.Probabilities},
		{Predictions: "logprobs_f8.npy", Labels: "labels_be_i2.npy", Form: metrics.LogProbs},
		{Predictions: "logprobs_f8.npy", Labels: "labels_u8.npy", Form: metrics.Logits},
	} {
		files.Predictions = filepath.Join("testdata", files.Predictions)
		files.Labels = filepath.Join("testdata", files.Labels)
		r, err := Score(files)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.At) != 3 || r.At[0].Samples != 1 || r.At[1].Samples != 2 || r.At[2].Samples != 3 {
			t.Fatalf("scored at %+v", r.At)
		}
		neartest.Within(t, "NLL of one", value(t, r.At[0], "nll"), nllOfOne, 1e-9)
		neartest.Within(t, "NLL of two", value(t, r.At[1], "nll"), nllOfTwo, 1e-9)
		neartest.Within(t, "NLL of three", value(t, r.At[2], "nll"), nllOfThree, 1e-9)
		neartest.Within(t, "accuracy", value(t, r.At[2], "accuracy"), 0.05, 1e-9)
		neartest.Within(t, "Brier score", value(t, r.At[2], "brier_sum"), 0.9398700979388217, 1e-9)
		neartest.Within(t, "mutual information", value(t, r.At[2], "mutual_information"), 0.4257184182685648, 1e-9)
	}
}

func TestScoreOOD(t *testing.T) {
	r, err := Score(Files{Predictions: "testdata/logits_f4.npy", Labels: "testdata/labels_i8.npy", OOD: "testdata/ood_f4.npy", Form: metrics.Logits})
	if err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "AUROC by entropy", value(t, r.At[2], "ood-auroc-entropy"), 0.8666666666666667, 1e-9)
	neartest.Within(t, "AUROC by energy", value(t, r.At[2], "ood-auroc-energy"), 0.87, 1e-9)
}

func TestScoreOfOneMatrix(t *testing.T) {
	for _, file := range []string{"testdata/one_f4.npy", "testdata/version2.npy"} {
		r, err := Score(Files{Predictions: file, Labels: "testdata/labels_i8.npy", Form: metrics.Probabilities})
		if err != nil {
			t.Fatal(err)
		}
		if r.Samples != 1 || r.Inputs != 20 || r.Classes != 6 {
			t.Errorf("%s: %+v", file, r)
		}
		neartest.Within(t, "NLL", value(t, r.At[0], "nll"), nllOfOne, 1e-6) // float32 probabilities
	}
}

func TestScoreErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, file []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	nan := float32(math.NaN())
	good := write("good.npy", npytest.File(npytest.Dict("<f4", "(2, 2)"), []float32{.5, .5, .25, .75}))
	labels := write("labels.npy", npytest.File(npytest.Dict("<i8", "(2,)"), []int64{0, 1}))
	for _, v := range []struct {
		files Files
		want  string
	}{
		{Files{Predictions: filepath.Join(dir, "missing.npy"), Labels: labels}, "missing.npy"},
		{Files{Predictions: dir, Labels: labels}, "not a regular file"},
		{Files{Predictions: labels, Labels: labels}, "labels.npy: int64, want float predictions"},
		{Files{Predictions: good, Labels: good}, "good.npy[0,0]: 0.5, want one-hot labels"},
		{Files{Predictions: good, Labels: write("l3.npy", npytest.File(npytest.Dict("<i8", "(3,)"), []int64{0, 1, 0}))}, "3 labels"},
		{Files{Predictions: good, Labels: write("l2.npy", npytest.File(npytest.Dict("<i8", "(2,)"), []int64{0, 2}))}, "l2.npy[1]: label 2, want 0 to 1"},
		{Files{Predictions: write("flat.npy", npytest.File(npytest.Dict("<f4", "(4,)"), []float32{1, 0, 1, 0})), Labels: labels}, "2 labels, "},
		{Files{Predictions: write("nan.npy", npytest.File(npytest.Dict("<f4", "(2, 2, 2)"), []float32{1, 0, 1, 0, 1, 0, .5, nan})), Labels: labels}, "nan.npy[1,1,1]: probability is NaN"},
		{Files{Predictions: write("sum.npy", npytest.File(npytest.Dict("<f4", "(2, 2)"), []float32{1, 0, .5, .4})), Labels: labels}, "sum.npy[1]: probabilities sum to 0.9, want 1 within 0.001 (logits"},
		{Files{Predictions: good, Labels: labels, OOD: write("ood.npy", npytest.File(npytest.Dict("<f4", "(2, 1, 2)"), []float32{1, 0, 1, 0}))}, "ood.npy: shape [2 1 2], want 1 samples of 2 classes"},
		{Files{Predictions: good, Labels: labels, OOD: write("oodnan.npy", npytest.File(npytest.Dict("<f4", "(1, 2)"), []float32{1, nan}))}, "oodnan.npy[0,1]: probability is NaN"},
		{Files{Predictions: "testdata/objects.npy", Labels: labels}, "Python objects"},
		{Files{Predictions: "testdata/complex.npy", Labels: labels}, `dtype "<c16"`},
		{Files{Predictions: "testdata/structured.npy", Labels: labels}, "structured dtype"},
	} {
		v.files.Form = metrics.Probabilities
		if _, err := Score(v.files); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%+v: %v, want %q", v.files, err, v.want)
		}
	}
}

func TestPrint(t *testing.T) {
	r, err := Score(Files{Predictions: "testdata/logits_f4.npy", Labels: "testdata/labels_i8.npy", OOD: "testdata/ood_f4.npy", Form: metrics.Logits})
	if err != nil {
		t.Fatal(err)
	}
	var text, bench, object bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"20 inputs, 6 classes, 3 posterior samples, 15 out-of-distribution inputs\n", "nll ", "lower", "2.1208", "K=3"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if err := r.WriteBench(&bench, Name{Data: "mnist", Model: "lenet-5", Method: "mine", Seed: "7", OOD: "notmnist"}); err != nil {
		t.Fatal(err)
	}
	set, err := results.Read(&bench, "bench")
	if err != nil {
		t.Fatal(err)
	}
	// Two lines at each K, that of the test set and that of detection, named as a run names them.
	if len(set.Records) != 6 || set.Records[4].Samples != 3 || set.Units["nll"].Better != results.Lower {
		t.Fatalf("read back %+v", set)
	}
	for i, want := range []string{
		"MNIST/model=lenet-5/method=mine/backend=external/samples=3", "MNIST/model=lenet-5/method=mine/backend=external/ood=notmnist/samples=3",
	} {
		r := set.Records[4+i]
		if _, detects := r.Value("ood-auroc-entropy"); r.Name() != want || r.Seed() != "7" || detects != (i == 1) {
			t.Errorf("line %q of seed %q, detection: %v", r.Name(), r.Seed(), detects)
		}
	}
	got, _ := set.Records[4].Value("nll")
	neartest.Within(t, "NLL in the benchmark line", got, nllOfThree, 1e-9)
	if err := r.WriteJSON(&object); err != nil {
		t.Fatal(err)
	}
	var back struct {
		At []struct {
			Samples int
			Scores  map[string]float64
		}
		Reliability []struct{ Count int }
	}
	if err := json.Unmarshal(object.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "NLL in the JSON object", back.At[2].Scores["nll"], nllOfThree, 1e-9)
	if len(back.Reliability) != 15 {
		t.Errorf("%d reliability bins", len(back.Reliability))
	}
}

// writeSamples writes K samples of logits and labels and returns the files.
func writeSamples(t testing.TB, k, n, c int) Files {
	dir := t.TempDir()
	files := Files{Predictions: filepath.Join(dir, "p.npy"), Labels: filepath.Join(dir, "y.npy"), Form: metrics.Logits}
	z := make([]float32, k*n*c)
	rng.Normal(z, rng.Key{1, 2}, 3)
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = int64(i % c)
	}
	shape := strings.NewReplacer("K", itoa(k), "N", itoa(n), "C", itoa(c))
	if err := os.WriteFile(files.Predictions, npytest.File(npytest.Dict("<f4", shape.Replace("(K, N, C)")), z), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.Labels, npytest.File(npytest.Dict("<i8", shape.Replace("(N,)")), labels), 0o644); err != nil {
		t.Fatal(err)
	}
	return files
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// All that is ever allocated for 4096 samples is far less than they hold.
func TestMemoryDoesNotGrowWithSamples(t *testing.T) {
	files := writeSamples(t, 4096, 32, 10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Score(files); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, size := after.TotalAlloc-before.TotalAlloc, uint64(4096*32*10*4); got > size/2 {
		t.Errorf("%d bytes allocated to score %d", got, size)
	}
}

func BenchmarkScore(b *testing.B) {
	files := writeSamples(b, 100, 10000, 10)
	b.SetBytes(100 * 10000 * 10 * 4)
	for b.Loop() {
		if _, err := Score(files); err != nil {
			b.Fatal(err)
		}
	}
}

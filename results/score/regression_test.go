package score

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/internal/neartest"
	"bayesbench/internal/npy/npytest"
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// save writes an array as numpy does and returns its path.
func save(t *testing.T, name, descr, shape string, data any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, npytest.File(npytest.Dict(descr, shape), data), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Means, variances and targets of 4 samples, 7 inputs and 2 targets, in the order of the file.
func numbers(fortran bool) (mean, variance, y []float64) {
	const k, n, d = 4, 7, 2
	mean, variance, y = make([]float64, k*n*d), make([]float64, k*n*d), make([]float64, n*d)
	for m := range k {
		for i := range n {
			for j := range d {
				at, in := (m*n+i)*d+j, i*d+j
				if fortran {
					at, in = m+k*(i+n*j), i+n*j
				}
				mean[at] = float64((7*m+5*i+3*j)%16)/8 - 1
				variance[at] = float64(1+(3*m+i+2*j)%7) / 16
				y[in] = float64((11*i+4*j)%13)/8 - .75
			}
		}
	}
	return mean, variance, y
}

// By scipy, from the definitions: stats.norm, integrate.quad for the CRPS, numpy for the draws.
func TestScoreOfNumbers(t *testing.T) {
	want := map[string]float64{
		"rmse": 0.5255736661700513, "nll": 1.9622468231609882, "nll-gaussian": 1.7762337132981749, "crps": 0.31127354358770426,
		"crps-gaussian": 0.31219504243384361, "qce15": 0.13142857142857148, "mpiw95": 2.7333828216605638,
	}
	for _, fortran := range []bool{false, true} {
		mean, variance, y := numbers(fortran)
		order := func(descr, shape string, x any) []byte {
			header := npytest.Dict(descr, shape)
			if fortran {
				header = strings.Replace(header, "False", "True", 1)
			}
			return npytest.File(header, x)
		}
		dir := t.TempDir()
		file := func(name string, data []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			return path
		}
		targets := file("y.npy", order("<f8", "(7, 2)", y))
		r, err := ScoreNumbers(NumberFiles{
			Mean: file("m.npy", order("<f8", "(4, 7, 2)", mean)), Variance: file("v.npy", order("<f8", "(4, 7, 2)", variance)), Targets: targets,
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind != metrics.KindGaussian || r.Samples != 4 || r.Inputs != 7 || r.Targets != 2 || len(r.At) != 3 || r.At[1].Samples != 2 {
			t.Fatalf("%+v", r)
		}
		for unit, w := range want {
			neartest.Within(t, unit, value(t, r.At[2], unit), w, 1e-10)
		}
		if r.Coverage.Targets != 14 || r.Coverage.Samples != 4 {
			t.Errorf("coverage %+v", r.Coverage)
		}
		r, err = ScoreNumbers(NumberFiles{Samples: file("s.npy", order("<f8", "(4, 7, 2)", mean)), Targets: targets})
		if err != nil {
			t.Fatal(err)
		}
		for unit, w := range map[string]float64{"rmse": 0.5255736661700513, "crps": 0.33035714285714285, "crps-fair": 0.23214285714285715, "mpiw95": 1.3160714285714283} {
			neartest.Within(t, "samples "+unit, value(t, r.At[2], unit), w, 1e-10)
		}
	}
}

// Shapes without the axis of a single target say the same, integers are targets too, and the
// variances of one sample are those of all.
func TestShapesOfNumbers(t *testing.T) {
	y := save(t, "y.npy", "<i4", "(3,)", []int32{1, 2, 3})
	column := save(t, "y.npy", "<f4", "(3, 1)", []float32{1, 2, 3})
	one, two := []float64{1, 2, 4}, []float64{1, 2, 4, 1, 3, 3}
	ones := []float64{1, 1, 1, 1, 1, 1}
	var first []results.Value
	for _, v := range []struct{ mean, variance, targets string }{
		{save(t, "m.npy", "<f8", "(2, 3)", two), save(t, "v.npy", "<f8", "(2, 3)", ones), y},
		{save(t, "m.npy", "<f8", "(2, 3, 1)", two), save(t, "v.npy", "<f8", "(3,)", ones[:3]), y},
		{save(t, "m.npy", "<f8", "(2, 3)", two), save(t, "v.npy", "<f8", "(3, 1)", ones[:3]), column},
		{save(t, "m.npy", "<f8", "(2, 3, 1)", two), save(t, "v.npy", "<f8", "(1, 3)", ones[:3]), column},
	} {
		r, err := ScoreNumbers(NumberFiles{Mean: v.mean, Variance: v.variance, Targets: v.targets})
		if err != nil {
			t.Fatal(err)
		}
		if r.Samples != 2 || r.Targets != 1 {
			t.Fatalf("%d samples of %d targets", r.Samples, r.Targets)
		}
		scores := r.At[1].Scores
		if first == nil {
			first = scores
		}
		for i, s := range scores {
			if s != first[i] {
				t.Errorf("%s = %v, want %v", s.Unit, s.Value, first[i].Value)
			}
		}
	}
	r, err := ScoreNumbers(NumberFiles{Mean: save(t, "m.npy", "<f8", "(3,)", one), Variance: save(t, "v.npy", "<f8", "(3,)", ones[:3]), Targets: y})
	if err != nil || r.Samples != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	neartest.Within(t, "RMSE", value(t, r.At[0], "rmse"), math.Sqrt(1./3), 1e-15)
}

func TestNumberErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	y := save(t, "y.npy", "<f8", "(3,)", []float64{1, 2, 3})
	pairs := save(t, "y.npy", "<f8", "(2, 2)", []float64{1, 2, 3, 4})
	mean := save(t, "m.npy", "<f8", "(2, 3)", []float64{1, 2, 3, 4, 5, 6})
	wide := save(t, "m.npy", "<f8", "(2, 2)", []float64{1, 2, 3, 4})
	for _, v := range []struct {
		files NumberFiles
		want  string
	}{
		{NumberFiles{Mean: mean, Variance: save(t, "v.npy", "<f8", "(2, 3)", []float64{1, 1, 1, 1, 0, 1}), Targets: y}, "v.npy[1,1]: variance is 0, want a positive number, or -floor"},
		{NumberFiles{Mean: mean, Variance: save(t, "v.npy", "<f8", "(3,)", []float64{1, -1, 1}), Targets: y, Floor: 1e-6}, "v.npy[1]: variance is -1"},
		{NumberFiles{Mean: mean, Variance: save(t, "v.npy", "<f8", "(2, 3)", []float64{1, 1, nan, 1, 1, 1}), Targets: y, Floor: 1e-6}, "v.npy[0,2]: variance is NaN"},
		{NumberFiles{Mean: save(t, "m.npy", "<f8", "(3, 1)", []float64{1, inf, 1}), Variance: y, Targets: y}, "m.npy[1,0]: mean is +Inf"},
		{NumberFiles{Mean: mean, Variance: mean, Targets: save(t, "y.npy", "<f8", "(3,)", []float64{1, 2, nan})}, "y.npy[2]: target is NaN, want a number"},
		{NumberFiles{Mean: wide, Variance: wide, Targets: save(t, "y.npy", "<f8", "(2, 2)", []float64{1, 2, 3, inf})}, "y.npy[1,1]: target is +Inf"},
		{NumberFiles{Mean: mean, Variance: save(t, "v.npy", "<f8", "(3, 3)", make([]float64, 9)), Targets: y}, "v.npy: shape [3 3], want variances of 2 samples as in"},
		{NumberFiles{Mean: save(t, "m.npy", "<f8", "(3, 2)", make([]float64, 6)), Variance: mean, Targets: y}, "m.npy: shape [3 2], want means [3] or [samples 3] for the targets of shape [3] in "},
		{NumberFiles{Mean: save(t, "m.npy", "<f8", "(3, 2)", make([]float64, 6)), Variance: mean, Targets: y}, "score probabilities of classes with -probs and -labels"},
		{NumberFiles{Mean: save(t, "m.npy", "<f8", "(2, 2, 5)", make([]float64, 20)), Variance: mean, Targets: pairs}, "shape [2 2 5], want means [2 2] or [samples 2 2] for the targets of shape [2 2]"},
		{NumberFiles{Mean: save(t, "m.npy", "<f8", "(2, 2, 5)", make([]float64, 20)), Variance: mean, Targets: pairs}, "move samples to the first index"},
		{NumberFiles{Mean: save(t, "m.npy", "<i8", "(3,)", []int64{0, 1, 2}), Variance: mean, Targets: y}, "m.npy: int64, want means as float numbers (predicted classes are no predictions of numbers)"},
		{NumberFiles{Mean: mean, Variance: mean, Targets: save(t, "y.npy", "|b1", "(3,)", []byte{0, 1, 1})}, "y.npy: bool, want numbers as targets"},
		{NumberFiles{Mean: mean, Variance: mean, Targets: save(t, "y.npy", "<f8", "(3, 1, 1)", []float64{1, 2, 3})}, "y.npy: shape [3 1 1], want targets [inputs] or [inputs, targets]"},
		{NumberFiles{Samples: save(t, "s.npy", "<f8", "(2, 3)", []float64{1, 2, 3, 4, nan, 6}), Targets: y}, "s.npy[1,1]: sample is NaN"},
		{NumberFiles{Samples: save(t, "s.npy", "<f8", "(4,)", []float64{1, 2, 3, 4}), Targets: y}, "s.npy: shape [4], want draws [3] or [samples 3]"},
		{NumberFiles{Samples: mean + "x", Targets: y}, "no such file"},
	} {
		if _, err := ScoreNumbers(v.files); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%+v: %v, want %q", v.files, err, v.want)
		}
	}
	// A regression's targets are no labels.
	labels := save(t, "y.npy", "<f8", "(3,)", []float64{0, 0.5, 1})
	_, err := Score(Files{Predictions: save(t, "p.npy", "<f8", "(3, 2)", []float64{1, 0, 1, 0, 1, 0}), Labels: labels, Form: metrics.Probabilities})
	if err == nil || !strings.Contains(err.Error(), "targets of a regression are scored with -targets") {
		t.Errorf("targets as labels: %v", err)
	}
}

// The floor makes variances of 0 count, of draws too.
func TestVarianceFloor(t *testing.T) {
	y := save(t, "y.npy", "<f8", "(2,)", []float64{1, 2})
	mean := save(t, "m.npy", "<f8", "(2,)", []float64{1, 2})
	r, err := ScoreNumbers(NumberFiles{Mean: mean, Variance: save(t, "v.npy", "<f8", "(2,)", []float64{0, 1}), Targets: y, Floor: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "NLL", value(t, r.At[0], "nll"), 0.5*math.Log(2*math.Pi)+0.25*math.Log(.25), 1e-12)
	r, err = ScoreNumbers(NumberFiles{Samples: mean, Targets: y, Floor: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "NLL of draws", value(t, r.At[0], "nll-gaussian"), 0.5*math.Log(2*math.Pi)+0.5*math.Log(.25), 1e-12)
}

func TestPrintNumbers(t *testing.T) {
	far := save(t, "y.npy", "<f8", "(2,)", []float64{1e160, 0})
	mean := save(t, "m.npy", "<f8", "(2, 2)", []float64{0, 0, 1, 1})
	r, err := ScoreNumbers(NumberFiles{Mean: mean, Variance: save(t, "v.npy", "<f8", "(2,)", []float64{1, 1}), Targets: far})
	if err != nil {
		t.Fatal(err)
	}
	var text, bench, object bytes.Buffer
	for _, err := range []error{r.WriteText(&text), r.WriteJSON(&object), r.WriteBench(&bench, Name{Data: "boston", Model: "mlp", Method: "mine", Seed: "1", Split: "7"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"2 inputs, 1 target, 2 posterior samples", "K=1", "K=2", "rmse", "lower", "picp95"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	var got struct {
		Kind string
		At   []struct {
			Samples int
			Scores  map[string]*float64
		}
	}
	if err := json.Unmarshal(object.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if v, ok := got.At[1].Scores["nll"]; got.Kind != "gaussian" || len(got.At) != 2 || !ok || v != nil || got.At[1].Scores["picp95"] == nil {
		t.Errorf("%s", object.String())
	}
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := os.WriteFile(path, bench.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := results.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Records) != 2 || set.Records[1].Replicate() != (results.Replicate{Seed: "1", Split: "7"}) || set.Units["rmse"].Better != results.Lower {
		t.Errorf("%+v", set)
	}
	if v, ok := set.Records[1].Value("nll"); !ok || !math.IsInf(v, 1) {
		t.Errorf("NLL %v", v)
	}
}

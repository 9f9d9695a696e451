package score

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/internal/alloctest"
	"bayesbench/internal/neartest"
	"bayesbench/internal/npy/npytest"
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// Half-precision numbers are what numpy says they are. Bytes and values by
//
//	p = np.array([[.1, .2, .7], [1/3, 1/3, 1/3], [6e-8, 0, 1]])
//	for t in '<f2', '>f2', ml_dtypes.bfloat16:  # np.save writes the last as <V2
//	    print(p.astype(t).tobytes().hex(), p.astype(t).astype(float).tolist())
func TestHalves(t *testing.T) {
	f2 := []float64{0.0999755859375, 0.199951171875, 0.7001953125, 0.333251953125, 0.333251953125, 0.333251953125, 5.960464477539063e-08, 0, 1}
	bf := []float64{0.10009765625, 0.2001953125, 0.69921875, 0.333984375, 0.333984375, 0.333984375, 6.007030606269836e-08, 0, 1}
	for _, v := range []struct {
		descr, hex string
		want       []float64
	}{
		{"<f2", "662e66329a3955355535553501000000003c", f2},
		{">f2", "2e663266399a355535553555000100003c00", f2},
		{"<V2", "cd3d4d3e333fab3eab3eab3e81330000803f", bf},
		{"|V2", "cd3d4d3e333fab3eab3eab3e81330000803f", bf},
	} {
		numbers, err := hex.DecodeString(v.hex)
		if err != nil {
			t.Fatal(err)
		}
		a, err := read(npytest.File(npytest.Dict(v.descr, "(3, 3)"), numbers))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float64, 9)
		if err := a.Read(got); err != nil || !slices.Equal(got, v.want) {
			t.Errorf("%s: %v, %v, want %v", v.descr, got, err, v.want)
		}
	}
}

// Rounding to bfloat16 may leave a row's sum off by more than float32 may: the
// second row sums to 1.00195. A row that float32 wrote may not.
func TestSumsOfHalves(t *testing.T) {
	labels := []int{0, 0}
	for _, v := range []struct {
		descr string
		data  any
		form  metrics.Form
		want  string
	}{
		{"<V2", []uint16{0x3f00, 0x3e80, 0x3e80, 0x3eab, 0x3eab, 0x3eab}, metrics.Probabilities, ""},
		{"<f4", []float32{.5, .25, .25, 0.333984375, 0.333984375, 0.333984375}, metrics.Probabilities, ""},
		{"<f4", []float32{.5, .25, .25, 0.3345, 0.333984375, 0.333984375}, metrics.Probabilities, "sum to 1.00247, want 1 within 0.001"},
		{"<V2", []uint16{0x3f00, 0x3e80, 0x3e80, 0x3eab, 0x3eab, 0x3ecd}, metrics.Probabilities, "sum to 1.06836, want 1 within 0.0156"},
		// log 1/3 as float16 is -1.0986, as bfloat16 -1.1016
		{"<f2", []uint16{0xbc65, 0xbc65, 0xbc65, 0xbc65, 0xbc65, 0xbc65}, metrics.LogProbs, ""},
		{"<V2", []uint16{0xbf8d, 0xbf8d, 0xbf8d, 0xbf8d, 0xbf8d, 0xbf8d}, metrics.LogProbs, ""},
		{"<V2", []uint16{0xbf8d, 0xbf8d, 0xbf8d, 0xbf8d, 0xbf8d, 0xbf73}, metrics.LogProbs, "sum to 1.05175, want 1 within 0.0"},
	} {
		a, err := read(npytest.File(npytest.Dict(v.descr, "(2, 3)"), v.data))
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPredictions(a, v.form, false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.advance(1, labels)
		if v.want == "" && err != nil || v.want != "" && (err == nil || !strings.Contains(err.Error(), v.want)) {
			t.Errorf("%s %v: %v, want %q", v.descr, v.data, err, v.want)
		}
	}
}

// An array in Fortran order is the same array. Bytes by
//
//	np.asfortranarray(np.arange(24).reshape(3, 4, 2).astype('u1')).tobytes('F').hex()
func TestFortranOrder(t *testing.T) {
	numbers, err := hex.DecodeString("000810020a12040c14060e16010911030b13050d15070f17")
	if err != nil {
		t.Fatal(err)
	}
	for _, hold := range []int{1, 8, 16, 17, 100} { // 1, 1, 2, 2 and 3 samples at a time
		a, err := read(npytest.File("{'descr': '|u1', 'fortran_order': True, 'shape': (3, 4, 2), }", numbers))
		if err != nil {
			t.Fatal(err)
		}
		p := &stack{Array: a, k: 3, n: 4, width: 2, hold: hold}
		var got []float64
		for _, count := range []int{5, 1, 9, 9} { // across samples
			part := make([]float64, count)
			if err := p.read(part); err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
		}
		for i, x := range got {
			if x != float64(i) {
				t.Fatalf("%d held: number %d is %v", hold, i, x)
			}
		}
	}
	// numpy wrote these probabilities column by column.
	r, err := Score(Files{Predictions: "testdata/fortran.npy", Labels: "testdata/labels_i8.npy", Form: metrics.Probabilities})
	if err != nil {
		t.Fatal(err)
	}
	neartest.Within(t, "NLL", value(t, r.At[0], "nll"), fortranNLL, 1e-12)
}

// fortranNLL is by numpy, of testdata/fortran.npy:
//
//	-np.log(p[range(20), y]).mean()
const fortranNLL = 3.520070161017381

// One number an input scores as the two classes it stands for.
func TestBinary(t *testing.T) {
	const k, n = 3, 40
	var z [k * n]float32
	rng.Normal(z[:], rng.Key{4, 4}, 0)
	one, two := map[metrics.Form][]float64{}, map[metrics.Form][]float64{}
	labels := make([]int64, n)
	for i, x := range z {
		x := 4 * float64(x)
		p := 1 / (1 + math.Exp(-x))
		one[metrics.Logits] = append(one[metrics.Logits], x)
		one[metrics.Probabilities] = append(one[metrics.Probabilities], p)
		one[metrics.LogProbs] = append(one[metrics.LogProbs], math.Log(p))
		two[metrics.Logits] = append(two[metrics.Logits], 0, x)
		two[metrics.Probabilities] = append(two[metrics.Probabilities], 1-p, p)
		two[metrics.LogProbs] = append(two[metrics.LogProbs], math.Log(1-p), math.Log(p))
		labels[i%n] = int64(i % 3 / 2)
	}
	dir := t.TempDir()
	write := func(name, shape string, data any) string {
		path := filepath.Join(dir, name)
		descr := "<f8"
		if name == "y.npy" {
			descr = "<i8"
		}
		if err := os.WriteFile(path, npytest.File(npytest.Dict(descr, shape), data), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	y := write("y.npy", "(40,)", labels)
	for _, form := range []metrics.Form{metrics.Logits, metrics.Probabilities, metrics.LogProbs} {
		for _, v := range []struct {
			shape, full string
			k           int
			binary      bool
		}{
			{"(40,)", "(40, 2)", 1, false},
			{"(40, 1)", "(40, 2)", 1, false},
			{"(40, 1)", "(40, 2)", 1, true},
			{"(3, 40, 1)", "(3, 40, 2)", 3, false},
			{"(3, 40)", "(3, 40, 2)", 3, true},
		} {
			probs := write("p.npy", v.shape, one[form][:v.k*n])
			got, err := Score(Files{Predictions: probs, Labels: y, OOD: probs, Form: form, Binary: v.binary})
			if err != nil {
				t.Errorf("%v %s: %v", form, v.shape, err)
				continue
			}
			full := write("q.npy", v.full, two[form][:2*v.k*n])
			want, err := Score(Files{Predictions: full, Labels: y, OOD: full, Form: form})
			if err != nil {
				t.Fatal(err)
			}
			for i, at := range want.At {
				for _, s := range at.Scores {
					if strings.HasSuffix(s.Unit, "-energy") {
						if slices.ContainsFunc(got.At[i].Scores, func(g results.Value) bool { return g.Unit == s.Unit }) {
							t.Errorf("%s of one logit", s.Unit)
						}
						continue
					}
					neartest.Within(t, fmt.Sprintf("%v %s: %s", form, v.shape, s.Unit), value(t, got.At[i], s.Unit), s.Value, 1e-9)
				}
			}
		}
	}
	// What cannot be told, and what cannot be.
	for _, v := range []struct {
		shape  string
		data   []float64
		form   metrics.Form
		binary bool
		want   string
	}{
		{"(3, 40)", one[metrics.Probabilities], metrics.Probabilities, false, "by sample and input, say -binary"},
		{"(3, 40, 1)", one[metrics.Logits], metrics.Probabilities, false, "p.npy[0,"},
		{"(3, 40)", one[metrics.Logits], metrics.Probabilities, true, "declared as such: -logits"},
		{"(3, 40)", one[metrics.Logits], metrics.LogProbs, true, "log-probability of class 1 is"},
		{"(40, 1)", append(slices.Clone(one[metrics.Logits][:39]), math.NaN()), metrics.Logits, false, "p.npy[39]: logit of class 1 is NaN"},
		{"(2, 40, 2)", two[metrics.Probabilities][:160], metrics.Probabilities, true, "want one number for each input"},
	} {
		_, err := Score(Files{Predictions: write("p.npy", v.shape, v.data), Labels: y, Form: v.form, Binary: v.binary})
		if err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v, want %q", v.shape, err, v.want)
		}
	}
}

// A binary classifier that is certain still ranks by its logit.
func TestBinaryBeyondFloat64(t *testing.T) {
	form, rows := twoClasses(metrics.Logits, []float64{50, -60, 800, -900}, nil)
	p := metrics.NewPredictive(4, 2)
	if err := p.Add64(form, rows); err != nil {
		t.Fatal(err)
	}
	e, err := p.Evaluate([]int{1, 0, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-50, -60, -800, -900} {
		neartest.Within(t, "log-odds", metrics.MaxProbScore(e)[i], want, 1e-9)
	}
}

// sparse makes a file of the header and as many bytes behind it as it claims,
// none of them on the disk.
func sparse(t *testing.T, name, header string, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	lead := npytest.File(header)
	if err := os.WriteFile(path, lead, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(lead))+size); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a header claims is compared before memory is taken for it.
func TestNothingIsTakenForWhatDoesNotMatch(t *testing.T) {
	dir := t.TempDir()
	four := filepath.Join(dir, "y4.npy")
	if err := os.WriteFile(four, npytest.File(npytest.Dict("<i8", "(4,)"), []int64{0, 1, 2, 3}), 0o644); err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(dir, "p4.npy")
	if err := os.WriteFile(small, npytest.File(npytest.Dict("<f4", "(4, 2)"), []float32{1, 0, 1, 0, 1, 0, 1, 0}), 0o644); err != nil {
		t.Fatal(err)
	}
	huge := sparse(t, "huge.npy", npytest.Dict("<f4", "(2000000, 10)"), 80_000_000)
	vast := sparse(t, "vast.npy", npytest.Dict("<f2", "(100000000, 10)"), 2_000_000_000)
	halves := sparse(t, "halves.npy", npytest.Dict("<f2", "(1000000000,)"), 2_000_000_000)
	zeros := sparse(t, "zeros.npy", npytest.Dict("|u1", "(2000000,)"), 2_000_000)
	for _, v := range []struct {
		files Files
		want  string
	}{
		{Files{Predictions: huge, Labels: four}, "y4.npy: 4 labels, "},
		{Files{Predictions: small, Labels: zeros}, "zeros.npy: 2000000 labels, "},
		{Files{Predictions: vast, Labels: four}, "vast.npy: 100000000 inputs of 10 classes, want at most 6710886: score a part"},
		{Files{Predictions: halves, Labels: four}, "halves.npy: 1000000000 inputs of 2 classes, want at most"},
		{Files{Predictions: small, Labels: four, OOD: huge}, "huge.npy: shape [2000000 10], want 1 samples of 2 classes"},
		{Files{Predictions: small, Labels: four, Against: huge}, "huge.npy: shape [2000000 10], want 4 inputs of 2 classes"},
		{Files{Predictions: small, Labels: vast}, "vast.npy: shape [100000000 10], want class numbers"},
		{Files{Predictions: os.DevNull, Labels: four}, "not a regular file"},
		{Files{Predictions: small, Labels: four, OOD: dir}, "not a regular file"},
	} {
		v.files.Form = metrics.Probabilities
		alloctest.AtMost(t, 1<<20, func() {
			if _, err := Score(v.files); err == nil || !strings.Contains(err.Error(), v.want) {
				t.Errorf("%+v: %v, want %q", v.files, err, v.want)
			}
		})
	}
}

// Whatever type and order an array is stored in, its scores are those of the
// numbers.
func TestTypesAndOrders(t *testing.T) {
	const k, n, c = 2, 30, 4
	var z [k * n * c]float32
	rng.Normal(z[:], rng.Key{8, 1}, 0)
	for i, x := range z { // numbers that all types hold
		z[i] = float32(math.Round(8*float64(x))) / 8
	}
	at := func(i int, fortran bool) float32 { // number i of the file
		if !fortran {
			return z[i]
		}
		return z[(i%k)*n*c+(i/k%n)*c+i/k/n]
	}
	labels := make([]int, n)
	for i := range labels {
		labels[i] = i % c
	}
	var want []results.Value
	for _, fortran := range []bool{false, true} {
		for descr, put := range map[string]func(b *bytes.Buffer, x float32){
			"<f8": func(b *bytes.Buffer, x float32) { b.Write(little(math.Float64bits(float64(x)), 8)) },
			">f8": func(b *bytes.Buffer, x float32) { b.Write(big(math.Float64bits(float64(x)), 8)) },
			"<f4": func(b *bytes.Buffer, x float32) { b.Write(little(uint64(math.Float32bits(x)), 4)) },
			">f4": func(b *bytes.Buffer, x float32) { b.Write(big(uint64(math.Float32bits(x)), 4)) },
			"<V2": func(b *bytes.Buffer, x float32) { b.Write(little(uint64(math.Float32bits(x)>>16), 2)) },
		} {
			var data bytes.Buffer
			for i := range z {
				put(&data, at(i, fortran))
			}
			header := npytest.Dict(descr, fmt.Sprintf("(%d, %d, %d)", k, n, c))
			if fortran {
				header = strings.Replace(header, "False", "True", 1)
			}
			a, err := read(npytest.File(header, data.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			p, err := newPredictions(a, metrics.Logits, false)
			if err != nil {
				t.Fatal(err)
			}
			r, _, err := score(p, labels, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.At[len(r.At)-1].Scores; want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s, Fortran order %v: %v, want %v", descr, fortran, got, want)
			}
		}
	}
}

func little(bits uint64, width int) []byte {
	var b []byte
	for i := range width {
		b = append(b, byte(bits>>(8*i)))
	}
	return b
}

func big(bits uint64, width int) []byte {
	b := little(bits, width)
	slices.Reverse(b)
	return b
}

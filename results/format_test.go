package results

import (
	"bytes"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var testUnits = Units{
	"error":           {Name: "error", Better: Lower},
	"nll":             {Name: "nll", Better: Lower},
	"train-samples/s": {Name: "train-samples/s", Better: Higher, Timing: true},
}

func testRecord(method, seed string, errorRate float64) Record {
	return Record{
		Data: "mnist", Model: "lenet-300-100", Method: method, Backend: "gonum", Samples: 8,
		Config: []Pair{{"seed", seed}, {"suite", "quick"}},
		Values: []Value{{"error", errorRate}, {"nll", errorRate * 3.5}},
	}
}

func TestWriteForm(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, Set{Units: testUnits, Records: []Record{testRecord("sparse-vd", "0", 0.0172)}}); err != nil {
		t.Fatal(err)
	}
	want := `format: bayesbench-1
Unit error better=lower assume=nothing
Unit nll better=lower assume=nothing

seed: 0
suite: quick

BenchmarkMNIST/model=lenet-300-100/method=sparse-vd/backend=gonum/samples=8 1 0.0172 error 0.060200000000000004 nll
`
	want += "# sha256 " + hexSum([]byte(want)) + "\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestRoundTrip(t *testing.T) {
	odd := []float64{0, math.Copysign(0, -1), 1, 0.1, 1.0 / 3, math.Nextafter(1, 2), 5e-324, math.MaxFloat64, -2.5e-300,
		math.Inf(1), 123456789012345680, 9007199254740993, math.Pi}
	set := Set{Units: testUnits}
	for i, v := range odd {
		r := testRecord("ffg-vi", "3", v)
		r.Values = []Value{{"nll", v}}
		r.Sweep = []Pair{{"hidden", "784/300 100"}, {"rate", "1e-3"}, {"note", "100%2F"}}
		if i%2 == 0 {
			r.Samples = 0
			r.Sweep = []Pair{{"rate", "1e-3"}} // as the last key, -3 would be Go's GOMAXPROCS suffix
		}
		set.Records = append(set.Records, r)
	}
	var out bytes.Buffer
	if err := Write(&out, set); err != nil {
		t.Fatal(err)
	}
	back, err := Read(bytes.NewReader(out.Bytes()), "x")
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Records {
		got, want := back.Records[i], set.Records[i]
		if math.Float64bits(got.Values[0].Value) != math.Float64bits(want.Values[0].Value) {
			t.Errorf("%v read back as %v", want.Values[0].Value, got.Values[0].Value)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// Stock benchstat must see one sample a seed in one column a method.
func TestBenchstatReads(t *testing.T) {
	set := Set{Units: testUnits}
	for i, seed := range []string{"0", "1", "2", "3", "4", "5"} {
		set.Records = append(set.Records,
			testRecord("deterministic", seed, 0.0200+float64(i)*1e-4),
			testRecord("sparse-vd", seed, 0.0150+float64(i)*1e-4))
	}
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := writeSet(path, set); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "tool", "benchstat", "-ignore", "seed", "-col", "/method", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"│ deterministic │", " sparse-vd ", "-24.69% (p=0.002 n=6)"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, unwanted := range []string{"benchmarks vary", "warning", "✓"} {
		if strings.Contains(string(out), unwanted) {
			t.Errorf("%q in\n%s", unwanted, out)
		}
	}
}

func TestReadErrors(t *testing.T) {
	const head = "format: bayesbench-1\nUnit nll better=lower assume=nothing\n\nseed: 0\n\n"
	const line = "BenchmarkMNIST/model=a/method=b/backend=c/samples=1 1 0.5 nll\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", `x: no "format: bayesbench-1" line`},
		{"other version", "format: bayesbench-2\n", `x:1: another format version: the file is "bayesbench-2"`},
		{"no version", line, `x:1: no "format: bayesbench-1" line before the first result`},
		{"cut in a number", head + line[:len(line)-6], "x:6: the last line does not end"},
		{"cut in a name, with newline", head + "BenchmarkMNIST/model=a\n", "x:6: want a name, a count and pairs"},
		{"foreign line", head + "PASS\n", `x:6: not a line of a results file: "PASS"`},
		{"binary", head + "\x00\x01\x02\n", "x:6: not a line"},
		{"undeclared unit", head + strings.Replace(line, "nll", "nl", 1), `x:6: unit "nl" is not declared`},
		{"no number", head + strings.Replace(line, "0.5", "half", 1), "x:6: parsing measurement"},
		{"no method", head + strings.Replace(line, "/method=b", "", 1), "x:6: name key method: bad value"},
		{"bad samples", head + strings.Replace(line, "samples=1", "samples=many", 1), "x:6: samples=many"},
		{"key twice", head + strings.Replace(line, "/samples", "/a=1/a=2/samples", 1), `x:6: name key "a" stands twice`},
		{"bad direction", strings.Replace(head, "lower", "smaller", 1) + line, `x: unit nll: better="smaller"`},
		{"NaN", head + strings.Replace(line, "0.5", "NaN", 1), "x:6: nll is NaN"},
	} {
		_, err := Read(strings.NewReader(c.text), "x")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Read(strings.NewReader("format: bayesbench-2\n"), "x"); !errors.Is(err, ErrFormat) {
		t.Errorf("%v does not wrap ErrFormat", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	change := func(f func(*Record)) Record { r := testRecord("a", "0", 1); f(&r); return r }
	for want, r := range map[string]Record{
		`unit "speed" is not declared`: change(func(r *Record) { r.Values = []Value{{"speed", 1}} }),
		"nll is NaN":                   change(func(r *Record) { r.Values = []Value{{"nll", math.NaN()}} }),
		"no values":                    change(func(r *Record) { r.Values = nil }),
		`data set name "MNIST"`:        change(func(r *Record) { r.Data = "MNIST" }),
		"configuration seed: bad":      change(func(r *Record) { r.Config[0].Value = "0\nunit: x" }),
		"stands twice":                 change(func(r *Record) { r.Sweep = []Pair{{"model", "b"}} }),
	} {
		if err := Write(&bytes.Buffer{}, Set{Units: testUnits, Records: []Record{r}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for _, name := range []string{"ns/op", "MB/s", "a b", ""} {
		if (Unit{Name: name, Better: Lower}).check() == nil {
			t.Errorf("unit %q passed", name)
		}
	}
}

func TestLoadOtherVersion(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, runFile)
	if err := os.WriteFile(path, []byte(`{"format": 2, "colour": "red"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want ErrFormat with the path", err)
	}
}

